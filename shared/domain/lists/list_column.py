"""List columns: what a data contract says a list of clients as a whole can tell a model about each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Measure = Literal["rows", "run", "share"]


@dataclass(frozen=True, kw_only=True)
class ListColumn:
    """One number for each row of a list, made of the list's rows; `list_values` computes it."""

    name: str
    measure: Measure
    """`rows`: natural logarithm of how many rows the list has. `run`: of how many rows the row's run has, the consecutive
    rows that are alike in `column`. `share`: of the list's rows, those that have in `column` one of `values`, or a
    number greater than `above`; from 0 to 1."""
    column: str = ""
    """A feature; none for `rows`."""
    values: tuple[str, ...] = ()
    above: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As the contract's YAML has it."""
        if self.measure == "share":
            counted = {"values": list(self.values)} if self.above is None else {"above": self.above}
            return {"name": self.name, "share_of": self.column, **counted}
        column = {"column": self.column} if self.column else {}
        return {"name": self.name, "log_of": self.measure, **column}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """As `to_json` gave it; what else a model's description says of the column is left out."""
        measure = body.get("log_of", "share")
        return cls(
            name=body["name"],
            measure=measure,
            column="" if measure == "rows" else body["column" if measure == "run" else "share_of"],
            values=tuple(body.get("values", ())),
            above=body.get("above"),
        )
