"""Where the seconds of the loop went, from the times that the app, the workspace and the model's server wrote down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

JOB_LINE = re.compile(r"^\[([^\]]+)\] step (\S+) (?:\(\S+\) (starts)|completed)$", re.MULTILINE)
"""Of a pipeline run's log in the workspace, `executionlogs.txt`."""
SERVER_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) .*Booting worker", re.MULTILINE)
"""Of a model server's log, in local time: the first one is when its libraries are loaded."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds of one sort."""

    what: str
    seconds: float


def entered(record: Mapping[str, Any], state: str) -> datetime:
    """When the record came into the state, the last time."""
    return max(datetime.fromisoformat(one["enteredAt"]) for one in record["history"] if one["state"] == state)


def of_training(
    lineage: Mapping[str, Any], dropped: datetime, *, run_log: str, server_log: str
) -> list[Spent]:
    """From the dropped file to the released model.

    run_log, server_log: what `JOB_LINE` and `SERVER_LINE` are found in; where they are not, a span is not divided
    """
    upload, dataset, run, model = (lineage[kind] for kind in ("upload", "dataset", "run", "model"))
    admitted, registered = entered(upload, "admitted"), entered(dataset, "registered")
    started, completed = entered(run, "started"), entered(run, "completed")
    accepted, released = entered(model, "accepted"), entered(model, "released")
    begun = entered(lineage["deployment"], "creating")
    jobs = [Spent(what=f"job {name}", seconds=seconds) for name, seconds in jobs_in(run_log)]
    between = (completed - started).total_seconds() - sum(job.seconds for job in jobs)
    ready = server_ready(server_log)
    return [
        _span("admission of files", dropped, admitted),
        _span("wait: the gather window", admitted, registered),
        _span("start of runs", registered, started),
        *jobs,
        Spent(what="between jobs, and until the app has seen the end", seconds=between),
        _span("verdicts, and begin of releases", completed, max(accepted, begun)),
        *_release(max(accepted, begun), ready, released),
    ]


def _release(begun: datetime, ready: datetime | None, released: datetime) -> list[Spent]:
    if ready is None or not begun <= ready <= released:
        return [_span("deployments, smoke tests, traffic", begun, released)]
    return [
        _span("cold start of deployments", begun, ready),
        _span("polls, smoke tests, traffic", ready, released),
    ]


def of_batch(batch: Mapping[str, Any], dropped: datetime) -> list[Spent]:
    """From the dropped file of clients to the sealed output."""
    due = entered(batch, "due")
    return [
        _span("wait: the clock of batch scoring", dropped, due),
        _span("scoring", due, entered(batch, "scored")),
    ]


def jobs_in(log: str) -> list[tuple[str, float]]:
    """The steps of a run and the seconds of each, from its start to the upload of its output."""
    began: dict[str, datetime] = {}
    found = []
    for moment, step, starts in JOB_LINE.findall(log):
        if starts:
            began[step] = datetime.fromisoformat(moment)
        elif step in began:
            found.append((step, (datetime.fromisoformat(moment) - began[step]).total_seconds()))
    return found


def server_ready(log: str) -> datetime | None:
    """When the server's first worker began; None when its log does not tell."""
    found = SERVER_LINE.search(log)
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").astimezone(UTC) if found else None


def _span(what: str, begin: datetime, end: datetime) -> Spent:
    return Spent(what=what, seconds=(end - begin).total_seconds())


def table(spent: Iterable[Spent], total: float) -> list[str]:
    """A line for each sort, in the order in which they first came, and what is not told of."""
    sums: dict[str, tuple[int, float]] = {}
    for one in spent:
        times, seconds = sums.get(one.what, (0, 0.0))
        sums[one.what] = (times + 1, seconds + one.seconds)
    rest = total - sum(seconds for _, seconds in sums.values())
    rows = [
        (f"{what}{f', {times} times' if times > 1 else ''}", seconds)
        for what, (times, seconds) in sums.items()
    ]
    rows += [("all else: the other files, uploads, the demo's own polls", rest), ("the whole loop", total)]
    return [f"  {what:<60} {seconds:6.1f} s" for what, seconds in rows]


def read(file: Path) -> str:
    """A log that is not there tells nothing."""
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
