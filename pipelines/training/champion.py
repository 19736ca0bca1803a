"""The champion: the model that serves, as a challenger finds it, with what it knows of the rows that it learned from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.training import prepared
from pipelines.training.drift import PROFILE, drift
from pipelines.training.holdout import Digests, Mask
from serving.features import encode
from serving.model import Model, load
from shared.domain.datasets.row_digest import LEARNED


@dataclass(frozen=True, kw_only=True)
class Champion:
    """A model, its profile of the rows it learned from, and their digests; the oldest models have neither."""

    model: Model
    profile: dict[str, Any] | None
    learned: Digests | None

    def unseen(self, folder: Path, plausible: Mask) -> tuple[Mask, str]:
        """Of the held-out rows those that it has not learned from: all, if it was trained with the same hold-out.

        plausible: the held-out rows that are judged on at all
        returns: a mask of the plausible ones; with none, why it cannot be judged
        """
        digests = prepared.read_digests(folder, prepared.HOLDOUT, self.model.features)[plausible]
        lacking = [name for name in self.model.columns if not prepared.has(folder, name)]
        named = f"model {self.model.version}"
        if self.learned is None:
            reason = f"{named} does not say which rows it learned from"
        elif lacking:
            reason = f"whether {named} learned from these rows cannot be known, as they lack {lacking[0]!r}"
        else:
            found: Mask = ~np.isin(digests, self.learned)
            return (
                found,
                "" if found.any() else f"{named} learned from each of the {len(found)} held-out rows",
            )
        return np.zeros(len(digests), dtype=np.bool_), reason

    def drift(self, folder: Path) -> list[dict[str, Any]]:
        """How far the rows to learn from have moved since it learned from its own; nothing without a profile."""
        if self.profile is None:
            return []
        rows = prepared.read_rows(folder, prepared.TRAIN, self.model.columns)
        return drift(self.profile, self.model.features, encode(self.model.features, rows.columns))


def read_champion(folder: Path) -> Champion:
    """Of a model's folder. raises: ModelBroken"""
    profiles, learned = list(folder.rglob(PROFILE)), list(folder.rglob(LEARNED))
    return Champion(
        model=load(folder),
        profile=json.loads(profiles[0].read_text(encoding="utf-8")) if profiles else None,
        learned=np.load(learned[0], allow_pickle=False) if learned else None,
    )
