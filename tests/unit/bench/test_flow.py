"""The bench of small files: what it counts, what it calls met, and what it prints."""

from __future__ import annotations

import copy
import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from bench import flow
from bench.bare_app import BareApp
from bench.storage_calls import Call, CallCount, call_of
from commands import ROOT

TABLES = ("campanha", "campanhanow")
ACCOUNT = "/devstoreaccount1"


def line(request: str, status: int = 200) -> str:
    return f'127.0.0.1 - - [28/Nov/2026:23:14:58 +0000] "{request} HTTP/1.1" {status} -'


@pytest.mark.parametrize(
    ("request_line", "call"),
    [
        (f"GET {ACCOUNT}/campanha(PartitionKey='a%2Fb',RowKey='c')", ("table", "get")),
        (f"GET {ACCOUNT}/campanhanow()?$filter=PartitionKey%20eq%20'now'", ("table", "rows")),
        (f"POST {ACCOUNT}/campanha", ("table", "insert")),
        (f"PUT {ACCOUNT}/campanha(PartitionKey='a',RowKey='b')", ("table", "replace")),
        (f"DELETE {ACCOUNT}/campanha(PartitionKey='a',RowKey='b')", ("table", "delete")),
        (f"POST {ACCOUNT}/$batch", ("table", "commit")),
        (f"GET {ACCOUNT}/steps/messages?numofmessages=2", ("queue", "receive")),
        (f"POST {ACCOUNT}/steps/messages?visibilitytimeout=10", ("queue", "send")),
        (f"DELETE {ACCOUNT}/steps/messages/7?popreceipt=x", ("queue", "delete")),
        (f"HEAD {ACCOUNT}/incoming/a/b.csv", ("blob", "head")),
        (f"GET {ACCOUNT}/datasets?restype=container&comp=list", ("blob", "get")),
    ],
)
def test_a_line_of_the_log_is_a_call_on_a_service(request_line: str, call: Call) -> None:
    assert call_of(line(request_line), TABLES) == call


def test_the_first_line_of_a_log_is_no_call() -> None:
    assert call_of("# access log 0b9e", TABLES) is None


def test_calls_are_counted_from_one_question_to_the_next_without_our_own_uploads(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(f"# access log {uuid.uuid4()}\n" + line(f"POST {ACCOUNT}/campanha") + "\n")
    count = CallCount(log, TABLES, dropped_into="incoming")
    with log.open("a") as written:
        for request in ("PUT {}/incoming/a.csv", "PUT {}/datasets/part", "POST {}/$batch", "POST {}/$batch"):
            written.write(line(request.format(ACCOUNT), 201) + "\n")
    assert count.new() == {("blob", "put"): 1, ("table", "commit"): 2}
    assert count.new() == {}


def burst(waiting: int, *, rate: float, table: int, dues: int = 1, p95: float = 300.0) -> flow.Json:
    calls: Counter[Call] = Counter({("table", "get"): 300 * table, ("queue", "send"): 900})
    figures = flow.figures(300, 300 / rate, calls, {"host": 30.0, "storage": 15.0, "events": 3.0})
    return {"waiting": waiting, **figures, "statusMs": {"p95": p95}, "datasetDues": dues}


def test_figures_are_for_one_file() -> None:
    found = burst(100, rate=25, table=20)
    assert (found["seconds"], found["filesPerSecond"]) == (12, 25)
    assert found["callsPerFile"] == {"queue": 3, "table": 20}
    assert found["cpuMsPerFile"] == {"host": 100, "storage": 50, "events": 10}
    assert found["calls"] == {"queue send": 900, "table get": 6000}


def met(few: flow.Json, many: flow.Json) -> list[bool]:
    return [goal["met"] for goal in flow.goals(few, many)]


def test_goals() -> None:
    good = burst(100, rate=25, table=20), burst(1000, rate=22, table=21)
    assert met(*good) == [True] * 5
    assert met(burst(100, rate=19, table=20), good[1]) == [False, True, True, True, True]
    assert met(good[0], burst(1000, rate=3, table=30, dues=400, p95=1500)) == [
        True,
        False,
        False,
        False,
        False,
    ]


@pytest.fixture
def results() -> flow.Json:
    few, many, limit = (burst(n, rate=rate, table=20) for n, rate in ((100, 25), (1000, 12), (0, 80)))
    del limit["waiting"]
    return {
        "machine": {"cores": 2, "python": "3", "platform": "L", "loadBefore": [1], "loadAfter": [2]},
        "few": few,
        "many": many,
        "limit": limit,
        "goals": flow.goals(few, many),
        "chart": flow.chart(300, few, many, limit),
    }


def test_what_is_printed(results: flow.Json, capsys: pytest.CaptureFixture[str]) -> None:
    flow.show(results)
    said = capsys.readouterr().out
    rates = [words.split("│")[1:3] for words in said.splitlines() if words.startswith("│")]
    shown = {label.strip(): rate.strip() for label, rate in rates}
    assert shown["100 waiting"] == "25"
    assert shown["1,000 waiting"] == "12"
    assert shown["the limit"] == "80"
    assert said.count("missed") == 1
    assert said.count("met") == 4


def test_the_chart_has_both_and_the_limit(results: flow.Json) -> None:
    bars = {bar["label"]: bar["value"] for bar in results["chart"]["bars"]}
    assert bars == {
        "Campanha, 100 waiting": 25,
        "Campanha, 1,000 waiting": 12,
        "the limit: a bare queue function": 80,
    }


class Api:
    """Answers as the app's summary does, each time with the next."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self._bodies = list(bodies)

    def get(self, path: str) -> dict[str, Any]:
        assert path == "status"
        return self._bodies.pop(0) if len(self._bodies) > 1 else copy.deepcopy(self._bodies[0])


def summary(admitted: int, **open_now: int) -> dict[str, Any]:
    rules = [
        {"when": [fact], "openCount": open_now.get(fact, 0)}
        for fact in ("UploadArrived", "UploadAdmitted", "DatasetDue")
    ]
    return {"stateCounts": {"upload": {"admitted": admitted}}, "flow": rules}


def test_all_are_there_once_nothing_they_lead_to_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(flow, "DASHBOARD_SECONDS", 0.001)
    api = Api(summary(2), summary(3, UploadAdmitted=1, DatasetDue=1), summary(3, DatasetDue=1))
    with flow.Dashboard(api) as dashboard:  # type: ignore[arg-type]
        flow._await(lambda: dashboard.shows_all(3), "three files")
    assert len(dashboard.taken) >= 3
    assert dashboard.open("DatasetDue") == 1


def test_the_bare_function_is_told_names_as_its_host_hands_them_over(tmp_path: Path) -> None:
    encoding = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]["messageEncoding"]
    queue = Mock()
    BareApp(tmp_path / "log", queue, Mock()).send("small-1.csv")
    (message,) = queue.send_message.call_args.args
    assert (encoding, message) == ("none", "small-1.csv")
