"""End of a training run, good or bad: its dataset's run slot is freed, and the next version's run becomes due."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import (
    Fact,
    ModelRefused,
    ModelReleased,
    ModelUndecided,
    ReleaseHeld,
    ReleaseRolledBack,
    RunDue,
    RunFailed,
)
from shared.procedures.dataset_head import HEAD
from shared.procedures.run_slot import free_slot, wanted_after
from shared.services import Services


def close_run(
    fact: ModelReleased | ModelRefused | ModelUndecided | ReleaseHeld | ReleaseRolledBack | RunFailed,
    services: Services,
) -> Iterable[Fact]:
    """Frees the slot, then checks whether a newer version was registered while the run was under way.

    In this order: a version registered before the slot was free finds its own run postponed, but is seen here;
    one registered after finds the slot free. No wake-up is lost in between.
    """
    slot = free_slot(fact.dataset, fact.run, services, failed=isinstance(fact, RunFailed))
    head = services.ledger.documents.read(HEAD, fact.dataset)
    if slot is None or head is None or head.value.state != "registered":
        return []
    newest = head.value.version
    if newest <= slot.version:
        return []
    wanted = wanted_after(slot.version, fact.dataset, services)
    due = RunDue(
        dataset=fact.dataset, version=newest, cause=fact.run, asked=wanted.asked, drifted=wanted.drifted
    )
    return [due]
