"""The data contract: the schema of a dataset's rows, and which contract a file's header fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from shared.errors import ConfigurationError

Purpose = Literal["training", "scoring"]
ColumnType = Literal["integer", "number", "category"]

INT64 = 2**63


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

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "type": self.type}
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

    @property
    def features(self) -> tuple[Column, ...]:
        """The model's features: known before the call."""
        return tuple(column for column in self.columns if not column.known_only_after_call)

    @property
    def target_column(self) -> Column:
        return Column(name=self.target, type="category", values=self.target_values)

    def columns_for(self, purpose: Purpose) -> tuple[Column, ...]:
        """The columns that are checked and stored: all with the target in training, the features in scoring."""
        return self.features if purpose == "scoring" else (*self.columns, self.target_column)

    def known(self, purpose: Purpose) -> frozenset[str]:
        """The columns whose meaning is known, needed or not."""
        return self.allowed(purpose).union(column.name for column in self.columns_for(purpose))

    def allowed(self, purpose: Purpose) -> frozenset[str]:
        """The columns a file may have besides `columns_for` the purpose."""
        if purpose == "training":
            return frozenset(self.ignored)
        return frozenset({*self.ignored, self.target, *(column.name for column in self.columns)})

    def can_be_taken_for(self, other: Self, purpose: Purpose) -> bool:
        """Whether there is a header that fits both: each knows all that the other needs."""
        return self._knows(other, purpose) and other._knows(self, purpose)

    def _knows(self, other: Self, purpose: Purpose) -> bool:
        known = {*(column.name for column in self.columns_for(purpose)), *self.allowed(purpose)}
        return known.issuperset(column.name for column in other.columns_for(purpose))

    def to_json(self) -> dict[str, Any]:
        """The YAML's content; every manifest carries it under `contract`."""
        target = {"name": self.target, "values": list(self.target_values), "positive": self.positive}
        body: dict[str, Any] = {"dataset": self.dataset, "title": self.title, "target": target}
        if self.ignored:
            body["ignored"] = [
                {"name": name, "line_ends": True} if name in self.line_ends_in else name
                for name in self.ignored
            ]
        return {**body, "columns": [column.to_json() for column in self.columns]}

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
                line_ends_in=tuple(name for name, line_ends in ignored if line_ends),
            )
            _check(contract)
        except (KeyError, TypeError, ValueError, AttributeError) as cause:
            what = f"{cause.args[0]!r} is missing" if isinstance(cause, KeyError) else str(cause)
            name = body.get("dataset", "?") if isinstance(body, Mapping) else "?"
            raise ConfigurationError(f"the contract of dataset {name!r} cannot be used: {what}") from cause
        return contract


@dataclass(frozen=True, kw_only=True)
class HeaderProblem:
    """The header fits no contract; how it differs from the nearest one."""

    dataset: str
    """The nearest contract."""
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        differences = [
            f"{what} {_listed(columns)}"
            for what, columns in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("more than once", self.duplicated),
            )
            if columns
        ]
        found = "; ".join(differences) or "nothing differs"
        nearest = f"nearest is {self.dataset} (columns {found})"
        return f"the header fits no contract; {nearest}; mend the header and drop the file again"


def match(
    header: Sequence[str], contracts: Iterable[Contract], purpose: Purpose = "training"
) -> Contract | HeaderProblem:
    """The contract whose columns the header has, in any order; else the difference from the nearest.

    A file to score may have columns that no contract knows, the clients' keys for instance: they go through it unread.
    If it fits several contracts so, it is the one that knows most of its columns.

    header: clean names, as `dialect.Header` has them
    """
    problems = [_difference(header, contract, purpose) for contract in contracts]
    fitting = _knowing_most(header, [contract for contract, faults in problems if not faults], purpose)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        both = _listed([contract.dataset for contract in fitting])
        raise ConfigurationError(f"a header may fit only one contract, and {both} share one; tell them apart")
    return min((fault for _, fault in problems if fault), key=_distance)


def _difference(
    names: Sequence[str], contract: Contract, purpose: Purpose
) -> tuple[Contract, HeaderProblem | None]:
    needed = [column.name for column in contract.columns_for(purpose)]
    counts = Counter(names)
    missing = tuple(name for name in needed if name not in counts)
    unknown = tuple(name for name in counts if name not in contract.known(purpose))
    if (
        purpose == "scoring" and not missing
    ):  # what goes through unread must not be a feature written otherwise
        features = {_plainly(name) for name in needed}
        unknown = tuple(name for name in unknown if _plainly(name) in features)
    problem = HeaderProblem(
        dataset=contract.dataset,
        missing=missing,
        unexpected=unknown,
        duplicated=tuple(name for name, count in counts.items() if count > 1),
    )
    return contract, problem if problem.missing or problem.unexpected or problem.duplicated else None


def _knowing_most(names: Sequence[str], fitting: Sequence[Contract], purpose: Purpose) -> list[Contract]:
    known = [len(contract.known(purpose).intersection(names)) for contract in fitting]
    return [contract for contract, count in zip(fitting, known, strict=True) if count == max(known)]


def _plainly(name: str) -> str:
    """A name without what people write now so, now otherwise: case, blanks, dots, underscores, dashes."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _distance(problem: HeaderProblem) -> int:
    return len(problem.missing) + len(problem.unexpected) + len(problem.duplicated)


def _listed(names: Sequence[str], most: int = 10) -> str:
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
            f"ignored column {body.get('name')!r} has {_listed(sorted(extra))}, which means nothing"
        )
    return _text(body["name"]), bool(body.get("line_ends", False))


def _column(body: Mapping[str, Any]) -> Column:
    extra = set(body) - {"name", "type", "minimum", "maximum", "values", "known_only_after_call"}
    if extra:
        raise ValueError(f"column {body.get('name')!r} has {_listed(sorted(extra))}, which means nothing")
    column = Column(
        name=_text(body["name"]),
        type=body["type"],
        minimum=_bound(body.get("minimum")),
        maximum=_bound(body.get("maximum")),
        values=tuple(_text(value) for value in body.get("values", ())),
        known_only_after_call=bool(body.get("known_only_after_call", False)),
    )
    if column.type not in ("integer", "number", "category"):
        raise ValueError(f"column {column.name!r} has type {column.type!r}, not integer, number or category")
    if (column.type == "category") != bool(column.values):
        raise ValueError(f"column {column.name!r}: a category, and nothing else, lists its values")
    return column


def _bound(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError(f"the bound {value!r} is not a number")


def _check(contract: Contract) -> None:
    names = [*(column.name for column in contract.columns), contract.target, *contract.ignored]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"column {_listed(twice)} is named more than once")
    if contract.positive not in contract.target_values:
        raise ValueError(f"the positive answer {contract.positive!r} is not among the target's values")
    if not contract.features:
        raise ValueError("there is no column a model could look at")
