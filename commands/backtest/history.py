"""A history of calls in the order of time, cut into months: each first as a list of clients, then with its answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from commands import ROOT
from commands.stack.errors import StackError
from shared.adapters.contracts import load_contracts
from shared.domain.tables.contract import Contract

Floats = npt.NDArray[np.float64]
DATASET = "bank-additional"
MONTH = "month"
KEY = "client"
"""A column of each list, which comes through the scoring: by it a score finds its client again."""

Row = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Clients:
    """A month's list as it is before anybody is called: without the answers, and without what only a call tells."""

    number: int
    """Of the month, from 1 on."""
    month: str
    columns: Row
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        return f"month-{self.number:02}-{self.month}"

    def __len__(self) -> int:
        return len(self.rows)

    def csv(self) -> bytes:
        """To be scored: each client with its key."""
        keyed = ((str(place), *row) for place, row in enumerate(self.rows))
        return _csv((KEY, *self.columns), keyed)


@dataclass(frozen=True, kw_only=True)
class Called:
    """A month when its calls are over: the whole rows, as the file had them."""

    clients: Clients
    columns: Row
    rows: tuple[Row, ...]
    answers: Floats
    """1 for a deposit, else 0."""

    def csv(self) -> bytes:
        """To be learned from."""
        return _csv(self.columns, self.rows)


def contract() -> Contract:
    return next(found for found in load_contracts(ROOT / "contracts") if found.dataset == DATASET)


def months(data: bytes, rules: Contract) -> list[Called]:
    """Each run of rows with one value of `month`, in the file's order, which is the order of time.

    data: CSV, its values between `;` or `,`
    raises: StackError naming the column or the line that is not as the contract wants it
    """
    text = data.decode("utf-8-sig")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = tuple(next(lines, ()))
    wanted = [column.name for column in rules.columns_for("training")]
    if missing := [name for name in wanted if name not in columns]:
        raise StackError(
            f"The history lacks {', '.join(map(repr, missing))}: its header needs {', '.join(wanted)}."
        )
    rows = list(_checked(lines, columns, rules))
    at = columns.index(MONTH)
    runs = groupby(rows, key=lambda row: row[at])
    return [_called(number, month, columns, tuple(run), rules) for number, (month, run) in enumerate(runs, 1)]


def _checked(lines: Iterator[list[str]], columns: Row, rules: Contract) -> Iterator[Row]:
    answer = columns.index(rules.target)
    for number, row in enumerate(lines, 2):
        if len(row) != len(columns):
            raise StackError(
                f"Line {number} of the history has {len(row)} values, its header {len(columns)}."
            )
        if row[answer] not in rules.target_values:
            allowed = ", ".join(rules.target_values)
            raise StackError(
                f"Line {number} of the history: {rules.target} is {row[answer]!r}, not one of {allowed}."
            )
        yield tuple(row)


def _called(number: int, month: str, columns: Row, rows: tuple[Row, ...], rules: Contract) -> Called:
    known = [columns.index(column.name) for column in rules.features]
    answer = columns.index(rules.target)
    clients = Clients(
        number=number,
        month=month,
        columns=tuple(columns[place] for place in known),
        rows=tuple(tuple(row[place] for place in known) for row in rows),
    )
    answers = np.array([row[answer] == rules.positive for row in rows], dtype=np.float64)
    return Called(clients=clients, columns=columns, rows=rows, answers=answers)


def _csv(columns: Sequence[str], rows: Iterator[Row] | Sequence[Row]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()
