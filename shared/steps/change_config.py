"""Change of the config document: choices that need no restart, by whom and why; what a budget holds back is due again."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from shared.domain.facts import ConfigChanged, RunDue
from shared.domain.live_choices import BUDGET, LiveChoices
from shared.procedures.dataset_head import HEAD
from shared.procedures.live_config import ALL, FRESH_SECONDS, LIVE_CONFIG
from shared.procedures.run_slot import SLOT
from shared.services import Services


def change_config(fact: ConfigChanged, services: Services) -> Iterable[RunDue]:
    """raises: Conflict when somebody changed it at the same moment"""
    before = services.ledger.documents.read(LIVE_CONFIG, ALL)
    choices = before.value if before else LiveChoices()
    if choices.operation != fact.operation:
        since = services.now().isoformat(timespec="milliseconds")
        after = choices.changed(
            fact.values, operation=fact.operation, by=fact.by, reason=fact.reason, since=since
        )
        services.ledger.documents.write(LIVE_CONFIG, ALL, after, over=before)
    if set(fact.values) & set(BUDGET):
        return [due for each in services.contracts for due in _waiting(each.dataset, fact, services)]
    return []


def _waiting(dataset: str, fact: ConfigChanged, services: Services) -> Iterable[RunDue]:
    """The newest version, if it has had no run: it may have one now. Later than any process reads the document."""
    head = services.ledger.documents.read(HEAD, dataset)
    slot = services.ledger.documents.read(SLOT, dataset)
    if head and (slot is None or slot.value.version < head.value.version):
        wait = ceil(FRESH_SECONDS) + 1
        cause = f"config-{fact.operation}"
        yield RunDue(dataset=dataset, version=head.value.version, cause=cause, after_seconds=wait)
