"""Dead letters: what is said of a fact whose step failed as often as it may, whoever finds that out."""

from __future__ import annotations

from shared.domain.facts import Fact, OutcomesArrived, RunMoved, ShardDue, StepDeadLettered, UploadArrived
from shared.domain.trace import Trace
from shared.services import Services

QUEUES: dict[type[Fact], str] = {
    UploadArrived: "blob-events",
    OutcomesArrived: "blob-events",
    RunMoved: "run-events",
    ShardDue: "shards",
}
"""The queue in which a fact first comes; the others come in `steps`."""


def given_up(fact: Fact, services: Services) -> StepDeadLettered | None:
    """How often the fact's step failed, and with what the last time; None while somebody is at it, or when it is done.

    The same whether the queue, the claim or a reconciliation finds out, so that a person sees it once. Until that is
    recorded the fact stays in the outbox as the reconciler's: whoever dies between the two is found by it, and only what
    a person was told of is taken from it (`Outbox.dead_letter`).
    """
    ledger = services.ledger
    entry = ledger.claims.find(fact.key)
    if entry and ledger.claims.is_held(entry):
        ledger.outbox.begin(fact, ())  # so that the reconciler sees what becomes of it
        return None
    if ledger.outbox.is_done(fact):
        return None
    reason, retries = "it failed at every delivery; the app's log says why", 0
    if entry and ledger.claims.was_claimed(entry):
        attempts, last = entry.value["attempt"], entry.value.get("last_error", "its worker died")
        reason = f"it failed {attempts} {'time' if attempts == 1 else 'times'}, the last time with {last}"
    if entry:
        retries = int(entry.value.get("retries", 0))
    queue = QUEUES.get(type(fact), "steps")
    trace = Trace.read(entry.value.get("trace")) if entry else fact.trace
    return StepDeadLettered(queue=queue, about=fact.key, reason=reason, retries=retries).in_trace(trace)
