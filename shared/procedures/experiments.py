"""A dataset's experiments: one at a time for each purpose, one for each dataset version, within the time of the day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain import names
from shared.domain.facts import ExperimentFailed, ExperimentFinished
from shared.errors import Conflict
from shared.ledger import Document
from shared.procedures.submission import Intent
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Experiment(Intent):
    """The experiment that is to be, or was, submitted last: `intended` before the POST, `submitted` after, then `free`."""

    dataset: str
    purpose: str
    version: int
    attempt: int
    seconds: float
    """That it may search; once it is over, that it did."""
    day: str
    spent: float
    """Seconds of that day, its own included."""
    failed: bool = False
    """Whether it came to nothing, so that a retry may make another for the same version."""

    @property
    def name(self) -> str:
        """That we chose for its run."""
        return names.experiment_run_name(self.purpose, self.dataset, self.version, self.attempt)

    @property
    def part(self) -> str:
        """Where it is stored."""
        return part_of(self.dataset, self.purpose)


EXPERIMENT = Document(name="experiment", type=Experiment, placement="standing")
"""One per dataset and purpose."""


def part_of(dataset: str, purpose: str) -> str:
    return f"{dataset}--{purpose}"


def spent_today(dataset: str, services: Services) -> float:
    """Seconds that the dataset's experiments were given today, less those that they did not need."""
    today = day_of(services.now())
    there = [one.value for one in services.ledger.documents.read_all(EXPERIMENT)]
    return sum(one.spent for one in there if one.dataset == dataset and one.day == today)


def failed(experiment: Experiment | ExperimentFinished, reason: str) -> ExperimentFailed:
    return ExperimentFailed(
        run=experiment.run,
        dataset=experiment.dataset,
        version=experiment.version,
        purpose=experiment.purpose,
        reason=reason[:1000],
    )


def day_of(moment: datetime) -> str:
    return moment.date().isoformat()


def close(
    dataset: str, purpose: str, run: str, services: Services, *, seconds: float | None, failed: bool
) -> None:
    """Lets the next one begin; what it did not need of its time is the day's again.

    run: the workspace's name for it
    seconds: that it searched; None where it failed, so that all it was given is gone, if it began at all
    """
    documents, part = services.ledger.documents, part_of(dataset, purpose)
    held = documents.read(EXPERIMENT, part)
    if held is None or held.value.run != run or held.value.state == "free":
        return
    given = held.value
    most = given.seconds if given.state == "submitted" else 0.0
    used = most if seconds is None else min(seconds, most)
    freed = replace(
        given, state="free", failed=failed, seconds=used, spent=given.spent - given.seconds + used
    )
    try:
        documents.write(EXPERIMENT, part, freed, over=held)
    except Conflict:
        close(dataset, purpose, run, services, seconds=seconds, failed=failed)
