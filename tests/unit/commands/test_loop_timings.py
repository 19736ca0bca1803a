"""Where the loop's seconds went: each span once, none invented, and what nobody wrote down told as the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.client import loop_timings
from commands.client.loop_timings import Spent

DROPPED = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    return (DROPPED + timedelta(seconds=seconds)).isoformat()


def record(**entered: float) -> dict[str, Any]:
    return {"history": [{"state": state, "enteredAt": at(seconds)} for state, seconds in entered.items()]}


LINEAGE = {
    "upload": record(arrived=0.2, admitted=1, registered=4),
    "dataset": record(registered=3, training=4),
    "run": record(started=3.5, running=4, completed=14, accepted=15),
    "model": record(accepted=15, releasing=15.5, released=22),
    "deployment": record(creating=15.5, serving=22),
}
RUN_LOG = f"""\
[{at(4)}] step prepare (e821a9ad-c40a) starts
[{at(6)}] step prepare completed
a line of somebody else
[{at(6)}] step train (ac5c15c4-1ccb) starts
[{at(9.5)}] step train completed
[{at(10)}] step register (ac5c15c4-1ccb) starts
"""


def server_log(seconds: float) -> str:
    moment = (DROPPED + timedelta(seconds=seconds)).astimezone()
    line = (
        moment.strftime("%Y-%m-%d %H:%M:%S,")
        + f"{moment.microsecond // 1000:03d} I [7] gunicorn.error - Booting worker"
    )
    return f"Server Settings\n{line} with pid: 8\nlater {line} with pid: 9\n"


def test_every_second_from_the_file_to_the_model_is_in_one_span() -> None:
    spent = loop_timings.of_training(LINEAGE, DROPPED, run_log=RUN_LOG, server_log=server_log(20.25))
    assert {one.what: one.seconds for one in spent} == {
        "admission of files": 1,
        "wait: the gather window": 2,
        "start of runs": 0.5,
        "job prepare": 2,
        "job train": 3.5,
        "between jobs, and until the app has seen the end": 5,
        "verdicts, and begin of releases": 1.5,
        "cold start of deployments": 4.75,
        "polls, smoke tests, traffic": 1.75,
    }
    assert sum(one.seconds for one in spent) == 22


@pytest.mark.parametrize("log", ["", "no such line", server_log(60)])
def test_a_server_that_does_not_tell_when_it_was_there_is_not_guessed_at(log: str) -> None:
    spent = loop_timings.of_training(LINEAGE, DROPPED, run_log="", server_log=log)
    assert spent[-1] == Spent(what="deployments, smoke tests, traffic", seconds=6.5)
    assert sum(one.seconds for one in spent) == 22


def test_a_batch_waits_for_the_clock_and_is_scored() -> None:
    spent = loop_timings.of_batch(record(due=4, scoring=4.1, scored=6), DROPPED)
    assert [(one.what, one.seconds) for one in spent] == [
        ("wait: the clock of batch scoring", 4),
        ("scoring", 2),
    ]


def test_spans_of_a_sort_are_added_and_the_rest_is_told() -> None:
    spent = [Spent(what="job", seconds=1), Spent(what="wait", seconds=2), Spent(what="job", seconds=3)]
    lines = [" ".join(line.split()) for line in loop_timings.table(spent, 10)]
    assert lines[:2] == ["job, 2 times 4.0 s", "wait 2.0 s"]
    assert lines[2].startswith("all else")
    assert lines[2].endswith(" 4.0 s")
    assert lines[3] == "the whole loop 10.0 s"


def test_a_log_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert loop_timings.read(tmp_path / "none.txt") == ""
