"""Which apps load, and what is said of those that do not; each of these Azure refuses, or this host does."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from localazure.host import index
from localazure.host.errors import BrokenApp
from localazure.host.function import Function
from localazure.host.host_json import HostJson

Load = Callable[..., list[Function]]

HEAD = """
import azure.functions as func
app = func.FunctionApp()
"""
QUEUE = '@app.queue_trigger(arg_name="msg", queue_name="q", connection="S")\n'
ROUTE = '@app.route(route="r")\n'


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads an app written here, and leaves this process as it was."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.chdir(tmp_path)

    def loaded(text: str, host_json: HostJson | None = None, **environ: str) -> list[Function]:
        (tmp_path / "function_app.py").write_text(textwrap.dedent(text))
        return index.load(tmp_path, host_json or HostJson(), environ)

    return loaded


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
    "a return nobody takes": (QUEUE + "def f(msg: func.QueueMessage) -> str: ...", "nothing takes it"),
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
        '@app.blob_trigger(arg_name="b", path="c/{n}", connection="S")\ndef f(b: func.InputStream): ...',
        r"f: this host runs HTTP, queue, timer, Event Grid triggers and queue outputs; it has no blobTrigger",
    ),
    "another output": (
        '@app.blob_output(arg_name="b", path="c/n", connection="S")\n' + QUEUE + "def f(msg, b): ...",
        "it has no blob",
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


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_app_is_refused_with_the_reason(load: Load, text: str, said: str) -> None:
    with pytest.raises(BrokenApp, match=f"(?s){said}"):
        load(HEAD + text)


def test_no_app_at_all(load: Load) -> None:
    with pytest.raises(BrokenApp, match=r"no func\.FunctionApp"):
        load("import azure.functions as func")


def test_what_azure_takes_is_taken(load: Load) -> None:
    functions = load(
        """
        from __future__ import annotations
        import functools
        import azure.functions as func

        app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
        blueprint = func.Blueprint()

        def wrapped(f):
            @functools.wraps(f)
            def inner(*args, **kwargs):
                return f(*args, **kwargs)
            return inner

        @blueprint.route(route="items/{id}")
        @wrapped
        def Zebra(req: func.HttpRequest, context: func.Context) -> func.HttpResponse: ...

        @blueprint.timer_trigger(arg_name="t", schedule="%WHEN%")
        async def ant(t: func.TimerRequest) -> None: ...

        @app.function_name("bee-1")
        @app.queue_trigger(arg_name="m", queue_name="%Q%", connection="S")
        def whatever(m): ...

        app.register_functions(blueprint)
        """,
        **{"AzureWebJobs_ant_Disabled": "TRUE"},
    )
    assert [one.name for one in functions] == ["ant", "bee-1", "Zebra"]
    assert [one.kind for one in functions] == ["timerTrigger", "queueTrigger", "httpTrigger"]
    assert [one.is_async for one in functions] == [True, False, False]
    assert [one.disabled for one in functions] == [True, False, False]
    assert [one.wants_context for one in functions] == [False, False, True]
    assert functions[2].trigger["authLevel"] == "ANONYMOUS"


def test_a_setting_that_nobody_reads_is_said(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    load(
        HEAD
        + '@app.queue_trigger(arg_name="msg", queue_name="que", connection="S", batch_size=3)\n'
        + "def f(msg): ..."
    )
    assert "f: a queueTrigger has no setting batchSize; Azure's host ignores it" in caplog.text


def test_another_language_is_refused(load: Load) -> None:
    with pytest.raises(BrokenApp, match="FUNCTIONS_WORKER_RUNTIME is node"):
        load(HEAD, FUNCTIONS_WORKER_RUNTIME="node")


def test_an_asgi_app_is_taken_whole(load: Load) -> None:
    [function] = load(
        """
        import azure.functions as func

        async def application(scope, receive, send): ...

        app = func.AsgiFunctionApp(application)
        """
    )
    assert function.trigger["route"] == "/{*route}"


def test_host_json_may_choose_some_functions(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    text = HEAD + "".join(
        f'@app.queue_trigger(arg_name="msg", queue_name="q", connection="S")\ndef {name}(msg): ...\n'
        for name in "abc"
    )
    functions = load(text, HostJson(only=frozenset({"a", "c", "nobody"})))
    assert [one.name for one in functions] == ["a", "c"]
    assert "Chosen, but not there: nobody." in caplog.text


def test_the_apps_folder_comes_last_on_the_path(load: Load, tmp_path: Path) -> None:
    """A package that is installed wins over a module of the app, as in Azure."""
    (tmp_path / "requests.py").write_text("raise RuntimeError('shadowed')")
    (tmp_path / "own_module_of_the_app.py").write_text("NAME = 'f'")
    [function] = load(
        HEAD + "import requests, own_module_of_the_app as own\n"
        "@app.function_name(own.NAME)\n" + QUEUE + "def anything(msg): ..."
    )
    assert function.name == "f"
    assert sys.path[-1] == str(tmp_path)


def started(folder: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    own = {"Values": {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}}
    (folder / "settings.json").write_text(json.dumps(own))
    command = [sys.executable, "-m", "localazure.host", "--app", str(folder), "--port", "9"]
    command += ["--settings", str(folder / "settings.json"), *extra]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_started_on_a_broken_app_it_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(HEAD + "1 / 0\n")
    ended = started(tmp_path)
    place = f"({tmp_path / 'function_app.py'}:4: 1 / 0)"
    said = f"{tmp_path / 'function_app.py'} cannot be imported: ZeroDivisionError: division by zero {place}"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"host: {said}\n")


def test_started_without_its_connection_it_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(HEAD + QUEUE + "def f(msg): ...\n")
    ended = started(tmp_path, "--port", "0")
    assert ended.returncode == 1
    assert ended.stderr.endswith("host: f: the setting S is missing. Set it to a connection string.\n")
    assert "Traceback" not in ended.stderr


def test_started_without_storage_of_its_own_it_says_so_and_ends(tmp_path: Path) -> None:
    """As Azure's host does, whatever connection the trigger names."""
    (tmp_path / "function_app.py").write_text(HEAD + QUEUE + "def f(msg): ...\n")
    file = tmp_path / "local.json"
    file.write_text(json.dumps({"Values": {"S": "UseDevelopmentStorage=true"}}))
    ended = started(tmp_path, "--port", "0", "--settings", str(file))
    assert ended.returncode == 1
    assert "host: the host: the setting AzureWebJobsStorage is missing" in ended.stderr


def test_started_with_a_name_no_queue_can_have_it_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(HEAD + QUEUE + "def f(msg): ...\n")
    file = settings(tmp_path, "AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:9/a;")
    ended = started(tmp_path, "--port", "0", "--settings", str(file))
    assert ended.returncode == 1
    assert "host: f: 'q' is no name of a queue" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_started_without_storage_it_says_so_and_ends(tmp_path: Path, free_port: Callable[[], int]) -> None:
    (tmp_path / "function_app.py").write_text(HEAD + QUEUE.replace('"q"', '"que"') + "def f(msg): ...\n")
    address = f"http://127.0.0.1:{free_port()}/a"
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    ended = subprocess.run(
        [sys.executable, "-m", "localazure.host", "--app", str(tmp_path), "--port", str(free_port()),
         "--settings", str(settings(tmp_path, f"AccountName=a;AccountKey=a2V5;QueueEndpoint={address};"))],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert f"host: The storage at {address}/que does not take queue que" in ended.stderr
    assert "Traceback" not in ended.stderr


def settings(folder: Path, connection: str) -> Path:
    file = folder / "local.json"
    file.write_text(json.dumps({"Values": {"S": connection, "AzureWebJobsStorage": connection}}))
    return file
