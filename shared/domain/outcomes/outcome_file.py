"""A file of outcomes: which rows of a batch it speaks of, and what calling them brought.

    outcomes = OutcomeFile.of(header, plan)         # or raises WrongFile, with what to do
    for block in read_blocks(rest, header):
        outcomes.add(block)
    outcomes.answers                                # one for each row or client, the last line that speaks of it

A line names its row by the number that call lists have (`row`), by what came through scoring unread (the columns of the
file of clients that no contract knows, such as a client's key), or by both, which then have to agree. Faults cost their
line, and no other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.tables.contract import Column, listed
from shared.domain.tables.csv_reader import Block
from shared.domain.tables.dialect import Header
from shared.domain.tables.header_match import renamed
from shared.domain.tables.unreadable import UnreadableFile
from shared.domain.tables.values import LONGEST_SHOWN, Fault, Judged

BATCH, CALLED = "batch", "called"
OURS = frozenset((names.ROW, BATCH, CALLED))
"""Columns that mean something to us, unless the file of clients has one of that name."""
SPELLINGS = (("true", "yes"), ("1", "yes"), ("false", "no"), ("0", "no"))
MOST_FAULTS = 1000
"""Faults that are told one by one; all are counted."""
MOST_ANSWERS = 2_000_000
"""Rows that one file speaks of: they are held in memory, some 100 bytes each."""
SEPARATOR = "\x1f"
"""Between the parts of a key of several columns; source: ASCII, unit separator."""


class WrongFile(UnreadableFile):
    """No line of the file can be used; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class LineFault:
    """A line that is not used."""

    line: int
    column: str
    value: str
    rule: str
    remedy: str

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "value": self.value[:LONGEST_SHOWN]}

    @property
    def message(self) -> str:
        """Without the value, which may be a client's."""
        column = f", column {self.column}" if self.column else ""
        return f"line {self.line}{column}: {self.rule} ({self.remedy})"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a line says of a row."""

    line: int
    deposit: bool
    called: bool


def key_columns(plan: BatchPlan) -> tuple[str, ...]:
    """The columns of the batch's file that went through scoring unread."""
    header, known = plan.cut.header, plan.cut.contract.known("scoring")
    twice = {name for name, count in Counter(header.names).items() if count > 1}
    return tuple(
        name
        for name, meant in zip(header.names, header.columns, strict=True)
        if meant not in known and name and name not in twice
    )


@dataclass(kw_only=True)
class OutcomeFile:
    """The answers of one file, while it is read."""

    batch: str
    ours: frozenset[str]
    """Which of `OURS` the file has and the batch's own file has not: what is in that went through scoring as it was."""
    key: tuple[str, ...]
    """The columns by which a line names its row; `names.ROW` is its number."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """By key, its parts between `SEPARATOR`."""
    faults: list[LineFault] = field(default_factory=list)
    rejected: int = 0
    blank: int = 0
    """Lines whose answer is empty: nothing is known yet."""
    repeated: int = 0
    """Lines of which a later one speaks of the same row."""
    _places: Mapping[str, int] = field(default_factory=dict)
    _target: Judged
    _called: Judged
    _positive: str

    @classmethod
    def of(cls, header: Header, plan: BatchPlan) -> Self:
        """raises: WrongFile"""
        contract = plan.cut.contract
        known, _ = renamed(header.names, contract, "training")
        twice = [name for name, count in Counter(known).items() if count > 1]
        if twice:
            raise WrongFile(
                f"line {header.line}, the header, has {listed(twice)} more than once; leave one of them"
            )
        if contract.target not in known:
            raise WrongFile(
                f"line {header.line}, the header, has no column {contract.target!r}: it says for each row whether a"
                f" deposit came of it ({listed(contract.target_values)})"
            )
        theirs = {*plan.cut.header.names, *plan.cut.header.columns, contract.target}
        ours = OURS.intersection(known) - theirs
        yes_no = Column(name=CALLED, type="category", values=("no", "yes"), spellings=SPELLINGS)
        return cls(
            batch=plan.batch,
            ours=ours,
            key=_key(header, known, plan, ours),
            _places={name: at for at, name in enumerate(known)},
            _target=Judged(contract.target_column, mend=("blanks", "case", *contract.mend)),
            _called=Judged(yes_no, mend=("blanks", "case")),
            _positive=contract.positive,
        )

    @property
    def numbered(self) -> bool:
        """Whether lines name their row by its number."""
        return names.ROW in self.ours

    def add(self, block: Block) -> None:
        """raises: WrongFile when the file says more than fits"""
        for broken in block.broken:
            self.reject(
                LineFault(
                    line=broken.line, column="", value=broken.raw, rule=broken.rule, remedy=broken.remedy
                )
            )
        for line, cells in zip(block.lines, block.rows, strict=True):
            self._take(line, cells)
        if len(self.answers) > MOST_ANSWERS:
            raise WrongFile(f"it speaks of more than {MOST_ANSWERS:,} rows; drop it in several files")

    def reject(self, fault: LineFault) -> None:
        self.rejected += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def _take(self, line: int, cells: list[str]) -> None:
        target = cells[self._places[self._target.column.name]].strip()
        if not target:
            self.blank += 1
            return
        fault = self._fault(line, cells, target)
        if fault:
            self.reject(fault)
            return
        key = SEPARATOR.join(self._part(name, cells[self._places[name]].strip()) for name in self.key)
        called = self._called[cells[self._places[CALLED]] if CALLED in self.ours else "yes"]
        self.repeated += key in self.answers
        self.answers[key] = Answer(
            line=line, deposit=self._target[target] == self._positive, called=called == "yes"
        )

    def _part(self, name: str, text: str) -> str:
        return str(int(text)) if self._is_number(name) else text

    def _is_number(self, name: str) -> bool:
        return name == names.ROW and self.numbered

    def _fault(self, line: int, cells: list[str], target: str) -> LineFault | None:
        """What is wrong with a line; the first thing."""
        of_batch = cells[self._places[BATCH]].strip() if BATCH in self.ours else self.batch
        if of_batch != self.batch:
            rule = f"another batch than {self.batch}, of which the file is"
            return _told(line, BATCH, of_batch, rule, "drop a file for each batch")
        first, *others = (cells[self._places[name]].strip() for name in self.key)
        if not first and (self.numbered or not any(others)):
            return _told(line, self.key[0], "", "empty", "say of which row the line is")
        if self.numbered and not (first.isascii() and first.isdigit() and len(first) <= 18):
            return _told(line, names.ROW, first, "no row's number", "write the number that the call list has")
        judged = {self._target.column.name: self._target[target]}
        if CALLED in self.ours:
            judged[CALLED] = self._called[cells[self._places[CALLED]]]
        for name, value in judged.items():
            if isinstance(value, Fault):
                return _told(line, name, value.value, value.rule, value.remedy)
        return None

    def unmatched(self, key: str, hits: int) -> LineFault:
        """The fault of an answer that is of no row, or of several."""
        answer, value = self.answers[key], key.replace(SEPARATOR, ", ")
        column = ", ".join(self.key)
        if not hits:
            rule = f"of no row of batch {self.batch}"
            if self.numbered and len(self.key) > 1:
                rule = f"{rule}: the row of that number has another {listed(self.key[1:])}"
            return _told(answer.line, column, value, rule, "correct it, or name the batch that it is of")
        rule = f"of {hits} rows of batch {self.batch}"
        return _told(
            answer.line, column, value, rule, f"name the one row by its number: column {names.ROW!r}"
        )


def batch_of(name: str, header: Header, first: Block | None) -> str:
    """The batch that a file speaks of: the folder it lies in, else what its first line says under `batch`.

    name: the file's, in its container. raises: WrongFile
    """
    folder, _, rest = name.partition("/")
    if rest:
        return folder
    if BATCH in header.names and first is not None and first.rows:
        found = first.rows[0][header.names.index(BATCH)].strip()
        if re.fullmatch(names.BATCH_ID, found):
            return found
        if found:  # whatever stands there may be a client's: it is not repeated
            raise WrongFile(
                f"its first line says under {BATCH!r} what is no batch's id: write it as `./dev batches` lists it, or,"
                f" where the file of clients has such a column, drop the file as {names.OUTCOMES}/BATCH/{name}"
            )
    raise WrongFile(
        f"nothing says of which batch it is: drop it as {names.OUTCOMES}/BATCH/{name}, or give it a column {BATCH!r}"
    )


def _key(header: Header, known: tuple[str, ...], plan: BatchPlan, ours: frozenset[str]) -> tuple[str, ...]:
    through = key_columns(plan)
    key = ((names.ROW,) if names.ROW in ours else ()) + tuple(name for name in through if name in known)
    if key:
        return key
    by = f", or {listed(through)} as in the file of clients" if through else ""
    raise WrongFile(
        f"line {header.line}, the header, names no row: give the lines a column {names.ROW!r} with the number of the row"
        f" in {names.SCORED}/{names.scored_blob(plan.batch)}, the first being 1{by}"
    )


def _told(line: int, column: str, value: str, rule: str, remedy: str) -> LineFault:
    return LineFault(line=line, column=column, value=value, rule=rule, remedy=remedy)
