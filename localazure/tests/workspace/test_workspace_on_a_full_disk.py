"""What belongs together is written together, or not at all, when the disk is full; and the threads outlast it."""

from __future__ import annotations

import socketserver
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localazure.workspace.handlers import jobs
from localazure.workspace.history.events import RunEvents
from localazure.workspace.history.runs import Runs
from localazure.workspace.scheduling import timetable
from localazure.workspace.scheduling.clock import Clock
from localazure.workspace.settings import Settings
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Call, Reply
from running_azure.waiting import until

FULL = sqlite3.OperationalError("database or disk is full")


class Filling(Store):
    """A store whose disk is full for those writes of pending events that it is told: by their place, from 1."""

    full: tuple[int, ...] = ()
    begun = 0
    broken = 0
    """How often nothing can be read yet."""

    def all(self, kind: str, **more: Any) -> list[dict[str, Any]]:
        if self.broken:
            self.broken -= 1
            raise FULL
        return super().all(kind, **more)

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


def test_events_go_on_after_a_full_disk_and_after_an_answer_that_is_none(
    store: Filling, tmp_path: Path
) -> None:
    with _Rude(("127.0.0.1", 0), _Answers) as topic:
        threading.Thread(target=topic.serve_forever, args=(0.05,), daemon=True).start()
        settings = Settings(
            state=tmp_path, port=1, identity_port=1, storage="", environments=tmp_path,
            events=f"http://127.0.0.1:{topic.server_address[1]}",
        )  # fmt: skip
        told = RunEvents(settings, store)
        store.broken = 1
        told.start()
        told.model_registered({"name": "m", "version": "1", "properties": {"tags": {}, "properties": {}}})
        until(lambda: not store.broken and not _pending(store), "that it is delivered")
        assert topic.asked == 2
        told.stop()
        topic.shutdown()


def test_schedules_go_on_after_a_full_disk(store: Filling) -> None:
    clock, fired = Clock(), list[str]()

    def fire(schedule: dict[str, Any], due: datetime) -> str:
        fired.append(timetable.text(due))
        return "job"

    kept = timetable.Timetable(store, clock)
    kept.start(fire)
    store.broken = 1
    clock.stir()
    until(lambda: not store.broken, "that the disk is full no more")
    now = timetable.text(clock.now())
    trigger = {"triggerType": "Recurrence", "frequency": "day", "interval": 1}
    about = {"name": "one", "enabled": True, "begun": now, "next": now, "history": []}
    store.put("schedules", "one", about | {"properties": {"trigger": trigger}})
    clock.stir()
    until(lambda: fired == [now], "its time")
    kept.stop()


class _Rude(socketserver.TCPServer):
    """Answers the first request with what is no HTTP."""

    asked = 0


class _Answers(socketserver.StreamRequestHandler):
    server: _Rude

    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline().lower()).strip():
            length = int(line.split(b":")[1]) if line.startswith(b"content-length") else length
        self.rfile.read(length)
        self.server.asked += 1
        rude = self.server.asked == 1
        self.wfile.write(b"what?\r\n\r\n" if rude else b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def test_a_job_that_cannot_be_deleted_as_a_whole_stays_whole(
    runs: Runs, store: Filling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What were left of its document would be run again. A list passes over what has no run."""
    place = SimpleNamespace(container_of=lambda _: "c")
    nothing = SimpleNamespace(delete_folder=lambda _: None, forget=lambda _: None)
    settings = SimpleNamespace(base="", resource_id="")
    workspace: Any = SimpleNamespace(
        store=store, runs=runs, resolver=place, blobs=nothing, engine=nothing, settings=settings
    )
    for name in ("job", "without run"):
        store.add("jobs", name, {"name": name, "properties": {"jobType": "Command"}, "made": {}})
    runs.create("job", parent=None, experiment="e", run_type="azureml.CommandRun")
    runs.create("step", parent="job", experiment="e", run_type="azureml.StepRun")
    runs.set_status("job", "Completed")
    call = Call(method="", path="", query={}, headers={}, body=b"", names={"name": "job"})
    assert [one["name"] for one in _listed(jobs.list_all(workspace, call))] == ["job"]
    remove, order = store.remove, list[str]()

    def failing(kind: str, key: str) -> bool:
        order.append(kind)
        if len(order) == 2:
            raise FULL
        return remove(kind, key)

    monkeypatch.setattr(store, "remove", failing)
    with pytest.raises(sqlite3.OperationalError):
        jobs.delete(workspace, call)
    assert store.get("jobs", "job")
    assert [runs.find(run) is not None for run in ("job", "step")] == [True, True]
    assert jobs.delete(workspace, call).status == 200
    assert store.get("jobs", "job") is None
    assert [runs.find(run) for run in ("job", "step")] == [None, None]


def _listed(reply: Reply) -> list[Any]:
    assert isinstance(reply.body, dict)
    return list(reply.body["value"])


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
