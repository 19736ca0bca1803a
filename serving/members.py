"""Members of a model: learners over some of its columns, whose log-odds are averaged with weights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from serving.boosted import Boosted, meaning
from serving.features import Feature, Floats
from serving.linear import FittedLinear, Linear
from serving.log_odds import clipped, probability_of

TREES, LINEAR = "trees", "linear"
_SUFFIX = {TREES: "txt", LINEAR: "json"}
_NAME = re.compile(r"[a-z0-9_-]{1,40}")
_LEAST_SUM, _MOST_SUM = 0.5, 2.0
"""Of the weights, whose sum is 1 unless the model is calibrated: it is 1 / temperature."""
_ROUNDING = 1e-9


class Learner(Protocol):
    """Over a matrix of the columns that it reads."""

    def predict(self, matrix: Floats) -> Floats: ...

    def log_odds(self, matrix: Floats) -> Floats: ...

    def contributions(self, matrix: Floats) -> tuple[Floats, float]: ...


@dataclass(frozen=True, kw_only=True)
class Member:
    """A learner as it is stored: text, which runs no code where it is loaded."""

    name: str
    kind: str
    """trees or linear."""
    columns: tuple[str, ...]
    """The columns of the model that it reads: the i-th is the trees' feature i, or the i-th term's."""
    weight: float
    """Of its log-odds in the mean."""
    text: str
    """LightGBM's of a booster, or `Linear.to_text`'s."""

    @property
    def stored(self) -> str:
        """The text without what says nothing about its answers."""
        return meaning(self.text) if self.kind == TREES else self.text

    def to_json(self) -> dict[str, Any]:
        """What its answers follow from."""
        return {
            "name": self.name,
            "kind": self.kind,
            "columns": list(self.columns),
            "weight": self.weight,
            "sha256": hashlib.sha256(self.stored.encode()).hexdigest(),
        }

    def file(self, variant: str) -> str:
        """Where a model's folder has it."""
        return f"{variant}-{self.name}.{_SUFFIX[self.kind]}"


def check(members: Sequence[Member], known: Sequence[str]) -> None:
    """known: the columns that they may read. raises: ValueError"""
    names = [member.name for member in members]
    if len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
        raise ValueError(
            f"the members are named {names}; give each a name of its own, such as plain or small-2"
        )
    for member in members:
        if member.kind not in _SUFFIX:
            raise ValueError(
                f"member {member.name} is of the kind {member.kind!r}; known are {', '.join(_SUFFIX)}"
            )
        distinct = set(member.columns)
        if (
            not distinct
            or len(distinct) < len(member.columns)
            or not distinct <= set(known)
            or not member.weight > 0
        ):
            raise ValueError(
                f"member {member.name} has the weight {member.weight} and reads {', '.join(member.columns)};"
                f" give it a weight above 0 and columns, each once, out of {', '.join(known)}"
            )
    total = sum(member.weight for member in members)
    if not _LEAST_SUM - _ROUNDING <= total <= _MOST_SUM + _ROUNDING:
        raise ValueError(
            f"the weights of {', '.join(names) or 'no members'} add up to {total}; they must to 1, or, where the model"
            f" is calibrated, to {_LEAST_SUM} to {_MOST_SUM}"
        )


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A member that answers: its learner, and where the model's matrix has the columns that it reads."""

    member: Member
    learner: Learner
    places: tuple[int, ...]
    pick: Callable[[Floats], Floats]

    def log_odds(self, matrix: Floats) -> Floats:
        return self.learner.log_odds(self.pick(matrix))


def fitted(member: Member, inputs: Sequence[Feature]) -> Fitted:
    """inputs: of the model's matrix, by column. raises: ValueError for a text that is none of such a learner"""
    places = {feature.name: at for at, feature in enumerate(inputs)}
    picked = [places[name] for name in member.columns]
    learner: Learner
    if member.kind == TREES:
        learner = Boosted.from_text(member.text, len(picked))
    else:
        learner = FittedLinear(Linear.from_text(member.text), [inputs[at] for at in picked])
    pick = _picker(picked, len(inputs))
    return Fitted(member=member, learner=learner, places=tuple(picked), pick=pick)


def _picker(places: Sequence[int], width: int) -> Callable[[Floats], Floats]:
    """Columns stay each in one piece; those that follow each other are not copied."""
    first, end = places[0], places[-1] + 1
    if list(places) == list(range(width)):
        return lambda matrix: matrix
    if list(places) == list(range(first, end)):
        return lambda matrix: matrix[:, first:end]
    rows = np.array(places, np.intp)
    return lambda matrix: matrix.T[rows].T


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The members that answer one kind of rows, and the mean of their log-odds."""

    members: tuple[Fitted, ...]

    @property
    def compiled(self) -> bool:
        """Whether all of its trees are."""
        trees = [one.learner for one in self.members if isinstance(one.learner, Boosted)]
        return all(learner.compiled for learner in trees)

    @property
    def alone(self) -> bool:
        """Whether one member's answer is the model's as it is."""
        return len(self.members) == 1 and abs(self.members[0].member.weight - 1) <= _ROUNDING

    def predict(self, matrix: Floats) -> Floats:
        """Of the positive answer, a row each: sigmoid(sum of weight * log-odds); of one member what it says itself."""
        if self.alone:
            (only,) = self.members
            return only.learner.predict(only.pick(matrix))
        return probability_of(self.log_odds(matrix))

    def log_odds(self, matrix: Floats) -> Floats:
        total = np.zeros(len(matrix))
        for one in self.members:
            total += one.member.weight * one.log_odds(matrix)
        return total

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """How far each of the model's columns moves each row's log-odds away from what is expected, and that."""
        total, expected = np.zeros(matrix.shape), 0.0
        for one in self.members:
            said, base = one.learner.contributions(one.pick(matrix))
            if not self.alone:
                said, base = _clipped(said, base)
            total[:, one.places] += one.member.weight * said
            expected += one.member.weight * base
        return total, expected


def _clipped(contributions: Floats, expected: float) -> tuple[Floats, float]:
    """The same of a member that is clipped: made smaller in proportion, so that they still add up to its log-odds."""
    moved = contributions.sum(axis=1)
    base = clipped(np.array([expected]))
    kept = clipped(expected + moved) - base
    share = np.divide(kept, moved, out=np.ones_like(moved), where=moved != 0)
    return contributions * share[:, np.newaxis], float(base[0])


def loaded(members: Sequence[Member], inputs: Sequence[Feature]) -> Variant:
    """raises: ValueError"""
    return Variant(members=tuple(fitted(member, inputs) for member in members))


Variants = Mapping[str, Variant]
