"""End of an experiment, good or bad: the dataset's next one may begin, and unused time is the day's again."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import ExperimentFailed, Fact, NothingFound, RecipeFound, RivalJudged
from shared.procedures import experiments
from shared.services import Services


def close_experiment(
    fact: RecipeFound | NothingFound | RivalJudged | ExperimentFailed, services: Services
) -> Iterable[Fact]:
    failed = isinstance(fact, ExperimentFailed)
    seconds = None if isinstance(fact, ExperimentFailed) else fact.seconds
    experiments.close(fact.dataset, fact.purpose, fact.run, services, seconds=seconds, failed=failed)
    return []
