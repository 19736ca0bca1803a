"""Malformed files of a thousand kinds, each through the whole step: each row is registered or put aside, once,
no value is that did not stand there, the outcome is a fact, and it is said where the fault is, and which rule is broken."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from typing import Any

import pyarrow.parquet as pq
import pytest
from flow.malformed import ALL, FAMILIES, NAMES, ROWS, Kind, everything, two_things_otherwise
from flow.world import World

from shared.domain import names
from shared.domain.facts import UploadAdmitted, UploadRejected

LEAST_KINDS = 1000
Reject = dict[str, Any]


def told(kind: Kind) -> list[str]:
    """What became of the file that should not have: nothing, if all is well."""
    world = World()
    dropped = world.drop("clients.csv", kind.data)
    world.deliver(dropped)
    facts = [*world.told(UploadAdmitted), *world.told(UploadRejected)]
    if len(facts) != 1:
        return [f"{kind.name}: {len(facts)} outcomes: {facts}"]
    [fact] = facts
    folder = names.quarantine_folder("clients.csv", dropped.etag)
    aside = _aside(world, folder)
    registered = _registered(world, fact) if isinstance(fact, UploadAdmitted) else []
    checks = {
        "values that stand in no row": Counter(registered) - Counter(ROWS),
        "rows that nothing was done to are lost": {ROWS[at] for at in kind.rows} - set(registered),
        "rows are registered that should not be": set(registered) - {ROWS[at] for at in kind.rows},
        **_refusal(kind, fact, world, folder),
        **_faults(kind, fact, aside),
    }
    return [f"{kind.name}: {what}: {wrong}" for what, wrong in checks.items() if wrong]


def _registered(world: World, fact: UploadAdmitted) -> list[tuple[str, ...]]:
    part = world.files.content(names.DATASETS, names.part_blob(fact.dataset, fact.content_hash))
    assert part is not None
    return [tuple(str(row[name]) for name in NAMES) for row in pq.read_table(io.BytesIO(part)).to_pylist()]


def _aside(world: World, folder: str) -> dict[int, Reject]:
    """By line what lies in quarantine."""
    listed = world.files.content(names.QUARANTINE, folder + names.REJECTS) or b""
    found = [json.loads(line) for line in listed.splitlines()]
    assert len({reject["line"] for reject in found}) == len(found)
    return {reject["line"]: reject for reject in found}


def _refusal(
    kind: Kind, fact: UploadAdmitted | UploadRejected, world: World, folder: str
) -> dict[str, object]:
    """Of a file that is to be refused as a whole: with a reason, and kept as it came."""
    if not kind.refused:
        return {"it was refused": isinstance(fact, UploadRejected) and kind.rows and fact.reason}
    if isinstance(fact, UploadAdmitted):
        return {"it was taken in": True}
    kept = world.files.content(names.QUARANTINE, folder + names.ORIGINAL)
    return {
        "it says nothing": len(fact.reason) < 20,
        "the reader failed": fact.reason.startswith("this file makes the reader fail") and fact.reason,
        "the file is not kept": kept != kind.data,
        f"it does not say {kind.says}": not re.search(kind.says, fact.reason) and fact.reason,
    }


def _faults(kind: Kind, fact: UploadAdmitted | UploadRejected, aside: dict[int, Reject]) -> dict[str, object]:
    """Of rows: each that is put aside is named by line, column, value, rule and remedy, and none is lost between."""
    if kind.refused or isinstance(fact, UploadRejected):
        return {}
    lines = _lines(kind.data)
    rules = [fault for reject in aside.values() for fault in reject["faults"]]
    said = " ".join(f"{fault['column']} {fault['rule']}" for fault in rules)
    wrong_cells = [
        (line, cell)
        for line, cell in kind.aside.items()
        if cell != ("?", "?") and line in aside and not _names(aside[line], *cell)
    ]
    return {
        "other lines are put aside": set(aside) ^ set(kind.aside) and sorted(aside),
        "the count is another": fact.rejected != len(kind.aside) and fact.rejected,
        "a line is shown otherwise than it stands": [
            line
            for line, reject in aside.items()
            if line <= len(lines) and not _same(reject["raw"], lines[line - 1])
        ],
        "column or value are not named": wrong_cells and rules,
        "a rule or its remedy is missing": [
            fault for fault in rules if not fault["rule"] or not fault["remedy"]
        ],
        f"it does not say {kind.says}": not re.search(kind.says, said) and said,
    }


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")


def _same(shown: str, line: bytes) -> bool:
    """Bytes that are no text, and NULs, are shown as escapes; very long lines are cut."""
    plain = line.decode("utf-8", "backslashreplace").rstrip("\r").replace("\0", "\\x00")
    return shown == plain or len(plain) > 60_000


def _names(reject: Reject, column: str, value: str) -> bool:
    """Whether a fault names the column and shows the value, or as much of it as is shown of any."""
    return any(
        fault["column"] == column and fault["value"].removesuffix("...") == value[: len(fault["value"].removesuffix("..."))]
        and (len(value) <= 200 or fault["value"].endswith("..."))
        for fault in reject["faults"]
    )  # fmt: skip


def test_there_are_as_many_kinds_as_are_claimed() -> None:
    kinds = list(everything())
    assert len({kind.data for kind in kinds}) >= LEAST_KINDS
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert sum(kind.rows != ALL for kind in kinds) >= 900  # most are more than odd ways to write


@pytest.mark.parametrize("family", FAMILIES)
def test_each_row_is_registered_or_put_aside_and_nothing_is_made_up(family: str) -> None:
    assert [fault for kind in FAMILIES[family]() for fault in told(kind)] == []


@pytest.mark.slow
def test_nor_where_two_things_are_written_otherwise() -> None:
    kinds = list(two_things_otherwise())
    assert len(kinds) > 1000
    assert [fault for kind in kinds for fault in told(kind)] == []
