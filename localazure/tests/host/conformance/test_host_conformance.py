"""Our host and Microsoft's own worker library (Python 3.13) find the same in an app, and refuse the same apps."""

from __future__ import annotations

from pathlib import Path

import pytest

from running_azure.broken_apps import BROKEN, HEAD
from running_azure.functions_worker import Index, indexed, ours, same, worker

__all__ = ["indexed", "worker"]

NOT_THE_WORKERS = {
    "another trigger": "the worker indexes every binding; the host has the extension or not",
    "another output": "the worker indexes every binding; the host has the extension or not",
    "a table": "the worker indexes every binding; the host has the extension or not",
    "a queue without a name": "the worker does not read what bindings say; Azure's host does",
    "a bad name": "the worker takes any name; Azure's host does not",
    "no functions": "the worker starts with none, and Azure's host then says `0 functions loaded`",
}
"""What our host refuses and the worker by itself does not, and why."""

ACCEPTED = {
    "each trigger": """
@app.route(route="items/{id:int}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="out", queue_name="%Q%", connection="S")
def items(req: func.HttpRequest, out: func.Out[str], context: func.Context) -> func.HttpResponse: ...

@app.queue_trigger(arg_name="msg", queue_name="%Q%-in", connection="S", batch_size=3)
@app.queue_output(arg_name="$return", queue_name="back", connection="S")
async def in_queue(msg: func.QueueMessage) -> str: ...

@app.timer_trigger(arg_name="t", schedule="%WHEN%", run_on_startup=True, use_monitor=False)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:05")
def ticks(t: func.TimerRequest) -> None: ...

@app.event_grid_trigger(arg_name="event")
def event_grid(event: func.EventGridEvent) -> None: ...
""",
    "blobs": """
@app.blob_trigger(arg_name="blob", path="incoming/{name}", connection="S", source="EventGrid")
@app.blob_input(arg_name="other", path="others/{name}", connection="S")
@app.blob_output(arg_name="out", path="out/{name}", connection="S")
def blobs(blob: func.InputStream, other: str, out: func.Out[bytes]) -> None: ...

@app.blob_trigger(arg_name="blob", path="incoming", connection="S")
@app.blob_output(arg_name="$return", path="out/{rand-guid}", connection="S")
def returns_a_blob(blob: func.InputStream) -> bytes: ...
""",
    "plain values and a response by parameter": """
@app.queue_trigger(arg_name="m", queue_name="q", connection="S")
def text(m: str) -> None: ...

@app.event_grid_trigger(arg_name="event")
def event_as_text(event: str) -> None: ...

@app.route(route="put", binding_arg_name="resp")
@app.blob_input(arg_name="raw", path="c/a", connection="S")
@app.blob_input(arg_name="text", path="c/a", connection="S", data_type="STRING")
@app.blob_output(arg_name="$return", path="c/b", connection="S")
def put(req: func.HttpRequest, raw: bytes, text: str, resp: func.Out[func.HttpResponse]) -> str: ...

@app.route(route="text")
def request_as_text(req: str) -> str: ...
""",
    "a return nobody takes": """
@app.queue_trigger(arg_name="m", queue_name="q", connection="S")
def returns(m: func.QueueMessage) -> str: ...
""",
    "a blueprint and no annotations": """
bp = func.Blueprint()

@bp.function_name("other-name")
@bp.queue_trigger(arg_name="m", queue_name="q", connection="S")
def whatever(m, context): ...

app.register_functions(bp)
""",
}


def written(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "function_app.py").write_text(text)
    return folder


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_a_good_app_has_the_same_functions_and_bindings_for_both(
    indexed: Index, tmp_path: Path, text: str
) -> None:
    folder = written(tmp_path / "app", HEAD + text)
    [theirs] = indexed(folder)
    assert "error" not in theirs, theirs
    assert same(theirs) == same(ours(folder))


def test_what_we_refuse_the_worker_refuses_and_the_reverse(indexed: Index, tmp_path: Path) -> None:
    """`test_host_index.py` shows that our host refuses each of these, and what it says."""
    folders = [
        written(tmp_path / str(number), HEAD + text) for number, (text, _) in enumerate(BROKEN.values())
    ]
    refused = {name: "error" in found for name, found in zip(BROKEN, indexed(*folders), strict=True)}
    assert {name for name, was in refused.items() if not was} == NOT_THE_WORKERS.keys()
