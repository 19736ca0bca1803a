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


def dead_letter(fact: Fact, services: Services) -> StepDeadLettered:
    """Takes the fact from the reconciler, and says how often its step failed, and with what the last time.

    The same whether the queue, the claim or a reconciliation finds out, so that a person sees it once.
    """
    entry = services.ledger.claims.find(fact.key)
    reason = "it failed at every delivery; the app's log says why"
    if entry:
        attempts, last = entry.value["attempt"], entry.value.get("last_error", "its worker died")
        reason = f"it failed {attempts} {'time' if attempts == 1 else 'times'}, the last time with {last}"
    retries = services.ledger.outbox.dead_letter(fact)
    queue = QUEUES.get(type(fact), "steps")
    trace = Trace.read(entry.value.get("trace")) if entry else fact.trace
    return StepDeadLettered(queue=queue, about=fact.key, reason=reason, retries=retries).in_trace(trace)
