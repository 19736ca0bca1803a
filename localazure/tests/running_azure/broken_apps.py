"""Apps that must not load: what is wrong with each, and what our host says of it."""

HEAD = """
import azure.functions as func
app = func.FunctionApp()
"""
QUEUE = '@app.queue_trigger(arg_name="msg", queue_name="q", connection="S")\n'
ROUTE = '@app.route(route="r")\n'

BROKEN = {
    "an argument by another name": (
        QUEUE + "def f(message: func.QueueMessage): ...",
        "the parameters message .* belong to no trigger",
    ),
    "a parameter nothing fills": (
        QUEUE + "def f(msg: func.QueueMessage, db=None): ...",
        "the parameters db .* belong to no trigger",
    ),
    "a binding without a parameter": (QUEUE + "def f(): ...", "the bindings msg have no parameter"),
    "a wrong annotation": (QUEUE + "def f(msg: dict): ...", "msg is annotated dict, which a queueTrigger"),
    "a union annotation": (
        QUEUE + "def f(msg: func.QueueMessage | None): ...",
        "msg is annotated .* which a",
    ),
    "an Out for an input": (QUEUE + "def f(msg: func.Out[str]): ...", "msg is an input"),
    "a context of another kind": (
        ROUTE + "def f(req: func.HttpRequest, context: str): ...",
        "context must be",
    ),
    "a wrong return annotation": (
        ROUTE + "def f(req: func.HttpRequest) -> func.HttpResponse | str: ...",
        "is annotated to return .* which a http output",
    ),
    "a response said to be none": (
        ROUTE + "def f(req: func.HttpRequest) -> None: ...",
        "is annotated to return NoneType, which a http output",
    ),
    "a decorator that hides the function": (
        "def d(f):\n    def inner(*a, **k): return f(*a, **k)\n    return inner\n"
        + ROUTE
        + "@d\ndef f(req: func.HttpRequest) -> func.HttpResponse: ...",
        r"inner: .*functools\.wraps",
    ),
    "an annotation only for type checkers": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from collections.abc import Sized\n"
        + ROUTE
        + 'def f(req: "Sized"): ...',
        "name 'Sized' is not defined.*TYPE_CHECKING",
    ),
    "two functions of one name": (2 * (QUEUE + "def f(msg: func.QueueMessage): ...\n"), "unique"),
    "no trigger": ("@app.function_name('f')\ndef f(): ...", "does not have a trigger"),
    "two triggers": (QUEUE + ROUTE + "def f(msg, req): ...", "trigger was already registered"),
    "another trigger": (
        '@app.service_bus_queue_trigger(arg_name="b", queue_name="q", connection="S")\n'
        "def f(b: func.ServiceBusMessage): ...",
        r"f: this host runs HTTP, queue, timer, Event Grid, blob triggers, .* it has no serviceBusTrigger",
    ),
    "another output": (
        '@app.event_hub_output(arg_name="b", event_hub_name="h", connection="S")\n'
        + QUEUE
        + "def f(msg, b): ...",
        "it has no eventHub",
    ),
    "a blob as something else": (
        '@app.blob_trigger(arg_name="b", path="c/{n}", connection="S")\ndef f(b: dict): ...',
        "b is annotated dict, which a blobTrigger does not give",
    ),
    "a parameter for a part of the blob's name": (
        '@app.blob_trigger(arg_name="b", path="c/{n}", connection="S")\ndef f(b: func.InputStream, n: str): ...',
        "the parameters n .* belong to no trigger",
    ),
    "streamed HTTP": (
        "class Request: ...\nRequest.__module__ = 'azurefunctions.extensions.http.fastapi'\n"
        + ROUTE
        + "def f(req: Request): ...",
        "Request of azurefunctions.extensions.http.fastapi: this host has neither HTTP streaming",
    ),
    "a queue without a name": (
        '@app.generic_trigger(arg_name="m", type="queueTrigger", connection="S")\ndef f(m): ...',
        "f: the queueTrigger m needs queueName",
    ),
    "a table": (
        '@app.table_output(arg_name="t", table_name="t", connection="S")\n' + QUEUE + "def f(msg, t): ...",
        r"it has no table \(t\)",
    ),
    "a bad name": ("@app.function_name('9 bad!')\n" + QUEUE + "def f(msg): ...", "'9 bad!' is no name"),
    "two apps": ("other = func.FunctionApp()", "two or more func.FunctionApp"),
    "no functions": ("bp = func.Blueprint()", "declares no functions.*register_functions"),
    "an import that fails": (
        "import nosuchthing",
        r"ModuleNotFoundError: .*function_app.py:4: import nosuchthing",
    ),
    "a setting missing at import": ("import os\nos.environ['NO_SUCH']", r"KeyError: 'NO_SUCH' .*:5"),
    "a program that exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "no Python": ("def", r"SyntaxError: .*function_app.py:4"),
}
"""By what is wrong: the text behind HEAD, and a pattern of what our host says."""
