"""The evidence on recipes: each drop as every recipe's refit scored it before it was learned from, kept with the models.

It travels from model to model: a run reads what the newest model before it knew, adds the drops since, and puts all of
it into its own model's folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.training.plausibility import Doubt
from pipelines.training.prepared import Decisions
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_gate import Drop

EVIDENCE = "evidence.json"
MOST_DROPS = 240
"""Kept, the newest: twenty years of months."""


def in_order(drops: Iterable[Drop]) -> list[Drop]:
    """The newest last: one that was judged anew stands where it came in, not where it was judged."""
    return sorted(drops, key=lambda drop: drop.version)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of recipes, and which of them is live."""

    drops: tuple[Drop, ...]
    live: Recipe
    since: int
    """The version at which it became live."""
    doubts: tuple[Doubt, ...] = ()
    """On rows that are therefore neither learned from nor judged on."""
    withdrawn: tuple[str, ...] = ()
    """Uploads that were taken out, and of whose rows nothing is said here any more."""

    @property
    def newest(self) -> int:
        """The newest drop's version; 0 without any."""
        return max((drop.version for drop in self.drops), default=0)

    def with_drops(self, more: list[Drop], doubts: list[Doubt]) -> Evidence:
        drops = in_order((*self.drops, *more))
        return replace(self, drops=tuple(drops[-MOST_DROPS:]), doubts=(*self.doubts, *doubts))

    def reconsidered(self, decided: Decisions) -> tuple[Evidence, frozenset[int]]:
        """Without what it says of versions that people have decided about since; and those, which are to be judged anew:
        a trusted one that was doubted, and one that has lost rows, whose others may be as plausible as any."""
        new = {version for upload, version in decided.withdrawn.items() if upload not in self.withdrawn}
        cleared = {doubt.version for doubt in self.doubts} & decided.trusted
        again = frozenset(new | cleared)
        left = replace(
            self,
            drops=tuple(drop for drop in self.drops if drop.version not in again),
            doubts=tuple(doubt for doubt in self.doubts if doubt.version not in again),
            withdrawn=tuple(sorted(decided.withdrawn)),
        )
        return left, again

    def plausible(self, versions: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which rows may be learned from and judged on. versions: that the rows came in with"""
        return ~np.isin(versions, [doubt.version for doubt in self.doubts])

    def to_json(self) -> dict[str, Any]:
        return {
            "live": self.live.to_json(),
            "since": self.since,
            "drops": [drop.to_json() for drop in self.drops],
            "doubts": [doubt.to_json() for doubt in self.doubts],
            "withdrawn": self.withdrawn,
        }


def read_evidence(folder: Path) -> Evidence | None:
    """Of a model's folder; None for a model that came with none."""
    files = sorted(folder.rglob(EVIDENCE))
    if not files:
        return None
    body = json.loads(files[0].read_text(encoding="utf-8"))
    return Evidence(
        drops=tuple(map(Drop.from_json, body["drops"])),
        live=Recipe.from_json(body["live"]),
        since=body["since"],
        doubts=tuple(map(Doubt.from_json, body.get("doubts", ()))),
        withdrawn=tuple(body.get("withdrawn", ())),
    )
