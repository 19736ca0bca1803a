"""The whole flow while calls to every part fail as Azure's do: all comes to its end all the same, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from story.running import bank, running, without_answer

from commands import faults as command
from localazure import faults

pytestmark = pytest.mark.slow
ORDERS = (
    {"kind": "throttle", "part": "blob", "rate": 0.05},
    {"kind": "error", "part": "table", "rate": 0.03},
    {"kind": "reply-lost", "part": "table", "rate": 0.03},
    {"kind": "reply-lost", "part": "queue", "method": "POST", "rate": 0.1},
    {"kind": "reply-lost", "part": "workspace", "method": "PUT", "count": 3},
    {"kind": "throttle", "part": "workspace", "rate": 0.05},
    {"kind": "request-lost", "part": "endpoints", "count": 2},
    {"kind": "delay", "part": "identity", "seconds": 0.5},
    {"kind": "reply-lost", "part": "deliveries", "count": 2},
)


def test_through_faults_of_every_part_everything_comes_to_its_end_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, rows = bank()
    clients = without_answer([header, *rows[:600]])
    with running(tmp_path, faults=True) as site:
        for order in ORDERS:
            faults.add(state=tmp_path, seed=11, **order)
        site.drop("incoming", "first.csv", [header, *rows[:2500]])
        assert site.model_of("first.csv")["model"]["state"] == "released"
        site.drop("scoring", "clients.csv", clients)
        batch = site.batch_of("clients.csv")
        assert command.main(["list", "--state", str(tmp_path)]) == 0
        told = capsys.readouterr().out
        met = {(each["kind"], each["part"]): each["hit"] for each in faults.clear(state=tmp_path)}
        assert (batch["state"], batch["rows"]) == ("scored", 600)
        assert [run["id"] for run in site.all("runs")] == ["bank-v1-a1"]
        assert site.runs_in_azure_ml("bank-v1-a1") == ["Completed"]
        assert site.all("failures") == []
    assert [each for each, hit in met.items() if not hit] == [], "an order that nothing met shows nothing"
    assert told.count("hit of") == len(ORDERS)
