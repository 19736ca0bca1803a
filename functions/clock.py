"""The clocks: score, reconcile, retrain, experiment.

The schedules are settings. A tick whose step fails is made up for by the next reconciliation; one that came while no
host ran, by the host itself once it runs again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func

from functions.delivery import deliver, tick
from shared.domain.facts import ExperimentDue, Fact, ReconcileDue, RetrainDue, ScoringDue

if TYPE_CHECKING:
    from shared.domain.tables.contract import Contract

clock = func.Blueprint()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _deliver_to_each(due: Callable[[str], Fact]) -> None:
    """Each dataset's, whatever becomes of another's. raises: what the first that failed did, after the last"""
    from shared import wiring
    from shared.procedures.isolation import each_by_itself

    def delivered(contract: Contract) -> Iterable[None]:
        deliver(due(contract.dataset))
        return ()

    list(each_by_itself(delivered, wiring.services().contracts))


@clock.timer_trigger(arg_name="timer", schedule="%SCORE_SCHEDULE%")
def scoring_due(timer: func.TimerRequest) -> None:
    tick(ScoringDue(tick=_now(), late=timer.past_due))


@clock.timer_trigger(arg_name="timer", schedule="%RECONCILE_SCHEDULE%")
def reconcile_due(timer: func.TimerRequest) -> None:
    tick(ReconcileDue(tick=_now()))


@clock.timer_trigger(arg_name="timer", schedule="%RETRAIN_SCHEDULE%")
def retrain_due(timer: func.TimerRequest) -> None:
    now = _now()
    _deliver_to_each(lambda dataset: RetrainDue(dataset=dataset, tick=now))


if os.environ.get("EXPERIMENT_SCHEDULE"):  # the host refuses a timer whose schedule is empty

    @clock.timer_trigger(arg_name="timer", schedule="%EXPERIMENT_SCHEDULE%")
    def experiment_due(timer: func.TimerRequest) -> None:
        now = _now()
        _deliver_to_each(lambda dataset: ExperimentDue(dataset=dataset, tick=now))
