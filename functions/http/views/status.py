"""The whole at a glance: what serves, what runs, what came last, what needs a person. Sums are folded, not counted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from functions.http.views.alerts import dataset_freshness, notifier, open_alerts
from functions.http.views.concurrent_reads import both, together
from functions.http.views.config import changed_settings
from functions.http.views.records import shown
from functions.http.views.schemas import NEEDS_PERSON, NEWEST
from shared.domain.tables.contract import Contract
from shared.flow import FLOW, STEPS, Rule
from shared.kinds import BY_NAME
from shared.ledger import Present
from shared.ledger.outbox import Counted
from shared.procedures.dataset_head import HEAD
from shared.procedures.live_config import ALL as CONFIG
from shared.procedures.live_config import LIVE_CONFIG
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.procedures.run_slot import SLOT
from shared.procedures.work_pause import ALL, WORK_PAUSE
from shared.services import Services

Json = dict[str, Any]
SHOWN = 5


def summary(services: Services) -> Json:
    """Reads a fixed number of rows, however long the history is."""
    ledger = services.ledger
    present, newest = both(
        ledger.present,
        lambda: together(lambda kind: ledger.newest(kind, limit=SHOWN), [(kind,) for kind in NEWEST]),
    )
    tally = present.sums.tally
    counts = _counts(tally)
    pause = present.document(WORK_PAUSE, ALL)
    return {
        "asOf": services.now().isoformat(timespec="milliseconds"),
        "paused": pause is not None and pause.paused,
        "changedSettings": changed_settings(present.document(LIVE_CONFIG, CONFIG), services.policy),
        "attentionCount": sum(counts.get(kind, {}).get(state, 0) for kind, state in NEEDS_PERSON),
        "datasets": [_dataset(contract, present, services) for contract in services.contracts],
        "openAlerts": open_alerts(present, services),
        "notifier": notifier(present),
        "flow": [_rule(rule, present.counted) for rule in FLOW],
        "stateCounts": counts,
        "mendedCounts": dict(sorted(present.counted.mended.items())),
        **{
            BY_NAME[kind].plural: [shown(record) for record in found]
            for kind, found in zip(NEWEST, newest, strict=True)
        },
    }


def _dataset(contract: Contract, present: Present, services: Services) -> Json:
    name, tally = contract.dataset, present.sums.tally
    head, slot = present.document(HEAD, name), present.document(SLOT, name)
    released = present.document(RELEASED, name)
    return {
        "dataset": name,
        **({"version": head.version} if head else {}),
        **({"rows": head.rows} if head and head.state == "registered" else {}),
        "waitingUploads": tally.get(f"upload/admitted/{name}", 0),
        **({"serving": _serving(released)} if released else {}),
        **({"run": slot.run} if slot and slot.state != "free" else {}),
        "freshness": dataset_freshness(contract, present, services.now()),
    }


def _serving(released: ReleasedModel) -> Json:
    return {
        "version": released.version,
        "deployment": released.deployment,
        "endpoint": released.endpoint,
        "releasedAt": released.since,
    }


def _counts(tally: Mapping[str, int]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for name, number in tally.items():
        kind, state, _ = name.split("/", 2)
        of = counts.setdefault(kind, {})
        of[state] = of.get(state, 0) + number
    return counts


def _rule(rule: Rule, facts: Counted) -> Json:
    names = [fact.__name__ for fact in rule.when]
    counted = names if not all(fact.hint for fact in rule.when) else _led_to_by_it_alone(rule)
    return {
        "step": rule.do.__name__,
        "when": names,
        "leadsTo": [fact.__name__ for fact in rule.leads_to],
        "description": (sys.modules[rule.do.__module__].__doc__ or "").strip().partition("\n")[0],
        "doneCount": sum(facts.done[name] for name in counted),
        "openCount": sum(facts.open[name] for name in names),
    }


def _led_to_by_it_alone(rule: Rule) -> list[str]:
    """A step that handles hints leaves no trace of its own; it is counted by what nothing else leads to."""
    leading = Counter(fact for other in FLOW for fact in other.leads_to)
    return [fact.__name__ for fact in rule.leads_to if leading[fact] == 1 and fact in STEPS]
