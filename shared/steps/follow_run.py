"""Run tracking: a run's status and steps read from the workspace at a hint, and its end made a fact."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from shared.domain.facts import (
    BatchRunFinished,
    ExperimentFinished,
    Fact,
    RunFinished,
    RunMoved,
    RunProgressed,
)
from shared.domain.kinds.run import RUN, TERMINAL, WAITING
from shared.domain.kinds.state import Tone
from shared.ledger import Record
from shared.ports import RunView
from shared.procedures.ignored_runs import note_ignored
from shared.services import Services

log = logging.getLogger(__name__)


def follow_run(fact: RunMoved, services: Services) -> Iterable[Fact]:
    """Reads the run from the workspace: the event behind the hint may be late, early, or about a run not ours."""
    record = services.ledger.find("run", fact.run)
    if record is None:
        log.info("run %s is passed over: this ledger has not started it, or not noted it yet", fact.run)
        note_ignored(fact.run, services)
    if record is None or RUN.state(record.state).tone is not Tone.RUN:
        return
    view = services.workspace.run(fact.run)
    if view is not None:
        progress = _progress(view, record, services.now())
        if (progress.status, progress.steps) != (record.values.get("status"), record.values.get("steps")):
            yield progress
        if view.status in TERMINAL:
            yield _finished(record, view.status, view.error)
            return
    if _is_overdue(record, services):
        if view is not None:
            services.workspace.cancel_run(fact.run)
        minutes = services.policy.run_deadline_minutes
        yield _finished(record, "Failed", f"past its deadline of {minutes} minutes; cancelled")


def _progress(view: RunView, record: Record, now: datetime) -> RunProgressed:
    """What is seen of the run; a batch that it scores shows its steps too."""
    return RunProgressed(
        run=view.name,
        running=view.status not in TERMINAL and bool(view.steps),
        status=view.status,
        steps=_steps(view, record.values.get("steps", ()), now),
        batch=record.values.get("batch", ""),
    )


def _steps(view: RunView, noted: Iterable[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """The steps as they are, with their begin and end as far as they were seen.

    The workspace makes a pipeline's steps all at once and says when it made them: a step began when it was first seen
    at work, and the workspace's time is the best there is only for one that came and went unseen.
    """
    before = {step["name"]: step for step in noted}
    stamp = now.isoformat(timespec="milliseconds")
    steps = [asdict(step) for step in view.steps]
    for step in steps:
        seen = before.get(step["name"], {"started_at": None, "ended_at": None})
        if step["status"] in WAITING:
            step["started_at"] = None
        elif seen["started_at"] or step["status"] not in TERMINAL:
            step["started_at"] = seen["started_at"] or stamp
        if step["status"] in TERMINAL:
            step["ended_at"] = step["ended_at"] or seen["ended_at"] or stamp
    return steps


def _is_overdue(record: Record, services: Services) -> bool:
    age = services.now() - datetime.fromisoformat(record.created)
    return age > timedelta(minutes=services.policy.run_deadline_minutes)


def _finished(
    record: Record, status: str, reason: str
) -> RunFinished | BatchRunFinished | ExperimentFinished:
    values = record.values
    if "purpose" in values:
        return ExperimentFinished(
            run=record.id,
            dataset=values["dataset"],
            version=values["version"],
            purpose=values["purpose"],
            status=status,
            reason=reason[:1000],
        )
    if "batch" in values:
        return BatchRunFinished(
            run=record.id,
            batch=values["batch"],
            attempt=values["attempt"],
            status=status,
            reason=reason[:1000],
        )
    return RunFinished(
        run=record.id,
        dataset=values["dataset"],
        version=values["version"],
        status=status,
        reason=reason[:1000],
    )
