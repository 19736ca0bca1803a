"""How the measures come to their figures and verdicts, over made-up measurements."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from unit.commands.made_history import made

from bench import embedded, endpoint, flow, latency, models, own_stack, scoring, status
from commands.stack import parts
from commands.stack.errors import StackError
from commands.stack.state import Stack
from shared.adapters.contracts import load_contracts
from shared.domain.tables.admission import check_rows

ROOT = Path(__file__).parents[3]


def met(goals: list[dict[str, Any]]) -> list[bool | None]:
    return [goal["met"] for goal in goals]


# --- latency ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("median", "p95", "memory", "expected"),
    [
        (500.0, 999.9, 200.0, [True, True, True]),
        (500.1, 1000.0, 200.1, [False, False, False]),
        (1.0, 1.0, None, [True, True, None]),
    ],
)
def test_latency_is_held_against_its_three_goals(
    median: float, p95: float, memory: float | None, expected: list[bool | None]
) -> None:
    rss = None if memory is None else {"sum": memory}
    assert met(latency._goals({"median": median, "p95": p95}, rss)) == expected


def test_the_p95_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(20, 0, -1)]
    assert latency._summary(values) == {"min": 1.0, "median": 10.5, "p95": 19.0, "max": 20.0}
    assert status._p95(values) == 19.0
    assert status._p95([7.0]) == 7.0


@pytest.mark.parametrize("text", ["0", "91", "-1", "many"])
def test_so_many_uploads_would_close_the_window(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 90"):
        latency._uploads(text)
    assert latency._uploads("90") == 90


def test_the_uploads_are_good_rows_of_the_contract_and_never_the_same() -> None:
    contracts = load_contracts(ROOT / "contracts")
    contents = set()
    for number in range(latency.MOST_UPLOADS):
        file = latency.bank_rows(latency.ROWS, start=number * latency.ROWS)
        admission = check_rows([file], contracts)
        assert list(admission.batches())
        assert (admission.problem, admission.tally.accepted, admission.tally.rejected) == (
            "",
            latency.ROWS,
            0,
        )
        contents.add(admission.tally.content_hash)
    assert len(contents) == latency.MOST_UPLOADS


LINE = '2026-11-24 09:00:01,250 INFO shared.flow: admit_upload begins. {"key": "%s"}\n'


def test_the_begin_of_a_step_is_read_from_the_hosts_log(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    log.write_text(
        'x\n2026-11-24 09:00:00,000 admit_upload begins. {"ke' + "\n" + LINE % "other" + LINE % "ours"
    )
    began = latency.HostLog(log).began("ours")
    assert began % 1 == pytest.approx(0.25)


def test_a_step_that_does_not_begin_ends_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "PATIENCE_SECONDS", 0.05)
    log = tmp_path / "host.log"
    log.write_text("the host could not start\n")
    with pytest.raises(StackError, match=r"ours was not admitted(.|\n)*the host could not start"):
        latency.HostLog(log).began("ours")


def test_a_bare_poller_measures_its_own_queue(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "BARE_POLL_SECONDS", 0.01)
    with latency.BarePoller(azurite) as bare:
        assert all(bare.measure(number) >= 0 for number in range(3))


# --- models -----------------------------------------------------------------------------------------------------


def test_the_search_is_said_to_have_taken_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not what it might have taken: it ends early where nothing is left to try."""
    file = tmp_path / "mine.csv"
    file.write_bytes(made((120, 100, 80)))
    monkeypatch.setattr(models, "_searched", lambda recipes, learned, seed, seconds: (recipes[0], learned))
    monkeypatch.setattr(
        models, "_tuned", lambda learned, asked, folder, seconds: (np.full(len(asked), 0.5), {"seconds": 1.0})
    )
    given = argparse.Namespace(data=file, seconds=3600.0, seed=1)
    found = models.run(given)["models"]
    assert 0 < found[models.OURS]["seconds"] < given.seconds


# --- scoring ----------------------------------------------------------------------------------------------------


def rate(rows_per_second: float) -> dict[str, float]:
    return {"rowsPerSecond": rows_per_second}


def test_scoring_is_held_against_the_limit_the_memory_and_the_rival() -> None:
    goals = scoring._goals(rate(600), rate(1000), rate(120), {"host": 399.0, "storage": 12.0})
    assert met(goals) == [True, True, True]
    assert [goal["measured"] for goal in goals] == [0.6, 399.0, 5.0]
    assert met(scoring._goals(rate(599), rate(1000), rate(120), {"host": 400.0})) == [False, False, False]
    assert len(scoring._goals(rate(1), rate(1), None, {"host": 1.0})) == 2


def test_the_chart_has_a_bar_for_the_rival_when_it_ran() -> None:
    with_rival = scoring._chart(10, rate(3), rate(4), rate(1))["bars"]
    assert [bar["value"] for bar in with_rival] == [3, 4, 1]
    assert [bar["value"] for bar in scoring._chart(10, rate(3), rate(4), None)["bars"]] == [3, 4]


def test_the_real_rows_come_again_and_again_each_with_its_own_id() -> None:
    lines = [b"id,age", b"0,30", b"1,41", b"2,52"]
    text = scoring._Lines(lines, 25_001).read()
    header, *rows = text.splitlines()
    assert header == b"id,age"
    assert rows[:4] == [b"0,30", b"1,41", b"2,52", b"3,30"]
    assert rows[-1] == b"25000,41"
    assert len(rows) == 25_001


def test_a_stream_is_the_same_in_pieces_of_any_size() -> None:
    lines = [b"id,age", b"0,30", b"1,41"]
    whole = scoring._Lines(lines, 12_000).read()
    stream, pieces = scoring._Lines(lines, 12_000), []
    while piece := stream.read(997):
        pieces.append(piece)
    assert b"".join(pieces) == whole
    assert {len(piece) for piece in pieces[:-1]} == {997}


def test_a_batch_that_does_not_end_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    class Never:
        def known(self, path: str) -> dict[str, Any]:
            return {}

    monkeypatch.setattr(scoring, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(StackError, match="trace/scoring/x did not come to an end"):
        scoring._wait(Never(), "trace/scoring/x", lambda found: None, ("scored",))  # type: ignore[arg-type]


# --- endpoint ---------------------------------------------------------------------------------------------------


def contestants(ours_ms: float, arrow_rows: float, json_rows: float, **rivals_ms: float) -> dict[str, Any]:
    one = {endpoint.OURS: ours_ms, **{name.replace("_", " "): ms for name, ms in rivals_ms.items()}}
    found: dict[str, Any] = {name: {"one record": {"p50Ms": ms}} for name, ms in one.items()}
    found[endpoint.OURS]["1,000 records"] = rate(json_rows)
    found[f"{endpoint.OURS}, Arrow"] = {"1,000 records": rate(arrow_rows)}
    return found


def test_the_endpoint_is_held_against_its_rivals() -> None:
    best = contestants(0.5, 300_000, 120_000, mlflow_models_serve=7.0)
    best[endpoint.USUAL] = {"one record": {"p50Ms": 4.0}}
    assert met(endpoint._goals(best)) == [True] * 5
    worse = contestants(0.51, 299_999, 119_999, mlflow_models_serve=7.0)
    worse[endpoint.USUAL] = {"one record": {"p50Ms": 4.0}}
    assert met(endpoint._goals(worse)) == [False] * 5
    assert len(endpoint._goals(contestants(0.5, 1, 1))) == 3


def test_rounds_come_to_their_median() -> None:
    taken = [{"p50Ms": ms, "perSecond": 1000 / ms} for ms in (4.0, 1.0, 2.0)]
    assert endpoint._median(taken, rows=10) == {
        "p50Ms": 2.0, "perSecond": 500.0, "rowsPerSecond": 5000, "p50MsOfRounds": [4.0, 1.0, 2.0],
    }  # fmt: skip


def test_the_chart_marks_ours_and_leaves_out_who_takes_no_single_record() -> None:
    bars = endpoint._chart(contestants(0.5, 1, 1, hello_on_that_server=0.4))["bars"]
    assert [(bar["label"], bar["value"], bar["ours"]) for bar in bars] == [
        (endpoint.OURS, 0.5, True),
        (endpoint.HELLO, 0.4, False),
    ]


def test_a_module_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(RuntimeError, match=r"bench\.no_such ended with 1:\n.*No module named bench\.no_such"):
        endpoint._run(sys.executable, "bench.no_such")


# --- embedded, status -------------------------------------------------------------------------------------------


def test_a_start_is_measured_against_its_goal() -> None:
    assert embedded._goal("host", 2.99, 3.0) == {"goal": "host", "measured": 2.99, "met": True}
    assert embedded._goal("host", 3.0, 3.0)["met"] is False


def test_a_call_is_measured_in_milliseconds() -> None:
    calls: list[int] = []
    found = embedded._measured(lambda: calls.append(1), 40)
    assert len(calls) == 40
    assert 0 <= found["medianMs"] <= found["p95Ms"] < 1000


def answers(calls: int, p95: float) -> dict[str, Any]:
    return {"answers": {what: {"calls": calls, "rowsRead": 3, "p95Ms": p95} for what in status.REQUESTS}}


def test_a_long_past_must_not_cost_more_calls() -> None:
    same = status._goals({"few": answers(4, 9.0), "many": answers(4, 9.0)})
    assert met(same) == [True] * 5
    more = status._goals({"few": answers(4, 9.0), "many": answers(5, 60.0)})
    assert met(more) == [False] * 5


# --- the machine ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_read_in_mib() -> None:
    now, most = (own_stack.process_memory(os.getpid(), figure) for figure in ("VmRSS", "VmHWM"))
    assert 10 < now <= most


@pytest.mark.parametrize("measure", [scoring, flow])
def test_a_part_is_known_by_how_it_is_started(measure: ModuleType, tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.prepare()
    started = {part.name: "\0".join(part.command(stack)) for part in parts.of(stack)}
    words = {name: word for name, word in measure.PARTS.items() if word.startswith("localazure")}
    assert len(words) == 2
    assert [name for name, word in words.items() if word not in started[name]] == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_a_part_that_has_ended_says_where_its_log_was(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.prepare()
    with pytest.raises(StackError, match=r"host has ended: what it said was in .*host\.log"):
        own_stack.memory_of(stack, "host", "VmRSS")
    assert own_stack.memory_by_part(stack, {"host": "no such program"}) == {"host": 0.0}
