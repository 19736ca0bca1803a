"""The data contract: the schema of a dataset's rows, and which contract a file's header fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self, get_args

from shared.domain.expectations import Expectations, expectations
from shared.domain.lists.list_column import ListColumn, Measure
from shared.errors import ConfigurationError

Mend = Literal["names", "blanks", "case", "whole-numbers", "decimal-comma", "empty-rows", "index-column"]
MENDS: dict[Mend, str] = {
    "names": "a column's name in other case, or with other blanks, dots, dashes or underscores",
    "blanks": "blanks around a value",
    "case": "a word in other case",
    "whole-numbers": "a whole number written with zeros after its point",
    "decimal-comma": "a comma for the decimal point",
    "empty-rows": "a row of empty values, left out",
    "index-column": "a first column that only numbers the rows, left out",
}
"""What a contract may let be mended on reading, and what is said of it; nothing is mended that it does not name."""
INDEX_NAMES = ("", "Unnamed: 0")
"""What a first column is called that numbers the rows; the second is pandas' name for the first."""

Purpose = Literal["training", "scoring"]
ColumnType = Literal["integer", "number", "category"]

INT64 = 2**63
KEYS = frozenset(
    ("dataset", "title", "target", "contacts", "mend", "ignored", "columns", "list_columns", "expects")
)
"""What a contract says."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its type and what its values may be."""

    name: str
    type: ColumnType
    minimum: float | None = None
    maximum: float | None = None
    """Both inclusive; integer and number only."""
    values: tuple[str, ...] = ()
    """Category only: every value there is."""
    known_only_after_call: bool = False
    """Needed to train, absent when scoring, never a feature."""
    aliases: tuple[str, ...] = ()
    """Other names that files have for it."""
    spellings: tuple[tuple[str, str], ...] = ()
    """Category only: other texts, each with the value it stands for."""

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.aliases:
            body["aliases"] = list(self.aliases)
        if self.spellings:
            body["spellings"] = dict(self.spellings)
        if self.minimum is not None:
            body["minimum"] = self.minimum
        if self.maximum is not None:
            body["maximum"] = self.maximum
        if self.values:
            body["values"] = list(self.values)
        if self.known_only_after_call:
            body["known_only_after_call"] = True
        return body


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A dataset's columns in order, and the answer (`target`) its model gives."""

    dataset: str
    title: str
    columns: tuple[Column, ...]
    """Without the target."""
    target: str
    target_values: tuple[str, ...]
    positive: str
    ignored: tuple[str, ...] = ()
    """Columns a file may have that are neither checked nor stored."""
    line_ends_in: tuple[str, ...] = ()
    """Those of the ignored whose values may hold line ends, in quotes; a value that is checked holds none."""
    mend: tuple[Mend, ...] = ()
    """What is mended on reading, and counted."""
    target_aliases: tuple[str, ...] = ()
    target_spellings: tuple[tuple[str, str], ...] = ()
    """As a column's."""
    list_columns: tuple[ListColumn, ...] = ()
    """What a list of clients as a whole says of each of its rows; no file has them."""
    contacts: str = ""
    """The column that counts how often a client was contacted in the campaign; empty where none does."""
    expects: Expectations | None = field(default=None, compare=False)
    """What is to come, and by when. It says nothing of rows: contracts that differ in it alone read every file alike."""

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """The model's features: known before the call."""
        return tuple(column for column in self.columns if not column.known_only_after_call)

    @cached_property
    def target_column(self) -> Column:
        return Column(
            name=self.target,
            type="category",
            values=self.target_values,
            aliases=self.target_aliases,
            spellings=self.target_spellings,
        )

    def columns_for(self, purpose: Purpose) -> tuple[Column, ...]:
        """The columns that are checked and stored: all with the target in training, the features in scoring."""
        return self.features if purpose == "scoring" else self._trained

    @cached_property
    def _trained(self) -> tuple[Column, ...]:
        return (*self.columns, self.target_column)

    def known(self, purpose: Purpose) -> frozenset[str]:
        """The columns whose meaning is known, needed or not."""
        return self._known[purpose]

    @cached_property
    def _known(self) -> dict[Purpose, frozenset[str]]:
        return {
            purpose: self.allowed(purpose).union(column.name for column in self.columns_for(purpose))
            for purpose in get_args(Purpose)
        }

    def allowed(self, purpose: Purpose) -> frozenset[str]:
        """The columns a file may have besides `columns_for` the purpose."""
        if purpose == "training":
            return frozenset(self.ignored)
        return frozenset({*self.ignored, self.target, *(column.name for column in self.columns)})

    def can_be_taken_for(self, other: Self, purpose: Purpose) -> bool:
        """Whether there is a header that fits both: each knows all that the other needs."""
        return self._knows(other, purpose) and other._knows(self, purpose)

    def _knows(self, other: Self, purpose: Purpose) -> bool:
        known = self.known(purpose) | self.aliases.keys()
        return all(known & {column.name, *column.aliases} for column in other.columns_for(purpose))

    @property
    def aliases(self) -> dict[str, str]:
        """By another name of a column its own."""
        columns = (*self.columns, self.target_column)
        return {alias: column.name for column in columns for alias in column.aliases}

    def to_json(self) -> dict[str, Any]:
        """The YAML's content; every manifest carries it under `contract`, less `expects`, which says nothing of rows."""
        target: dict[str, Any] = {
            "name": self.target,
            "values": list(self.target_values),
            "positive": self.positive,
        }
        target |= {"aliases": list(self.target_aliases)} if self.target_aliases else {}
        target |= {"spellings": dict(self.target_spellings)} if self.target_spellings else {}
        body: dict[str, Any] = {"dataset": self.dataset, "title": self.title, "target": target}
        if self.contacts:
            body["contacts"] = self.contacts
        if self.mend:
            body["mend"] = list(self.mend)
        if self.ignored:
            body["ignored"] = [
                {"name": name, "line_ends": True} if name in self.line_ends_in else name
                for name in self.ignored
            ]
        body["columns"] = [column.to_json() for column in self.columns]
        if self.list_columns:
            body["list_columns"] = [column.to_json() for column in self.list_columns]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """raises: ConfigurationError that names the dataset, the column and what is wrong with it."""
        try:
            target = body["target"]
            ignored = [_ignored(column) for column in body.get("ignored", ())]
            contract = cls(
                dataset=_text(body["dataset"]),
                title=_text(body.get("title", body["dataset"])),
                columns=tuple(_column(column) for column in body["columns"]),
                target=_text(target["name"]),
                target_values=tuple(_text(value) for value in target["values"]),
                positive=_text(target["positive"]),
                ignored=tuple(name for name, _ in ignored),
                mend=tuple(body.get("mend", ())),
                target_aliases=tuple(_text(name) for name in target.get("aliases", ())),
                target_spellings=_spellings(target.get("spellings", {})),
                line_ends_in=tuple(name for name, line_ends in ignored if line_ends),
                list_columns=tuple(_list_column(column) for column in body.get("list_columns", ())),
                contacts=_text(body["contacts"]) if "contacts" in body else "",
                expects=expectations(body["expects"]) if "expects" in body else None,
            )
            _check(contract)
        except (KeyError, TypeError, ValueError, AttributeError) as cause:
            what = f"{cause.args[0]!r} is missing" if isinstance(cause, KeyError) else str(cause)
            name = body.get("dataset", "?") if isinstance(body, Mapping) else "?"
            raise ConfigurationError(f"the contract of dataset {name!r} cannot be used: {what}") from cause
        return contract


def listed(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _text(value: object) -> str:
    if isinstance(value, str) and value and value.isprintable() and value == value.strip():
        return value
    raise ValueError(f"{value!r} is not a plain text; quote it, since YAML reads a bare no as false")


def _ignored(body: object) -> tuple[str, bool]:
    """The column's name, and whether its values may hold line ends."""
    if not isinstance(body, Mapping):
        return _text(body), False
    extra = set(body) - {"name", "line_ends"}
    if extra:
        raise ValueError(
            f"ignored column {body.get('name')!r} has {listed(sorted(extra))}, which means nothing"
        )
    return _text(body["name"]), bool(body.get("line_ends", False))


def _column(body: Mapping[str, Any]) -> Column:
    known = {"name", "type", "minimum", "maximum", "values", "known_only_after_call", "aliases", "spellings"}
    extra = set(body) - known
    if extra:
        raise ValueError(f"column {body.get('name')!r} has {listed(sorted(extra))}, which means nothing")
    column = Column(
        name=_text(body["name"]),
        type=body["type"],
        minimum=_bound(body.get("minimum")),
        maximum=_bound(body.get("maximum")),
        values=tuple(_text(value) for value in body.get("values", ())),
        known_only_after_call=bool(body.get("known_only_after_call", False)),
        aliases=tuple(_text(name) for name in body.get("aliases", ())),
        spellings=_spellings(body.get("spellings", {})),
    )
    if column.type not in ("integer", "number", "category"):
        raise ValueError(f"column {column.name!r} has type {column.type!r}, not integer, number or category")
    if (column.type == "category") != bool(column.values):
        raise ValueError(f"column {column.name!r}: a category, and nothing else, lists its values")
    return column


LIST_SHAPES: dict[Measure, tuple[set[str], ...]] = {
    "rows": ({"name", "log_of"},),
    "run": ({"name", "log_of", "column"},),
    "share": ({"name", "share_of", "values"}, {"name", "share_of", "above"}),
}
"""What is said of a list column of each measure."""


def _list_column(body: Mapping[str, Any]) -> ListColumn:
    measure = body.get("log_of", "share")
    if set(body) not in LIST_SHAPES.get(measure, ()):
        raise ValueError(
            f"list column {body.get('name')!r} says {listed(sorted(set(body) - {'name'}))}; write `log_of: rows`,"
            " `log_of: run` with a `column`, or `share_of` with `values` or `above`"
        )
    column = ListColumn.from_json(body)
    for text in (column.name, *column.values, *([column.column] if column.column else [])):
        _text(text)
    _bound(column.above)
    return column


def _spellings(body: Mapping[object, object]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(text), _text(value)) for text, value in body.items())


def _bound(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError(f"the bound {value!r} is not a number")


def _check(contract: Contract) -> None:
    columns = (*contract.columns, contract.target_column)
    names = [*(column.name for column in columns), *contract.ignored]
    names += [one.name for one in contract.list_columns]
    names += [alias for column in columns for alias in column.aliases]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"column {listed(twice)} is named more than once")
    unknown = [mend for mend in contract.mend if mend not in MENDS]
    if unknown:
        raise ValueError(f"mend has {listed(unknown)}, which means nothing; there is {listed(list(MENDS))}")
    for column in columns:
        wrong = [value for _, value in column.spellings if value not in column.values]
        if wrong:
            raise ValueError(
                f"column {column.name!r}: a spelling stands for {listed(wrong)}, which is none of its values"
            )
    if contract.positive not in contract.target_values:
        raise ValueError(f"the positive answer {contract.positive!r} is not among the target's values")
    counting = [column.name for column in contract.features if column.type == "integer"]
    if contract.contacts and contract.contacts not in counting:
        raise ValueError(
            f"contacts: {contract.contacts!r} is no integer column that is known before the call;"
            f" there is {listed(counting)}"
        )
    if not contract.features:
        raise ValueError("there is no column a model could look at")
    for one in contract.list_columns:
        _check_list_column(one, contract)


def _check_list_column(one: ListColumn, contract: Contract) -> None:
    features = {column.name: column for column in contract.features}
    if one.measure == "rows":
        return
    column = features.get(one.column)
    if column is None:
        raise ValueError(
            f"list column {one.name!r} looks at {one.column!r}, which is no column known before the call; name one of"
            f" {listed(list(features), 30)}"
        )
    if one.measure == "run":
        if column.type == "number":
            raise ValueError(
                f"list column {one.name!r}: a run of numbers means nothing; name a category or an integer"
            )
    elif bool(one.values) != (column.type == "category"):
        raise ValueError(
            f"list column {one.name!r}: {one.column!r} has type {column.type}; count `values` of a category, or"
            " numbers `above` one"
        )
    unknown = [value for value in one.values if value not in column.values]
    if unknown:
        raise ValueError(
            f"list column {one.name!r} counts {listed(unknown)}; {one.column!r} has {listed(column.values, 30)}"
        )
