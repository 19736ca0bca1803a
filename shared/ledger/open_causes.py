"""The causes of alerts that are open, and when what is expected came last: folded along the log of events.

Each event is folded once, in the log's order, so two workers that read the same log see the same causes, each open
since the same event. It is bounded: by the datasets, and by `MOST_CAUSES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.alerts import name_of
from shared.domain.json_types import as_json

MOST_CAUSES = 300
"""More at once are one cause of their alert."""
OTHERS = "others"
ARRIVALS = (("upload", "admitted"), ("batch", "scored"))
"""What a contract may expect: the kind, and the state in which one of it counts as come."""
ALERT = "alert"
"""The kind whose raised records are counted beside the causes: what was told, and is not over."""

Value = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class OpenCause:
    """A cause of which something is open."""

    count: int
    since: str
    """The time of the event that opened it."""
    kind: str
    number: int
    """In its kind's list: the record that opened it."""
    id: str


@dataclass(frozen=True, kw_only=True)
class Causes:
    """What is open, as of one event of the log."""

    next: int = 0
    """The number of the event that is folded next."""
    open: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By cause, an `OpenCause`."""
    alerts: Mapping[str, int] = field(default_factory=dict)
    """The alerts that are raised, by id: the number of the record."""
    arrived: Mapping[str, str] = field(default_factory=dict)
    """When the newest came, by `kind/dataset`."""

    def get(self, cause: str) -> OpenCause | None:
        return OpenCause(**self.open[cause]) if cause in self.open else None

    def last(self, kind: str, dataset: str) -> str | None:
        """When the newest of a kind of `ARRIVALS` came for a dataset."""
        return self.arrived.get(f"{kind}/{dataset}")

    def with_event(self, number: int, logged: Value) -> Causes:
        """With one event more, as it lies in the log; one that is folded already changes nothing."""
        if number < self.next:
            return self
        data, moved = logged["event"].get("data", {}), replace(self, next=number + 1)
        kind, state = data.get("kind"), data.get("state")
        if kind == ALERT:
            others = {id_: at for id_, at in self.alerts.items() if id_ != data["id"]}
            mine = {data["id"]: logged["record"]["number"]} if state == "raised" else {}
            moved = replace(moved, alerts={**others, **mine})
        if (kind, state) in ARRIVALS and data.get("dataset"):
            moved = replace(
                moved, arrived={**self.arrived, f"{kind}/{data['dataset']}": logged["event"]["time"]}
            )
        for how, cause in logged.get("causes", ()):
            moved = moved._counted(how, cause, logged)
        return moved

    def _counted(self, how: str, cause: str, logged: Value) -> Causes:
        full = len(self.open) >= MOST_CAUSES
        if cause not in self.open and (how == "-" or (how == "+" and full)):
            cause = f"{name_of(cause)}/{OTHERS}"
        old = self.get(cause)
        before = old.count if old else 0
        count = {"+": before + 1, "-": before - 1, "0": 0}[how]
        over = {cause, f"{name_of(cause)}/{OTHERS}"} if how == "0" else {cause}
        open_ = {name: one for name, one in self.open.items() if name not in over}
        if count > 0:
            data = logged["event"]["data"]
            begun = old or OpenCause(
                count=0, since=logged["event"]["time"], kind=data["kind"],
                number=logged["record"]["number"], id=data["id"],
            )  # fmt: skip
            open_[cause] = as_json(replace(begun, count=count))
        return replace(self, open=open_)

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = as_json(self)
        return written
