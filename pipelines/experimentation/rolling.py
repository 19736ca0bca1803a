"""Rolling evaluation: a member is fitted on what came before a drop, and says what it thinks of the drop's rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.experimentation.trials import DropScore, drop_score
from pipelines.training import learners
from pipelines.training.learners import Matrix
from pipelines.training.metrics import losses
from pipelines.training.trial import SUREST, Past
from serving.features import Floats
from serving.log_odds import log_odds, probability_of
from serving.members import loaded
from shared.domain.models.recipe import Recipe, RecipeMember


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """The drops that candidates are scored on, and what each member said of them. Of a drop nobody is told anything that
    came in with it or later."""

    past: Past
    drops: Sequence[int]
    """Versions, the newest first."""
    doubted: Collection[int] = ()
    """Versions whose rows are not plausible: nobody learns from them."""
    said: dict[Any, Floats] = field(default_factory=dict)
    _rows: dict[int, Matrix] = field(default_factory=dict)

    def score(self, recipe: Recipe, live: Recipe, version: int) -> DropScore:
        answers = self.rows(version).answers
        ours, theirs = (
            losses(answers, np.clip(self.probabilities(each, version), SUREST, 1 - SUREST))
            for each in (recipe, live)
        )
        return drop_score(version, ours, theirs)

    def probabilities(self, recipe: Recipe, version: int) -> Floats:
        """What the recipe's refit says of the drop's rows, as `serving.members.Variant.predict` would."""
        said = [self._member(member, recipe.list_columns, version) for member in recipe.members]
        if len(said) == 1 and recipe.temperature == 1:
            return said[0]
        weights = np.array([member.weight for member in recipe.members])
        odds = np.stack([log_odds(each) for each in said])
        found: Floats = weights @ odds / (weights.sum() * recipe.temperature)
        return probability_of(found)

    def _member(self, member: RecipeMember, list_columns: bool, version: int) -> Floats:
        """The member's own probabilities; each is fitted once, whatever recipes it is in."""
        recipe = Recipe(name="alone", members=(member,), list_columns=list_columns)
        names = learners.columns_of(recipe, self.past.matrix)
        key = (version, learners.apart_from_recipe(member), *names)
        if key not in self.said:
            learned = self.past.before(version, self.doubted)
            self.said[key] = _predicted(member, learned, names, self.rows(version))
        return self.said[key]

    def rows(self, version: int) -> Matrix:
        """Those of the drop whose features no earlier row had."""
        if version not in self._rows:
            rows, _, fresh = self.past.drop(version)
            self._rows[version] = rows.only(fresh)
        return self._rows[version]


def _predicted(member: RecipeMember, learned: Matrix, names: Sequence[str], rows: Matrix) -> Floats:
    fitted = learners.fit_member(member, learned, names, weight=1.0)
    return loaded([fitted], learned.inputs).predict(rows.values)
