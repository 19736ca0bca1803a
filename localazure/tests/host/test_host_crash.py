"""A trigger that stops listening ends the host: it must not go on as if it still listened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localazure.host import host, keys, listeners
from localazure.host.function import Function
from localazure.host.host_json import HostJson
from localazure.host.listener import Listener
from localazure.host.server import serve


class Faulty(Listener):
    """Breaks as soon as it listens."""

    def __init__(self, **_: Any) -> None:
        super().__init__()

    async def prepare(self) -> None:
        """Nothing to prepare."""

    async def run(self) -> None:
        raise RuntimeError("a fault of the host")


def never_called() -> None:
    """Stands for the app's function."""


def test_the_host_ends_with_its_trigger(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    free_port: Callable[[], int],
    caplog: pytest.LogCaptureFixture,
    azurite: str,
) -> None:
    monkeypatch.setattr(listeners, "TimerListener", Faulty)
    trigger = {"type": "timerTrigger", "name": "t", "schedule": "* * * * * *"}
    timer = Function(name="t", call=never_called, trigger=trigger, is_async=False, wants_context=False)
    app = host.App(
        folder=tmp_path, functions=[timer], host_json=HostJson(), keys=keys.load(tmp_path), auth=True,
        routes=[], environ={"AzureWebJobsStorage": azurite},
    )  # fmt: skip
    assert asyncio.run(asyncio.wait_for(serve(app, free_port()), 20)) == 1
    assert "A trigger stopped listening; the host ends." in caplog.text
    assert "a fault of the host" in caplog.text
