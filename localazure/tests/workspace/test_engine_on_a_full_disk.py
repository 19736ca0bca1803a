"""The end of a job that cannot be written down, since the disk is full, is written down once it can be."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from localazure.workspace.engine import engine as engines
from localazure.workspace.engine.engine import PIPELINE_LOG, Engine
from localazure.workspace.engine.execution import StepFailed
from localazure.workspace.planning.plan import Plan

FULL = OSError(errno.ENOSPC, "no space left on device")
PARTS = ("store", "blobs", "runs", "resolver", "processes", "guard", "transitions")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose job is over, and has a log that cannot be kept at the first two tries."""
    monkeypatch.setattr(engines, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(Plan, "from_json", lambda plan: plan)
    parts: dict[str, Any] = {name: mock.MagicMock() for name in PARTS}
    made = Engine(settings=mock.MagicMock(environments=tmp_path), **parts)
    made._execution = mock.MagicMock()
    made._execution.folder.return_value = tmp_path
    made._execution.keep_logs.side_effect = [FULL, FULL, None]
    log = tmp_path / PIPELINE_LOG
    log.parent.mkdir(parents=True)
    log.write_text("a line")
    return made


@pytest.mark.parametrize(
    ("came_of_it", "status", "error"),
    [(None, "Completed", None), (StepFailed("step 'train' failed"), "Failed", "step 'train' failed")],
)
def test_a_job_ends_as_it_did_once_there_is_room_again(
    engine: Engine, came_of_it: Exception | None, status: str, error: str | None
) -> None:
    with mock.patch.object(Engine, "_run", side_effect=came_of_it):
        engine.submit("job")
        for thread in list(engine._threads.values()):
            thread.join(10)
    runs: Any = engine._runs
    runs.set_status.assert_called_once_with("job", status, error=error)


def test_a_stop_does_not_wait_for_room(engine: Engine) -> None:
    execution: Any = engine._execution
    execution.keep_logs.side_effect = FULL
    with mock.patch.object(Engine, "_run"):
        engine.submit("job")
        engine.stop()
    assert not engine._threads
    runs: Any = engine._runs
    runs.set_status.assert_not_called()
