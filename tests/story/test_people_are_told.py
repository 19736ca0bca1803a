"""On real parts: a file that does not come is told to a webhook within a minute of its hour, and again when it came."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from story.running import QUICK, Running, bank
from stub_server import Answer, Request, stub_server

from commands.client.status_api import Client
from commands.stack import supervisor
from commands.stack.state import Packed, Stack

ROOT = Path(__file__).resolve().parents[2]
APP = (
    "functions",
    "shared",
    "contracts",
    "recipes",
    "serving",
    "web",
    "pipelines",
    "function_app.py",
    "host.json",
)
"""What the host runs: a copy, since the contract of this story expects a file in some minutes."""
AHEAD = timedelta(seconds=100)
"""The stack has to be up, and its reconciliation to have run for a while, before the hour."""


@dataclass
class Receiver:
    """Somebody's chat: keeps what it was sent, and when."""

    url: str = ""
    got: list[tuple[datetime, int, dict[str, Any]]] = field(default_factory=list)
    """When, with which status it was answered, and what."""
    refuses: int = 2
    """How many posts more it does not take."""

    def answer(self, request: Request) -> Answer:
        status = 503 if self.refuses else 202  # as Power Automate answers
        self.refuses -= bool(self.refuses)
        self.got.append((datetime.now(UTC), status, request.json))
        return Answer(status)

    @property
    def taken(self) -> list[tuple[datetime, str]]:
        """When, and the headline of each message that was taken."""
        return [
            (at, body["attachments"][0]["content"]["body"][0]["text"])
            for at, status, body in self.got
            if status == 202
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with stub_server(made.answer) as address:
        made.url = f"{address}/workflows/alerts"
        yield made


def _app(folder: Path, hour: datetime) -> Path:
    """The app with a contract that expects a file by the hour."""
    folder.mkdir()
    for name in APP:
        source = ROOT / name
        leave = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(source, folder / name, ignore=leave) if source.is_dir() else shutil.copy(
            source, folder / name
        )
    contract = folder / "contracts" / "bank.yaml"
    days = "[mon, tue, wed, thu, fri, sat, sun]"
    contract.write_text(
        contract.read_text(encoding="utf-8")
        + f'expects: {{time_zone: UTC, files: {{by: "{hour:%H:%M}", days: {days}, opens_hours: 1}}}}\n',
        encoding="utf-8",
    )
    return folder


@pytest.mark.slow
def test_a_file_that_does_not_come_is_told_within_a_minute_and_again_when_it_came(
    receiver: Receiver, tmp_path: Path
) -> None:
    soonest = datetime.now(UTC) + AHEAD
    hour = (soonest + timedelta(minutes=1)).replace(second=0, microsecond=0)
    stack = Stack(tmp_path / "state")
    stack.run_packed(Packed(app=_app(tmp_path / "app", hour), python=Path(sys.executable)))
    run = Running(stack)
    channels = json.dumps([{"type": "teams", "name": "on-call", "url": receiver.url}])
    try:
        run.up(
            **QUICK,
            ALERT_CHANNELS=channels,
            WEBHOOKS_ON_LOOPBACK="true",
            PUBLIC_URL=f"http://127.0.0.1:{stack.ports['host']}",
        )
        assert datetime.now(UTC) < hour - timedelta(seconds=45), (
            "the stack was up too late to be judged by then"
        )
        assert receiver.got == []
        _late(run, receiver, hour)
        _came(run, receiver)
        _nobody_can_be_told(run, receiver)
    finally:
        supervisor.down(stack)


def _late(run: Running, receiver: Receiver, hour: datetime) -> None:
    run.until(lambda: receiver.taken, "a message", seconds=(hour - datetime.now(UTC)).total_seconds() + 70)
    ((at, headline),) = receiver.taken
    assert headline == "[Page] An expected file has not come"
    assert timedelta() <= at - hour <= timedelta(minutes=1)
    assert [status for _, status, _ in receiver.got] == [503, 503, 202], "the first two tries failed"
    card = receiver.got[-1][2]["attachments"][0]["content"]
    link = card["actions"][0]["url"]
    (alert,) = _raised(run)
    assert link == f"http://127.0.0.1:{run.stack.ports['host']}/dashboard/#/alerts/{alert['id']}"
    page = requests.get(link, headers={"Accept": "text/html"}, timeout=60)
    assert "signin" in page.url, (
        "whoever is not signed in yet signs in, and comes to the alert: the browser keeps what is after #"
    )
    (dataset,) = [one for one in run.get("status")["datasets"] if one["dataset"] == "bank"]
    (fresh,) = dataset["freshness"]
    assert (fresh["state"], fresh["dueAt"][:16]) == ("late", f"{hour:%Y-%m-%dT%H:%M}")


def _came(run: Running, receiver: Receiver) -> None:
    header, rows = bank()
    run.drop("incoming", "monday.csv", [header, *rows[:60]])
    run.until(
        lambda: len(_of_the_file(receiver)) == 2, "the second message", seconds=90, at=lambda: receiver.taken
    )
    assert _of_the_file(receiver) == [
        "[Page] An expected file has not come",
        "[Over] An expected file has not come",
    ]
    time.sleep(35)  # two reconciliations and more: nothing is told twice
    assert len(_of_the_file(receiver)) == 2
    assert "file-late" not in [alert["name"] for alert in _raised(run)]
    assert "over" in run.says("alerts")


def _of_the_file(receiver: Receiver) -> list[str]:
    """No pipeline is published here, so that a run fails after the file came, of which a person is told as well."""
    return [said for _, said in receiver.taken if "expected file" in said]


def _nobody_can_be_told(run: Running, receiver: Receiver) -> None:
    receiver.refuses = 10**6
    tested = _dev(run, "alerts", "--test")
    assert tested.returncode == 1
    assert "on-call answered 503" in tested.stdout
    run.send("steps", "no fact at all")  # is the matter, and cannot be told
    run.until(
        lambda: "alerts:notifier" in run.get("health")["checks"], "that nobody can be told", seconds=150
    )
    (check,) = run.get("health")["checks"]["alerts:notifier"]
    assert check["output"] == "nobody can be told of alerts: on-call answered 503"
    assert run.get("status")["notifier"]["status"] == "fail"
    receiver.refuses = 0
    assert _dev(run, "alerts", "--test").returncode == 0
    run.until(
        lambda: "[Page] A step was given up" in [said for _, said in receiver.taken],
        "what waited",
        seconds=60,
    )
    run.until(lambda: run.get("status")["notifier"]["status"] == "pass", "a channel that works", seconds=30)


def _raised(run: Running) -> list[dict[str, Any]]:
    return Client.of(run.stack).listed("alerts", most=10, state="raised")


def _dev(run: Running, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "commands", *command, "--state", str(run.stack.state)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
