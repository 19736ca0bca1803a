"""The learners that recipes name: each is fitted to encoded rows and becomes a member of a model, as text.

The same rows in the same order give the same text, whatever the number of threads: nothing here stops early or draws
without a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.features import Feature, Floats
from serving.linear import Levels, Linear, Slope, Term
from serving.members import LINEAR, TREES, Member
from shared.domain.models.recipe import Learner, Recipe, RecipeMember

THREADS_PAY_FROM = 200_000
"""Rows; below, a second thread mostly spins while it waits for the first."""
SEED = 20080501
TREES_ALWAYS: dict[str, Any] = {
    "objective": "binary",
    "seed": SEED,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
CHUNK = 100_000
"""Rows whose design matrix is there at a time."""
SUREST_START = 1e-6
MOST_STEPS = 30
MOST_HALVINGS = 20
CLOSE = 1e-6
"""Newton's steps end when none moves a coefficient by more."""
LEAST_POSITIVES = 10
"""In the rows to learn from; with fewer a recipe's refit says nothing yet."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Rows as learners see them."""

    inputs: tuple[Feature, ...]
    """Of the columns."""
    values: Floats
    """A row each; NaN for what is not known."""
    answers: Floats
    lists: npt.NDArray[np.int64]
    """Of each row the list it stands on; a newer list has a greater number."""
    list_names: frozenset[str] = frozenset()
    """Of the columns that describe a list as a whole."""

    def only(self, rows: npt.NDArray[np.bool_]) -> Matrix:
        return Matrix(
            inputs=self.inputs,
            values=np.asfortranarray(self.values[rows]),
            answers=self.answers[rows],
            lists=self.lists[rows],
            list_names=self.list_names,
        )


Fitted = dict[Any, Member]
"""Members that are fitted already, by all that a fit depends on."""


def columns_of(recipe: Recipe, matrix: Matrix) -> list[str]:
    """The columns that the recipe's members may see."""
    names = [feature.name for feature in matrix.inputs]
    return [name for name in names if recipe.list_columns or name not in matrix.list_names]


def fit(recipe: Recipe, matrix: Matrix, names: Sequence[str], fitted: Fitted | None = None) -> list[Member]:
    """The recipe's members, fitted.

    names: of the columns that they may see
    fitted: of the same matrix; a member that several recipes share is fitted once
    """
    fitted = {} if fitted is None else fitted
    total = recipe.temperature * sum(member.weight for member in recipe.members)
    members = []
    for member in recipe.members:
        key = (apart_from_recipe(member), *names)
        if key not in fitted:
            fitted[key] = fit_member(member, matrix, names, weight=1.0)
        members.append(replace(fitted[key], name=member.name, weight=member.weight / total))
    return members


def apart_from_recipe(member: RecipeMember) -> tuple[Any, ...]:
    """What a fit depends on beside the rows: hashable, and the same for equal members of different recipes."""
    how = (member.without, member.list_weight, member.newest_lists, member.half_life)
    return (member.learner, *sorted(member.parameters.items()), *how)


def fit_member(member: RecipeMember, matrix: Matrix, names: Sequence[str], *, weight: float) -> Member:
    seen = [name for name in names if name not in member.without]
    places = {feature.name: at for at, feature in enumerate(matrix.inputs)}
    rows = _newest(member, matrix)
    sample = _Sample(
        features=[matrix.inputs[places[name]] for name in seen],
        values=rows.values[:, [places[name] for name in seen]],
        answers=rows.answers,
        weights=_weights(member, rows.lists),
    )
    kind, learn = LEARNERS[member.learner]
    text = learn(member, sample)
    return Member(name=member.name, kind=kind, columns=tuple(seen), weight=weight, text=text)


def can_be_learned(answers: Floats) -> bool:
    """Whether there is enough of both answers."""
    return bool(LEAST_POSITIVES <= answers.sum() <= len(answers) - LEAST_POSITIVES)


def _newest(member: RecipeMember, matrix: Matrix) -> Matrix:
    """The rows of its newest lists. Where these have too little of an answer, of as many more as it takes: of one answer
    alone a regression learns an infinite intercept and trees anything at all, and the older lists are what there is.
    """
    if member.newest_lists is None:
        return matrix
    newest_first = np.unique(matrix.lists)[::-1]
    for oldest in newest_first[member.newest_lists - 1 :]:
        there = matrix.lists >= oldest
        if can_be_learned(matrix.answers[there]):
            return matrix.only(there)
    return matrix


def _weights(member: RecipeMember, lists: npt.NDArray[np.int64]) -> Floats:
    """n to the power `list_weight`, n being the rows of a row's list; halved with each `half_life` lists of age."""
    _, place, counts = np.unique(lists, return_inverse=True, return_counts=True)
    of_lists: Floats = counts.astype(np.float64) ** member.list_weight
    if member.half_life is not None:
        of_lists *= 0.5 ** (np.arange(len(counts) - 1, -1, -1) / member.half_life)
    return of_lists[place]


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """What a learner is fitted to."""

    features: Sequence[Feature]
    values: Floats
    answers: Floats
    weights: Floats


def _boosted_trees(member: RecipeMember, sample: _Sample) -> str:
    parameters = {
        "learning_rate": member.parameter("learning_rate"),
        "num_leaves": int(member.parameter("leaves")),
        "min_data_in_leaf": int(member.parameter("leaf_rows")),
        "feature_fraction": member.parameter("feature_fraction"),
        "bagging_fraction": member.parameter("bagging_fraction"),
        "bagging_freq": 1,
        "cat_smooth": member.parameter("category_smoothing"),
    }
    return _trees(member, sample, parameters)


def _extra_trees(member: RecipeMember, sample: _Sample) -> str:
    """source: P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning 63, 2006"""
    parameters = {
        "boosting": "rf",
        "extra_trees": True,
        "bagging_fraction": 0.63,
        "bagging_freq": 1,
        "feature_fraction_bynode": 0.25,
        "num_leaves": int(member.parameter("leaves")),
        "min_data_in_leaf": int(member.parameter("leaf_rows")),
    }
    return _trees(member, sample, parameters)


def _trees(member: RecipeMember, sample: _Sample, parameters: dict[str, Any]) -> str:
    import lightgbm

    dataset = lightgbm.Dataset(
        sample.values,
        sample.answers,
        # Weights whose mean is 1: what a leaf must hold is said in rows.
        weight=sample.weights / sample.weights.mean(),
        categorical_feature=[at for at, feature in enumerate(sample.features) if feature.type == "category"],
        # By place: LightGBM refuses some characters that a contract's names may have.
        feature_name=[f"f{at}" for at in range(len(sample.features))],
    )
    threads = 2 if len(sample.values) >= THREADS_PAY_FROM else 1
    rounds = int(member.parameter("rounds"))
    given = {**TREES_ALWAYS, **parameters, "num_threads": threads}
    return str(lightgbm.train(given, dataset, num_boost_round=rounds).model_to_string())


def _ridge(member: RecipeMember, sample: _Sample) -> str:
    """Logistic regression with a penalty on the squares of coefficients, by Newton's method.

    Numbers are standardised and cut to the range that was learned from, since a line says nothing beyond it; where
    some are missing, that they are has a coefficient of its own.

    source: S. le Cessie, J. C. van Houwelingen, Ridge estimators in logistic regression, Applied Statistics 41, 1992
    """
    columns = [_Design.of(feature, sample.values[:, at]) for at, feature in enumerate(sample.features)]
    starts = np.cumsum([1, *(column.width for column in columns)])
    # Only where the steps begin: 0 or 1 to the last digit where a half-life leaves older lists no weight to speak of.
    rate = np.clip(np.average(sample.answers, weights=sample.weights), SUREST_START, 1 - SUREST_START)
    beta = np.zeros(int(starts[-1]))
    beta[0] = np.log(rate / (1 - rate))
    penalty = np.full(len(beta), 1 / member.parameter("strength"))
    penalty[0] = 0.0
    slope = _Descent(columns=columns, sample=sample, penalty=penalty)
    for _ in range(MOST_STEPS):
        step = slope.step(beta)
        beta -= step
        if np.abs(step).max() <= CLOSE:
            break
    usual = slope.means()
    terms = tuple(
        column.term(beta[start:end], expected=float(usual[start:end] @ beta[start:end]))
        for column, (start, end) in zip(columns, pairwise(starts), strict=True)
    )
    return Linear(intercept=float(beta[0]), terms=terms).to_text()


@dataclass(frozen=True, kw_only=True)
class _Descent:
    """The penalised negative log likelihood that a ridge regression makes as small as it can be."""

    columns: Sequence[_Design]
    sample: _Sample
    penalty: Floats

    def step(self, beta: Floats) -> Floats:
        """Newton's, halved until it goes down: far from the end the full one may go anywhere."""
        gradient: Floats = self.penalty * beta
        # A column that never varies has no curvature of its own.
        hessian: Floats = np.diag(self.penalty + 1e-9).astype(np.float64)
        for design, answers, weights in self._chunks():
            chance = 1 / (1 + np.exp(-design @ beta))
            gradient = gradient + np.asarray(design.T @ (weights * (chance - answers)))
            hessian = hessian + np.asarray((design * (weights * chance * (1 - chance))[:, None]).T @ design)
        step: Floats = np.linalg.solve(hessian, gradient).astype(np.float64)
        here = self.value(beta)
        for _ in range(MOST_HALVINGS):
            if self.value(beta - step) <= here:
                break
            step *= 0.5
        return step

    def value(self, beta: Floats) -> float:
        lost = 0.5 * float((self.penalty * beta * beta).sum())
        for design, answers, weights in self._chunks():
            odds = design @ beta
            lost += float((weights * (np.logaddexp(0, odds) - answers * odds)).sum())
        return lost

    def means(self) -> Floats:
        """Of the design matrix's columns, each row counted once: from there an explanation measures, as that of trees."""
        total: Floats = np.sum([design.sum(axis=0) for design, _, _ in self._chunks()], axis=0)
        return total / len(self.sample.values)

    def _chunks(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """The design matrix, answers and weights of some rows at a time."""
        for start in range(0, len(self.sample.values), CHUNK):
            rows = slice(start, start + CHUNK)
            values = self.sample.values[rows]
            parts = [column.matrix(values[:, at]) for at, column in enumerate(self.columns)]
            design = np.hstack([np.ones((len(values), 1)), *parts])
            yield design, self.sample.answers[rows], self.sample.weights[rows]


@dataclass(frozen=True, kw_only=True)
class _Design:
    """How a column becomes columns of the regression's design matrix, and coefficients a term again."""

    feature: Feature
    mean: float = 0.0
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0
    missing: bool = False
    """Whether values of it are missing in the rows learned from."""

    @classmethod
    def of(cls, feature: Feature, values: Floats) -> _Design:
        there = values[~np.isnan(values)]
        missing = len(there) < len(values)
        if feature.type == "category" or not len(there):
            return cls(feature=feature, missing=missing)
        return cls(
            feature=feature,
            mean=float(there.mean()),
            scale=float(there.std()) or 1.0,
            low=float(there.min()),
            high=float(there.max()),
            missing=missing,
        )

    @property
    def width(self) -> int:
        return (len(self.feature.values) if self.feature.type == "category" else 1) + self.missing

    def matrix(self, values: Floats) -> Floats:
        absent = np.isnan(values)
        if self.feature.type == "category":
            parts = [values == code for code in range(len(self.feature.values))]
        else:
            parts = [np.where(absent, 0.0, (values - self.mean) / self.scale)]
        found: Floats = np.stack([*parts, *([absent] if self.missing else [])], axis=1).astype(np.float64)
        return found

    def term(self, coefficients: Floats, *, expected: float) -> Term:
        """expected: the term's mean over the rows"""
        missing = float(coefficients[-1]) if self.missing else 0.0
        if self.feature.type == "category":
            named = dict(zip(self.feature.values, coefficients.tolist(), strict=False))
            return Levels(column=self.feature.name, coefficients=named, missing=missing, expected=expected)
        return Slope(
            column=self.feature.name,
            mean=self.mean,
            scale=self.scale,
            low=self.low,
            high=self.high,
            coefficient=float(coefficients[0]),
            missing=missing,
            expected=expected,
        )


Learn = Callable[[RecipeMember, _Sample], str]
LEARNERS: dict[Learner, tuple[str, Learn]] = {
    "boosted-trees": (TREES, _boosted_trees),
    "extra-trees": (TREES, _extra_trees),
    "ridge": (LINEAR, _ridge),
}
"""By the name that recipes use: the kind of member it becomes, and how it is fitted."""
