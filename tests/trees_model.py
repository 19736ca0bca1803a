"""The simplest model: one booster, which reads all features and answers every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.features import Feature
from serving.members import TREES, Member
from serving.model import SINGLE, Model, save

CUTS = {SINGLE: [n / 10 for n in range(1, 10)]}
"""Deciles that are easy to follow."""


def save_trees(folder: Path, booster: Any, features: Sequence[Feature], facts: Mapping[str, Any]) -> None:
    columns = tuple(feature.name for feature in features)
    member = Member(name="trees", kind=TREES, columns=columns, weight=1.0, text=booster.model_to_string())
    save(folder, features=features, variants={SINGLE: [member]}, facts=facts)


def booster_of(model: Model) -> Any:
    (only,) = model.variants[SINGLE].members
    learner: Any = only.learner
    return learner.booster
