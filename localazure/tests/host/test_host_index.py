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
from running_azure.broken_apps import BROKEN, HEAD, QUEUE, ROUTE

Load = Callable[..., list[Function]]


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


def test_a_return_that_nobody_takes_is_said(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    """The worker takes such a function; a call of it fails when it does return something."""
    load(HEAD + QUEUE + "def f(msg: func.QueueMessage) -> str: ...")
    assert "f says it returns str, but nothing takes it" in caplog.text


def test_a_retry_policy_where_there_is_none_is_said(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    retry = '@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:05")\n'
    load(HEAD + ROUTE + retry + "def f(req: func.HttpRequest) -> str: ...")
    assert "f: retry policies are for timers; a httpTrigger has its own rules" in caplog.text


def test_the_apps_file_may_have_another_name(load: Load, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(HEAD + QUEUE + "def elsewhere(msg): ...")
    [function] = load("raise RuntimeError('not this one')", PYTHON_SCRIPT_FILE_NAME="main.py")
    assert function.name == "elsewhere"


@pytest.mark.parametrize("name", ["../main.py", "main", "-main.py", "sub/main.py"])
def test_what_is_no_name_of_a_file_is_refused(load: Load, name: str) -> None:
    with pytest.raises(BrokenApp, match=r"PYTHON_SCRIPT_FILE_NAME is .* must be the name of a file"):
        load(HEAD, PYTHON_SCRIPT_FILE_NAME=name)


def test_plain_parameters_are_taken_for_every_trigger(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    """A request as text is taken too, and said: each call of it fails."""
    functions = load(
        HEAD
        + QUEUE
        + "def a(msg: str): ...\n"
        + '@app.timer_trigger(arg_name="t", schedule="0 0 * * * *")\ndef b(t: str): ...\n'
        + '@app.event_grid_trigger(arg_name="e")\ndef c(e: bytes): ...\n'
        + ROUTE
        + "def d(req: str) -> str: ...\n"
    )
    assert [one.plain for one in functions] == [{"msg"}, {"t"}, {"e"}, {"req"}]
    assert "d: req is annotated str: each call fails, in Azure too" in caplog.text


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


def test_libraries_that_lie_in_the_apps_folder_come_first(load: Load, tmp_path: Path) -> None:
    """What was packed is what runs, whatever the host's own environment has of it."""
    packed = tmp_path / ".python_packages" / "lib" / "site-packages"
    packed.mkdir(parents=True)
    (packed / "own_library_of_the_app.py").write_text("NAME = 'packed'")
    (tmp_path / "own_library_of_the_app.py").write_text("NAME = 'a module of the app'")
    [function] = load(
        HEAD + "import own_library_of_the_app as library\n"
        "@app.function_name(library.NAME)\n" + QUEUE + "def anything(msg): ..."
    )
    assert function.name == "packed"
    assert sys.path[0] == str(packed)


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
    both = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={address};QueueEndpoint={address};"
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    ended = subprocess.run(
        [sys.executable, "-m", "localazure.host", "--app", str(tmp_path), "--port", str(free_port()),
         "--settings", str(settings(tmp_path, both))],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert f"host: The storage at {address} does not take the container azure-webjobs-hosts" in ended.stderr
    assert "Traceback" not in ended.stderr


def settings(folder: Path, connection: str) -> Path:
    file = folder / "local.json"
    file.write_text(json.dumps({"Values": {"S": connection, "AzureWebJobsStorage": connection}}))
    return file
