"""The clocks: score, reconcile, retrain, experiment.

The schedules are settings; the next reconciliation makes up for a missed tick.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

import azure.functions as func

from functions.delivery import deliver, tick
from shared.domain.facts import ExperimentDue, ReconcileDue, RetrainDue, ScoringDue

clock = func.Blueprint()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@clock.timer_trigger(arg_name="timer", schedule="%SCORE_SCHEDULE%")
def scoring_due(timer: func.TimerRequest) -> None:
    tick(ScoringDue(tick=_now(), late=timer.past_due))


@clock.timer_trigger(arg_name="timer", schedule="%RECONCILE_SCHEDULE%")
def reconcile_due(timer: func.TimerRequest) -> None:
    tick(ReconcileDue(tick=_now()))


@clock.timer_trigger(arg_name="timer", schedule="%RETRAIN_SCHEDULE%")
def retrain_due(timer: func.TimerRequest) -> None:
    from shared import wiring

    now = _now()
    for contract in wiring.services().contracts:
        deliver(RetrainDue(dataset=contract.dataset, tick=now))


if os.environ.get("EXPERIMENT_SCHEDULE"):  # the host refuses a timer whose schedule is empty

    @clock.timer_trigger(arg_name="timer", schedule="%EXPERIMENT_SCHEDULE%")
    def experiment_due(timer: func.TimerRequest) -> None:
        from shared import wiring

        now = _now()
        for contract in wiring.services().contracts:
            deliver(ExperimentDue(dataset=contract.dataset, tick=now))
