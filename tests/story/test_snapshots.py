"""A snapshot with work under way, on a real stack: going back to it, and running it beside what went on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from story.running import Running, bank, running

from commands import snapshot
from commands.stack import snapshots, supervisor
from commands.stack.errors import StackError
from commands.stack.snapshots import Snapshots
from commands.stack.state import Stack

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "state") as made:
        yield made


def _asked(kept: Path, *arguments: str) -> None:
    assert snapshot.main([*arguments, "--snapshots", str(kept)]) == 0


def _ended_once(site: Running, rows: int) -> None:
    assert site.model_of("second.csv")["model"]["state"] in ("released", "refused")
    assert {run["id"]: site.runs_in_azure_ml(run["id"]) for run in site.all("runs")} == {
        "bank-v1-a1": ["Completed"], "bank-v2-a1": ["Completed"],
    }  # fmt: skip
    assert [one["name"] for one in site.azure_ml("data/bank/versions")] == ["2", "1"]
    assert max(dataset["rows"] for dataset in site.all("datasets") if dataset.get("version")) == rows
    assert site.all("failures") == []


def test_what_was_queued_is_done_once_after_going_back_and_in_a_fork(
    site: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, rows = bank()
    kept, state = tmp_path / "kept", str(site.stack.state)
    site.drop("incoming", "first.csv", [header, *rows[:1500]])
    assert site.model_of("first.csv")["model"]["state"] == "released"
    site.drop("incoming", "second.csv", [header, *rows[1500:2500]])

    def under_way() -> bool:
        return site.get("lineage/incoming/second.csv").get("run", {}).get("state") in ("started", "running")

    site.until(under_way, "the second run")
    _asked(kept, "save", "before-the-bug", "--state", state)
    assert site.runs_in_azure_ml("bank-v2-a1") != ["Completed"], "saved too late to have work under way"
    site.drop("incoming", "third.csv", [header, *rows[2500:3500]])
    site.until(lambda: site.get("uploads/third.csv"), "the third file")
    assert site.model_of("third.csv")["upload"]["rows"] == 1000  # what ran was paused, and went on

    _asked(kept, "load", "before-the-bug", "--state", state)
    back = Running(Stack(site.stack.state))
    assert "third.csv" not in back.blobs("incoming")
    assert back.get("uploads/third.csv") == {}
    _ended_once(back, 2500)

    fork = tmp_path / "fork"
    try:
        _asked(kept, "fork", "before-the-bug", "--state", str(fork))
        beside = Running(Stack(fork))
        assert not set(beside.stack.ports.values()) & set(back.stack.ports.values())
        _ended_once(beside, 2500)
        beside.drop("incoming", "only-here.csv", [header, *rows[3500:4000]])
        beside.until(lambda: beside.get("uploads/only-here.csv"), "the file")
        assert "only-here.csv" not in back.blobs("incoming")
        for file in ("workspace/workspace.db", "events/journal.sqlite"):
            with closing(sqlite3.connect(fork / file)) as database:
                told = "\n".join(database.iterdump())
            assert [port for port in back.stack.ports.values() if f"127.0.0.1:{port}" in told] == []
    finally:
        supervisor.down(Stack(fork))

    capsys.readouterr()
    _asked(kept, "list", "--json")
    (told_of,) = json.loads(capsys.readouterr().out)["value"]
    assert (told_of["name"], told_of["of"]) == ("before-the-bug", state)
    assert told_of["bytes"] > 1_000_000
    present = snapshots.present_versions()
    monkeypatch.setattr(snapshots, "present_versions", lambda: replace(present, localazure="99.0"))
    with pytest.raises(StackError, match=r"other versions: localazure .* \(here 99\.0\)"):
        Snapshots(kept).load("before-the-bug", site.stack.state)
    assert back.stack.process("host"), "what is refused stops nothing"
