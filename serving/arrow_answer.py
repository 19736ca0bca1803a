"""A scoring request in Arrow answered, and what is wrong with its rows: also for runs on a cluster, which know no JSON."""

from __future__ import annotations

from serving import arrow
from serving.explain import reasons
from serving.model import Model
from serving.payload import BadRequest
from serving.rules import Broken


def arrow_answer(model: Model, body: bytes, *, refuse: bool = False) -> bytes:
    """An Arrow stream for an Arrow stream. raises: BadRequest, BadValue, MixedList"""
    matrix, broken, most = arrow.checked(body, model.inputs, model.list_columns)
    problems = problems_of(broken, len(matrix), refuse=refuse)
    return arrow.written(
        model.scores(matrix),
        model=model.name,
        version=model.version,
        problems=problems,
        explained=reasons(model, matrix, most) if most else None,
    )


def problems_of(broken: Broken, rows: int, *, refuse: bool) -> dict[int, str]:
    """By row: all that is wrong with it. A refusal names the first rule that is broken, and no value: it may be kept."""
    if broken and refuse:
        first = min(broken)
        raise BadRequest(
            "BrokenRows",
            f"{len(broken)} of {rows} rows break the contract; the first is row {first}: {broken[first][0].rule_only}",
        )
    return {row: "; ".join(fault.message for fault in faults) for row, faults in broken.items()}
