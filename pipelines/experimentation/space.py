"""What a search looks through: a written grid of members, each a learner, its parameters, and how it sees the rows."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from shared.domain.models.recipe import Learner, Recipe, RecipeMember

NAMES: Mapping[Learner, str] = {"boosted-trees": "boosted", "ridge": "ridge", "extra-trees": "extra"}
PARAMETERS: Mapping[Learner, tuple[Mapping[str, float], ...]] = {
    "boosted-trees": (
        {"rounds": 150, "learning_rate": 0.05, "leaves": 15, "leaf_rows": 20},
        {"rounds": 100, "learning_rate": 0.05, "leaves": 6, "leaf_rows": 60},
        {"rounds": 300, "learning_rate": 0.03, "leaves": 6, "leaf_rows": 60},
        {"rounds": 300, "learning_rate": 0.03, "leaves": 31, "leaf_rows": 40, "feature_fraction": 0.5},
    ),
    "ridge": ({"strength": 0.03}, {"strength": 1}, {"strength": 30}),
    "extra-trees": (
        {"rounds": 60, "leaves": 256, "leaf_rows": 20},
        {"rounds": 120, "leaves": 64, "leaf_rows": 40},
        {"rounds": 120, "leaves": 512, "leaf_rows": 10},
    ),
}
AGES: tuple[Mapping[str, Any], ...] = (
    {},
    {"list_weight": -0.5},
    {"list_weight": -0.5, "half_life": 6.0},
    {"newest_lists": 6},
)
"""What old lists count for: all the same; large ones less; old ones less too; none but the newest at all."""
TEMPERATURES = (0.8, 0.9, 1.1, 1.25, 1.5)
"""Calibrations that are tried of the best."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A member, and whether it sees the list's columns."""

    member: RecipeMember
    list_columns: bool

    def recipe(self, name: str = "") -> Recipe:
        """It alone."""
        return Recipe(name=name or self.member.name, members=(self.member,), list_columns=self.list_columns)


def candidates(known: Iterable[Recipe], *, has_lists: bool, seed: int) -> list[Candidate]:
    """In an order drawn by the seed, so that searches that end early look elsewhere each time.

    known: recipes that are there already; columns that a member of theirs does without are left out here too
    has_lists: whether there are columns of the list
    """
    found = list(_grid(known, has_lists=has_lists))
    random.Random(seed).shuffle(found)  # noqa: S311  (no secret)
    return found


def _grid(known: Iterable[Recipe], *, has_lists: bool) -> Iterator[Candidate]:
    left_out = dict.fromkeys([(), *(member.without for recipe in known for member in recipe.members)])
    views = (True, False) if has_lists else (True,)
    for learner, several in PARAMETERS.items():
        for parameters, age, without, lists in product(several, AGES, left_out, views):
            member = RecipeMember(
                name=NAMES[learner], learner=learner, parameters=parameters, without=without, **age
            )
            yield Candidate(member=member, list_columns=lists)
