"""The examples in the parts' README files run as they stand there, but for ports and folders."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from localazure.ports import lasting_port
from localazure.storage.account import Ports, connection_string
from running_azure import PACKAGE


def blocks(part: str, kind: str) -> list[str]:
    """The code blocks of that kind in a part's README."""
    text = (PACKAGE / part / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


@contextmanager
def running(part: str, *arguments: str) -> Iterator[float]:
    """The part, until the `with` ends; the seconds it took to be ready."""
    began = time.monotonic()
    command = [sys.executable, "-m", "localazure", part, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith(f"ready: {part} http://127.0.0.1:")
            yield time.monotonic() - began
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def ports() -> Ports:
    return Ports(blob=lasting_port(), queue=lasting_port(), table=lasting_port())


def storage_arguments(state: Path, ports: Ports) -> list[str]:
    given = ["--state", str(state)]
    for name in ("blob", "queue", "table"):
        given += [f"--{name}-port", str(getattr(ports, name))]
    return given


def ran(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_storage(tmp_path: Path, ports: Ports) -> None:
    [script] = blocks("storage", "python")
    _, said = blocks("storage", "console")
    assert len(script.splitlines()) <= 10
    with running("storage", *storage_arguments(tmp_path, ports)) as seconds:
        print(f"\nstorage: ready in {seconds:.2f} s")
        assert ran(script.replace("UseDevelopmentStorage=true", connection_string(ports))) == said


def test_the_example_of_event_grid(tmp_path: Path, ports: Ports) -> None:
    [script] = blocks("events", "python")
    [console] = blocks("events", "console")
    subscriptions = re.findall(r"echo '(.*)' >", console)[0]
    (tmp_path / "subscriptions.json").write_text(subscriptions)
    port = lasting_port()
    script = script.replace("UseDevelopmentStorage=true", connection_string(ports))
    script = script.replace("7100", str(port)).replace("/tmp/azure", str(tmp_path))  # noqa: S108
    arguments = ["--state", str(tmp_path), "--port", str(port), "--storage", connection_string(ports)]
    with ExitStack() as stack:
        stack.enter_context(running("storage", *storage_arguments(tmp_path, ports)))
        seconds = stack.enter_context(
            running("events", *arguments, "--subscriptions", str(tmp_path / "subscriptions.json"))
        )
        print(f"\nevents: ready in {seconds:.2f} s")
        assert '"data":{"total":9}' in ran(script)


def test_the_example_of_the_host(tmp_path: Path) -> None:
    [app] = blocks("host", "python")
    [console] = blocks("host", "console")
    (tmp_path / "function_app.py").write_text(app)
    port = lasting_port()
    address, said = re.findall(r"\$ curl http://127\.0\.0\.1:7071(\S+)\n(.*)\n", console)[0]
    with running("host", "--app", str(tmp_path), "--port", str(port)) as seconds:
        print(f"\nhost: ready in {seconds:.2f} s")
        assert requests.get(f"http://127.0.0.1:{port}{address}", timeout=10).text == said


def test_the_longer_subscription_is_one(tmp_path: Path) -> None:
    from localazure.events.subscriptions import read

    [entry] = blocks("events", "json")
    file = tmp_path / "subscriptions.json"
    file.write_text(f"[{entry}]")
    assert read(file)[0]["name"] == "scored"


@pytest.mark.parametrize("part", ["storage", "events", "host"])
def test_each_part_says_how_it_is_used(part: str) -> None:
    command = [sys.executable, "-m", "localazure", part, "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--state" in told
    assert "127.0.0.1" in told
