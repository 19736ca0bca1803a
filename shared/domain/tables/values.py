"""Turns a cell's text into its typed value, or says which rule it breaks; each text is judged once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from shared.domain.tables.contract import MENDS, Column, Mend

MOST_REMEMBERED = 1 << 16
"""Distinct texts remembered for each column; beyond that, all are forgotten: it is cheap to start anew."""
MOST_FAULTS = 1_000
"""Distinct texts at fault remembered for each column: the first, since the same ones come again."""
LONGEST_SHOWN = 200
LONGEST_CATEGORY = 100

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
WHOLE = re.compile(r"[+-]?[0-9]{1,18}\.0*")
_LONGEST_NUMBER = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A rule a record breaks: in which column, with what value, and what to do about it."""

    column: str
    """Empty when the record as a whole is at fault."""
    value: str
    rule: str
    """In words, without the value: equal faults count together."""
    remedy: str

    @property
    def message(self) -> str:
        where = f"{self.column}: " if self.column else ""
        value = f"{self.value!r} is " if self.column and self.value else ""
        return f"{where}{value}{self.rule} ({self.remedy})"

    def to_json(self) -> dict[str, str]:
        return asdict(self)


class Judged(dict[str, Any]):
    """Texts of one column and their values; looking up a text that breaks a rule gives a `Fault`.

    A dict, because `map(judged.__getitem__, texts)` then runs at a dict's speed for texts seen before.
    """

    def __init__(self, column: Column, *, waived: bool = False, mend: Collection[Mend] = ()) -> None:
        """waived: what breaks the contract, mended, is any value of the column's type; mend: what the contract lets be
        mended"""
        super().__init__()
        self.mended: dict[str, tuple[str, ...]] = {}
        """Texts that were mended, each with what was; for the caller to count and, when there are many, to clear."""
        self._mend = frozenset(mend)
        self.column = column
        self.faulty = False
        """Set whenever a fault is given out (it is no value of the dictionary); cleared by the caller."""
        self._faults: dict[str, Fault] = {}
        self._judges = (judge(column), judge_leniently(column)) if waived else (judge(column),)
        """The first that finds no fault decides."""

    def __missing__(self, text: str) -> Any:
        fault = self._faults.get(text)
        if fault is not None:
            self.faulty = True
            return fault
        value: Any = None
        for judged in self._judges:
            value = self._judged(text, judged)
            if not isinstance(value, Fault):
                break
        if isinstance(value, Fault):
            self.faulty = True
            if len(self._faults) < MOST_FAULTS and len(text) <= LONGEST_SHOWN:
                self._faults[text] = value
            return value
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[text] = value
        return value

    def _judged(self, text: str, judged: Callable[[str], Any]) -> Any:
        """As it is, else as it is mended."""
        fault = judged(text)
        if not isinstance(fault, Fault) or not (self._mend or self.column.spellings):
            return fault
        plain, how = mended(text, self.column, self._mend)
        value = judged(plain) if how else fault
        if isinstance(value, Fault):
            return fault
        self.mended[text] = how
        return value

    def mended_among(self, texts: Sequence[str]) -> Counter[str]:
        """How many of the texts were mended, by what was."""
        counts: Counter[str] = Counter()
        for text, times in Counter(filter(self.mended.__contains__, texts)).items():
            counts.update(dict.fromkeys(self.mended[text], times))
        if len(self.mended) > MOST_REMEMBERED:
            self.mended.clear()
            self.clear()
        return counts


def mended(text: str, column: Column, mend: Collection[Mend]) -> tuple[str, tuple[str, ...]]:
    """The text as the contract would have it, and what was mended for that; nothing where nothing may be."""
    plain, how = text, []
    if "blanks" in mend and plain != plain.strip():
        plain, how = plain.strip(), [MENDS["blanks"]]
    if column.type == "category":
        meant = dict(column.spellings).get(plain)
        if meant is None and "case" in mend:
            alike = {value.casefold(): value for value in column.values}
            meant = alike.get(plain.casefold())
            how += [MENDS["case"]] if meant not in (None, plain) else []
        elif meant is not None:
            how.append("another spelling of a value")
        return plain if meant is None else meant, tuple(how)
    if "decimal-comma" in mend and DECIMAL_COMMA.fullmatch(plain):
        plain, how = plain.replace(",", "."), [*how, MENDS["decimal-comma"]]
    if column.type == "integer" and "whole-numbers" in mend and WHOLE.fullmatch(plain):
        plain, how = plain.partition(".")[0], [*how, MENDS["whole-numbers"]]
    return plain, tuple(how)


def judge(column: Column) -> Callable[[str], int | float | str | Fault]:
    """The function from a text to the column's typed value, or the fault."""
    if column.type == "category":
        return _category(column)
    if column.type == "integer":
        return _numeric(column, _INTEGER, int, "not an integer", "write digits only, such as 42")
    return _numeric(column, NUMBER, _float, "not a number", "write digits and a point, such as 4.857")


def judge_leniently(column: Column) -> Callable[[str], int | float | str | Fault]:
    """As `judge`, with the rules on values waived: any value of the column's type will do, but none must be missing."""
    if column.type != "category":
        return judge(replace(column, minimum=None, maximum=None))

    def check(text: str) -> str | Fault:
        plain = text.strip()
        if not plain or len(plain) > LONGEST_CATEGORY or not plain.isprintable():
            return _misspelt(
                column, text, "not a plain text", f"write up to {LONGEST_CATEGORY} printable characters"
            )
        return plain

    return check


def _float(text: str) -> float:
    return float(text) + 0.0  # minus zero becomes zero, so that one number has one form


def _numeric(
    column: Column, form: re.Pattern[str], convert: Callable[[str], float], rule: str, remedy: str
) -> Callable[[str], float | str | Fault]:
    low = float("-inf") if column.minimum is None else column.minimum
    high = float("inf") if column.maximum is None else column.maximum

    def check(text: str) -> float | Fault:
        if len(text) > _LONGEST_NUMBER or not form.fullmatch(text):
            return _misspelt(column, text, rule, remedy)
        value = convert(text)
        if not isfinite(value):
            return _fault(column, text, rule, remedy)
        if value < low:
            return _fault(column, text, f"below {low:g}", f"the contract allows {low:g} to {high:g}")
        if value > high:
            return _fault(column, text, f"above {high:g}", f"the contract allows {low:g} to {high:g}")
        return value

    return check


def _category(column: Column) -> Callable[[str], str | Fault]:
    known = {value: value for value in column.values}
    loosely = {value.casefold(): value for value in column.values}
    rule = "not one of: " + ", ".join(column.values)

    def check(text: str) -> str | Fault:
        found = known.get(text)
        if found is not None:
            return found
        meant = loosely.get(text.strip().casefold())
        remedy = f"write {meant!r}" if meant else "mend it, or add it to the contract if it is new"
        return _misspelt(column, text, rule, remedy)

    return check


def _misspelt(column: Column, text: str, rule: str, remedy: str) -> Fault:
    if not text.strip():
        unknown = "write unknown" if "unknown" in column.values else "give a value"
        return _fault(column, text, "empty value", unknown)
    return _fault(column, text, rule, remedy)


def _fault(column: Column, text: str, rule: str, remedy: str) -> Fault:
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."
    return Fault(column=column.name, value=shown, rule=rule, remedy=remedy)
