"""The whole at a glance: what serves, what runs, what came last, what needs a person. Sums are folded, not counted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from functions.http.views.concurrent_reads import both, together
from functions.http.views.records import shown
from functions.http.views.schemas import NEWEST
from shared.domain.tables.contract import Contract
from shared.flow import FLOW, STEPS, Rule
from shared.kinds import BY_NAME, KINDS
from shared.ledger import Present
from shared.ledger.outbox import Counted
from shared.procedures.dataset_head import HEAD
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.procedures.run_slot import SLOT
from shared.procedures.work_pause import ALL, WORK_PAUSE
from shared.services import Services

Json = dict[str, Any]
SHOWN = 5
NEEDS_PERSON = [(kind.name, state.name) for kind in KINDS for state in kind.states if state.needs_person]


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
        "now": services.now().isoformat(timespec="milliseconds"),
        "paused": pause is not None and pause.paused,
        "attention": sum(counts.get(kind, {}).get(state, 0) for kind, state in NEEDS_PERSON),
        "datasets": [_dataset(contract, present, tally) for contract in services.contracts],
        "flow": [_rule(rule, present.counted) for rule in FLOW],
        "counts": counts,
        **{
            BY_NAME[kind].plural: [shown(record) for record in found]
            for kind, found in zip(NEWEST, newest, strict=True)
        },
    }


def _dataset(contract: Contract, present: Present, tally: Mapping[str, int]) -> Json:
    name = contract.dataset
    head, slot = present.document(HEAD, name), present.document(SLOT, name)
    return {
        "dataset": name,
        "version": head.version if head else None,
        **({"rows": head.rows} if head and head.state == "registered" else {}),
        "gathering": tally.get(f"upload/admitted/{name}", 0),
        "serving": _serving(present.document(RELEASED, name)),
        "run": slot.run if slot and slot.state != "free" else None,
    }


def _serving(released: ReleasedModel | None) -> Json | None:
    if released is None:
        return None
    return {name: getattr(released, name) for name in ("version", "deployment", "endpoint", "since")}


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
        "do": rule.do.__name__,
        "when": names,
        "leads_to": [fact.__name__ for fact in rule.leads_to],
        "about": (sys.modules[rule.do.__module__].__doc__ or "").strip().partition("\n")[0],
        "count": sum(facts.done[name] for name in counted),
        "open": sum(facts.open[name] for name in names),
    }


def _led_to_by_it_alone(rule: Rule) -> list[str]:
    """A step that handles hints leaves no trace of its own; it is counted by what nothing else leads to."""
    leading = Counter(fact for other in FLOW for fact in other.leads_to)
    return [fact.__name__ for fact in rule.leads_to if leading[fact] == 1 and fact in STEPS]
