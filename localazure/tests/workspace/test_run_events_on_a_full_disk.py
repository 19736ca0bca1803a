"""A run's status and the events that tell it are written together, or not at all; and the threads outlast a full disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localazure.workspace.history.events import RunEvents
from localazure.workspace.history.runs import Runs
from localazure.workspace.settings import Settings
from localazure.workspace.store.documents import Store

FULL = sqlite3.OperationalError("database or disk is full")


class Filling(Store):
    """A store whose disk is full for those writes of pending events that it is told: by their place, from 1."""

    full: tuple[int, ...] = ()
    begun = 0

    def add(self, kind: str, key: str, value: dict[str, Any], *, family: str = "") -> bool:
        if kind == "pendingEvents":
            self.begun += 1
            if self.begun in self.full:
                raise FULL
        return super().add(kind, key, value, family=family)


@pytest.fixture
def store(tmp_path: Path) -> Filling:
    return Filling(tmp_path / "workspace.db")


@pytest.fixture
def runs(store: Filling, tmp_path: Path) -> Runs:
    settings = Settings(
        state=tmp_path, port=1, identity_port=1, storage="", environments=tmp_path, events="http://127.0.0.1:1"
    )  # fmt: skip
    return Runs(settings, store, RunEvents(settings, store))


def _pending(store: Store) -> list[str]:
    return [event["eventType"].rpartition(".")[2] for event in store.all("pendingEvents")]


@pytest.mark.parametrize("write", [2, 3])
def test_an_end_whose_event_cannot_be_kept_is_written_and_told_later(
    runs: Runs, store: Filling, write: int
) -> None:
    """The first write tells that the run is there, the next two that it has ended, and well."""
    store.full = (write,)
    runs.create("job", parent=None, experiment="e", run_type="azureml.CommandRun")
    with pytest.raises(sqlite3.OperationalError):
        runs.set_status("job", "Completed")
    assert (runs.get("job")["status"], _pending(store)) == ("NotStarted", ["RunStatusChanged"])
    runs.set_status("job", "Completed")
    assert runs.get("job")["status"] == "Completed"
    assert _pending(store) == ["RunStatusChanged", "RunStatusChanged", "RunCompleted"]


def test_a_run_whose_event_cannot_be_kept_is_not_there(runs: Runs, store: Filling) -> None:
    def create() -> None:
        runs.create("job", parent=None, experiment="e", run_type="azureml.CommandRun")

    store.full = (1,)
    with pytest.raises(sqlite3.OperationalError):
        create()
    assert runs.find("job") is None
    create()
    assert _pending(store) == ["RunStatusChanged"]


def test_what_is_written_together_within_more_is_kept_with_it(store: Filling) -> None:
    def write(then: Callable[[], None]) -> None:
        with store.together():
            with store.together():
                store.put("a", "inner", {})
            store.put("a", "outer", {})
            then()

    def fail() -> None:
        raise FULL

    with pytest.raises(sqlite3.OperationalError):
        write(fail)
    assert store.all("a") == []
    write(lambda: None)
    assert len(store.all("a")) == 2
