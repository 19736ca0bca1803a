"""`--json` is for programs: one document and nothing else, of every command that takes it, with the values people see."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from browser.fake_app import FakeApp

from commands import catalog

Run = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[3]
ALONE = {"storage", "workspace", "host"}
"""They are the embedded Azure's own programs, with its own options."""
CASES: dict[str, tuple[tuple[str, ...], Callable[[Any], object], object]] = {
    "status": ((), lambda said: said["attentionCount"], 6),
    "config": ((), lambda said: (said["version"], said["paused"]), (1, False)),
    "watch": (("--until-quiet",), lambda said: said["paused"], False),
    "trace": (("incoming/calls-2026-w45.csv",), lambda said: said["model"]["id"], "bank-additional:7"),
    "uploads": (("leads-from-crm.csv",), lambda said: said["state"], "rejected"),
    "datasets": (("bank-additional:7",), lambda said: said["version"], 7),
    "runs": (("--most", "1"), lambda said: [run["state"] for run in said["value"]], ["running"]),
    "models": (("bank-additional:7",), lambda said: said["metrics"]["logLoss"], 0.2817),
    "batches": (("to-call-november-csv-6f2c0a51", "--rows", "2"), lambda said: len(said["rows"]), 2),
    "quarantine": (("leads-from-crm.csv",), lambda said: said["upload"]["state"], "rejected"),
    "alerts": (
        ("--only", "raised"),
        lambda said: [one["name"] for one in said["value"]],
        ["file-late", "step-failed"],
    ),
    "failures": ((), lambda said: [one["state"] for one in said["value"]], ["dead-lettered"]),
    "events": (("--most", "2"), lambda said: len(said["value"]), 2),
    "audit": (("--verify",), lambda said: said, {"entries": 5, "brokenAt": None}),
    "predict": (("--set", "age=41"), lambda said: said["value"][0]["decision"], "call"),
    "logs": ((), lambda said: said, {"of": "campanha-bank-additional/model-7", "lines": ["one", "two"]}),
    "docs": ((), lambda said: said["addresses"][1]["name"], "swagger"),
}
"""Arguments, what of the document is looked at, and what it has to be."""
ELSEWHERE = {
    "bench": "bench/test_shown.py",
    "faults": "../../../localazure/tests/faults/test_faults.py",
    "snapshot": "../../story/test_snapshots.py",
    "chaos": "../../story/test_chaos.py",
    "approve": "test_acting.py",
    "experiment": "test_acting.py",
    "doctor": "test_doctor_and_clean.py",
    "env": "test_drop_and_env.py",
    "load-test": "test_load_test.py",
    "outcomes": "test_reading.py",
    "new-contract": "test_new_contract.py",
    "package": "test_packing.py",
    "release": "../../story/test_delivery.py",
    "replay": "test_replay.py",
    "playground": "test_playground.py",
    "site": "test_docs_site.py",
    "rollback": "test_acting.py",
    "simulate": "test_simulate.py",
    "vulnerabilities": "test_vulnerabilities.py",
}
"""They need more than the app; the file beside has their case."""


@pytest.fixture
def _quiet(app: FakeApp) -> None:
    """Nothing is under way, so that who waits for that is done at once."""
    for name in ("uploads", "datasets", "runs", "batches"):
        over = {"uploads": "registered", "datasets": "trained", "runs": "accepted", "batches": "scored"}[name]
        for record in app.collections[name]:
            record["state"] = over


@pytest.mark.parametrize("name", CASES)
def test_one_document_is_printed_and_nothing_else(
    run: Run, name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, looked_at, expected = CASES[name]
    if name == "watch":
        request.getfixturevalue("_quiet")
    if name == "logs":
        monkeypatch.setattr("commands.logs.workspace", lambda stack: Workspace())
    key = "an-admin" if name == "audit" else "an-operator"
    _, out, err = run(name, *arguments, "--json", key=key)
    assert looked_at(json.loads(out)) == expected
    assert err == ""


class Workspace:
    """Of the SDK, what the logs are asked of."""

    @property
    def online_deployments(self) -> Workspace:
        return self

    def get_logs(self, name: str, endpoint_name: str, lines: int) -> str:
        return "one\ntwo\n"


def help_of(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        import_module(f"commands.{name.replace('-', '_')}").main(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_command_says_what_it_is_for_and_who_takes_json_has_a_case(
    capsys: pytest.CaptureFixture[str],
) -> None:
    takes_json = set()
    for name in catalog.COMMANDS.keys() - ALONE - {"bench"}:
        said = help_of(name, capsys)
        assert said.startswith(f"usage: ./dev {name} ")
        if "--json" in said:
            takes_json.add(name)
    assert takes_json | {"bench"} == CASES.keys() | ELSEWHERE.keys()


IN_A_FRESH_CHECKOUT = """
import importlib, sys
sys.path.insert(0, "localazure/src")
for name in sys.argv[1:]:
    try:
        importlib.import_module("commands." + name.replace("-", "_")).main(["--help"])
    except SystemExit:
        pass
    except Exception as problem:
        print(name, repr(problem), file=sys.stderr)
"""


def test_every_command_helps_before_anything_is_installed() -> None:
    """`./dev NAME --help` sets nothing up, and runs with the system's Python where there is no `.venv`."""
    names = sorted(catalog.COMMANDS.keys() - ALONE)
    told = subprocess.run(
        [sys.executable, "-S", "-E", "-c", IN_A_FRESH_CHECKOUT, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    assert [name for name in names if f"usage: ./dev {name} " not in told.stdout] == []


@pytest.mark.parametrize("command", ["storage", "workspace", "host", "events serve"])
def test_a_part_alone_tells_its_own_options(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-S", "commands/__main__.py", *command.split(), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage:" in told.stdout
    assert "--state" in told.stdout
    assert told.stderr == ""
