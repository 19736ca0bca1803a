"""A draft as YAML that a person goes on writing: what to look at stands beside what it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from commands.drafting.draft import Draft, Drafted

WIDE = 110


def yaml_of(draft: Draft, source: str) -> str:
    return "\n".join(_lines(draft, source)) + "\n"


def _lines(draft: Draft, source: str) -> Iterator[str]:
    yield f"# A draft, made of {source}. Look at each line that has a comment, then take the comment out."
    yield f"dataset: {_text(draft.dataset)}"
    yield f"title: {_text(draft.title)}"
    yield from _remark(draft.target_note, "")
    yield f"target: {_flow(draft.target)}"
    if draft.mend:
        yield f"mend: {_flow(list(draft.mend))}"
    ignored = [each for each in draft.columns if each.body is None]
    if ignored:
        yield "ignored:"
        for each in ignored:
            yield f"  - {_text(each.name)}    # {each.note}"
    yield "columns:"
    for each in draft.columns:
        yield from _column(each)


def _column(column: Drafted) -> Iterator[str]:
    if column.body is None:
        return
    yield from _remark(column.note, "  ")
    line = f"  - {_flow(column.body)}"
    if len(line) <= WIDE:
        yield line
        return
    yield f"  - name: {_text(column.name)}"
    for name, value in column.body.items():
        if name != "name":
            yield f"    {name}: {_flow(value)}"


def _remark(note: str, indent: str) -> Iterator[str]:
    if note:
        yield f"{indent}# {note}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _text(value)


def _text(value: Any) -> str:
    """JSON's scalars are YAML's; every word is quoted, as YAML reads a bare no as false."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
