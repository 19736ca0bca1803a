"""The whole at a glance: what serves, what runs, what came last, what needs a person. Sums are kept, not counted."""

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
from shared.services import Services

Json = dict[str, Any]
SHOWN = 5
NEEDS_PERSON = [(kind.name, state.name) for kind in KINDS for state in kind.states if state.needs_person]


def summary(services: Services) -> Json:
    """Reads a fixed number of rows, however long the history is."""
    chronicle = services.ledger.chronicle
    present, done = both(services.ledger.present, services.ledger.done)
    newest = together(
        lambda kind: chronicle.newest(kind, limit=SHOWN, count=present.heads[kind].count),
        [(kind,) for kind in NEWEST],
    )
    tally = present.heads["event"].tally
    counts = _counts(tally)
    work = present.document("work", "now") or {}
    return {
        "now": services.now().isoformat(timespec="milliseconds"),
        "paused": bool(work.get("paused")),
        "attention": sum(counts.get(kind, {}).get(state, 0) for kind, state in NEEDS_PERSON),
        "datasets": [_dataset(contract, present, tally) for contract in services.contracts],
        "flow": [_rule(rule, *done) for rule in FLOW],
        "counts": counts,
        **{
            BY_NAME[kind].plural: [shown(r) for _, r in found]
            for kind, found in zip(NEWEST, newest, strict=True)
        },
    }


def _dataset(contract: Contract, present: Present, tally: Mapping[str, int]) -> Json:
    name = contract.dataset
    head, slot = present.document("head", name) or {}, present.document("slot", name)
    released = present.document("released", name)
    serving = released and {key: released[key] for key in ("version", "deployment", "endpoint", "since")}
    return {
        "dataset": name,
        "version": head.get("version"),
        **({"rows": head["rows"]} if "rows" in head else {}),
        "gathering": tally.get(f"upload/admitted/{name}", 0),
        "serving": serving,
        "run": slot["run"] if slot and slot["state"] != "free" else None,
    }


def _counts(tally: Mapping[str, int]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for name, number in tally.items():
        kind, state, _ = name.split("/", 2)
        of = counts.setdefault(kind, {})
        of[state] = of.get(state, 0) + number
    return counts


def _rule(rule: Rule, done: Mapping[str, int], open_now: list[str]) -> Json:
    names = [fact.__name__ for fact in rule.when]
    counted = names if not all(fact.hint for fact in rule.when) else _led_to_by_it_alone(rule)
    return {
        "do": rule.do.__name__,
        "when": names,
        "leads_to": [fact.__name__ for fact in rule.leads_to],
        "about": (sys.modules[rule.do.__module__].__doc__ or "").strip().partition("\n")[0],
        "count": sum(done.get(name, 0) for name in counted),
        "open": sum(open_now.count(name) for name in names),
    }


def _led_to_by_it_alone(rule: Rule) -> list[str]:
    """A step that only looks leaves no trace of its own; it is counted by what nothing else leads to."""
    leading = Counter(fact for other in FLOW for fact in other.leads_to)
    return [fact.__name__ for fact in rule.leads_to if leading[fact] == 1 and fact in STEPS]
