"""A recipe: how a model is made of a dataset version (learners, columns, weights), apart from the rows it is made of.

A recipe is data: it is written in YAML (`recipes/`) or found by the experimentation pipeline, compared with other
recipes by `recipe_gate`, and refitted to each new dataset version by the training pipeline.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from shared.domain.json_types import as_json
from shared.errors import ConfigurationError

Learner = Literal["boosted-trees", "extra-trees", "ridge"]
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
PARAMETERS: Mapping[Learner, Mapping[str, tuple[float, float, float]]] = {
    "boosted-trees": {
        "rounds": (10, 2000, 150),
        "learning_rate": (0.001, 0.5, 0.05),
        "leaves": (2, 255, 15),
        "leaf_rows": (1, 10_000, 20),
        "feature_fraction": (0.1, 1, 1),
        "bagging_fraction": (0.1, 1, 1),
        "category_smoothing": (0, 1000, 10),
    },
    "extra-trees": {"rounds": (10, 1000, 60), "leaves": (2, 1024, 256), "leaf_rows": (1, 10_000, 20)},
    "ridge": {"strength": (1e-4, 1e4, 1)},
}
"""Of each learner: its parameters, the least and most that they may be, and what they are where a recipe is silent."""


TEMPERATURES = (0.5, 2.0)
"""The least and the most."""
_SILENT: Mapping[str, Any] = {"half_life": None, "temperature": 1.0, "searched": 0}
"""Fields that recipes did not always have, and what they are where nothing is said."""


@dataclass(frozen=True, kw_only=True)
class RecipeMember:
    """One learner of a recipe, and how it sees the rows."""

    name: str
    learner: Learner
    weight: float = 1.0
    """In the mean of log-odds, beside the other members' weights."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    """Columns of the contract that it does not see."""
    list_weight: float = 0.0
    """A row weighs n to this power, n being the rows of its list; 0: all rows weigh the same."""
    newest_lists: int | None = None
    """Of how many lists, the newest, it learns, and of more where these have too few of an answer; None: of all."""
    half_life: float | None = None
    """A row weighs half as much with each so many lists that are newer than its own; None: age does not count."""

    def parameter(self, name: str) -> float:
        return self.parameters.get(name, PARAMETERS[self.learner][name][2])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Learners whose log-odds are averaged."""

    name: str
    members: tuple[RecipeMember, ...]
    title: str = ""
    list_columns: bool = True
    """Whether the members see the columns of the list as a whole, where the contract has such."""
    temperature: float = 1.0
    """The mean of the log-odds is divided by it: above 1 the model is less sure of all it says, below 1 surer.

    source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural networks, ICML 2017"""
    searched: int = 0
    """The newest dataset version whose drop chose it, where a search did: no drop up to it is evidence on it."""

    @property
    def digest(self) -> str:
        """Names what is done, whatever it is called and however it was found: evidence is about equal digests."""
        meant = {**self.said(), "name": None, "title": None}
        meant.pop("searched", None)
        return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()[:16]

    def said(self) -> dict[str, Any]:
        """Its fields, less the newer ones that say nothing: a recipe keeps its digest when recipes can say more."""
        body: dict[str, Any] = as_json(self)
        for fields in (body, *body["members"]):
            for name in [name for name, silent in _SILENT.items() if fields.get(name, ...) == silent]:
                del fields[name]
        return body

    def to_json(self) -> dict[str, Any]:
        return {**self.said(), "digest": self.digest}

    @classmethod
    def from_json(cls, body: object) -> Self:
        """raises: ConfigurationError that says what is wrong, and what would do"""
        if not isinstance(body, Mapping):
            raise ConfigurationError("a recipe is an object with a name and members")
        _refuse_unknown("a recipe", body, {*cls.__dataclass_fields__, "digest"})
        name = _name(body.get("name"), "a recipe")
        members = body.get("members")
        if not isinstance(members, (list, tuple)) or not members:
            raise ConfigurationError(f"recipe {name!r} has no members; give at least one learner")
        found = tuple(_member(name, member) for member in members)
        if len({member.name for member in found}) < len(found):
            raise ConfigurationError(f"recipe {name!r} has two members of one name; name each differently")
        return cls(
            name=name,
            title=str(body.get("title", "")),
            members=found,
            list_columns=bool(body.get("list_columns", True)),
            temperature=_number(f"the temperature of {name!r}", body.get("temperature", 1.0), *TEMPERATURES),
            searched=_searched(name, body.get("searched", 0)),
        )


def recipes_from(bodies: Iterable[object]) -> tuple[Recipe, ...]:
    """raises: ConfigurationError"""
    found = tuple(Recipe.from_json(body) for body in bodies)
    by_name = {recipe.name: recipe for recipe in found}
    if len(by_name) < len(found):
        raise ConfigurationError(f"two of the recipes {', '.join(sorted(by_name))} have one name; rename one")
    return found


def _member(recipe: str, body: object) -> RecipeMember:
    where = f"a member of recipe {recipe!r}"
    if not isinstance(body, Mapping):
        raise ConfigurationError(f"{where} is no object; give it a name and a learner")
    _refuse_unknown(where, body, set(RecipeMember.__dataclass_fields__))
    name = _name(body.get("name"), where)
    learner: Learner | None = next((one for one in PARAMETERS if one == body.get("learner")), None)
    if learner is None:
        raise ConfigurationError(
            f"member {name!r} of recipe {recipe!r} has the learner {body.get('learner')!r}; known are"
            f" {', '.join(PARAMETERS)}"
        )
    member = RecipeMember(
        name=name,
        learner=learner,
        weight=_number(f"the weight of {name!r}", body.get("weight", 1.0), 1e-6, 1e6),
        parameters=_parameters(name, learner, body.get("parameters") or {}),
        without=tuple(map(str, body.get("without", ()))),
        list_weight=_number(f"the list_weight of {name!r}", body.get("list_weight", 0.0), -1, 0),
        newest_lists=body.get("newest_lists"),
        half_life=_half_life(name, body.get("half_life")),
    )
    if member.newest_lists is not None and not (
        isinstance(member.newest_lists, int) and member.newest_lists > 0
    ):
        raise ConfigurationError(
            f"newest_lists of {name!r} is {member.newest_lists!r}; give a count of at least 1"
        )
    return member


def _half_life(member: str, value: object) -> float | None:
    return None if value is None else _number(f"the half_life of {member!r}", value, 0.1, 1000)


def _searched(recipe: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"searched of {recipe!r} is {value!r}; give a dataset version, or nothing")
    return value


def _parameters(member: str, learner: Learner, given: Mapping[str, Any]) -> dict[str, float]:
    known = PARAMETERS[learner]
    _refuse_unknown(f"the parameters of {member!r} ({learner})", given, set(known))
    return {name: _number(f"{name} of {member!r}", value, *known[name][:2]) for name, value in given.items()}


def _number(what: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ConfigurationError(f"{what} is {value!r}; give a number from {least:g} to {most:g}")
    return value


def _name(value: object, where: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ConfigurationError(f"{where} has the name {value!r}; use small letters, digits and hyphens")
    return value


def _refuse_unknown(where: str, body: Mapping[Any, Any], known: set[str]) -> None:
    unknown = [str(name) for name in body if name not in known]
    if unknown:
        raise ConfigurationError(f"{where} has {', '.join(unknown)}; known are {', '.join(sorted(known))}")
