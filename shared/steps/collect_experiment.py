"""Collection of an experiment: the recipe that it found becomes a challenger of the dataset's live one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain import names
from shared.domain.facts import (
    ExperimentFinished,
    Fact,
    NothingFound,
    RecipeFound,
    RivalJudged,
)
from shared.domain.kinds.kind import Change
from shared.domain.models.leaderboard import LEADERBOARD, RECIPE, Leaderboard
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_text import recipe_of
from shared.domain.policy import AUTOML_MINUTES
from shared.errors import ConfigurationError
from shared.procedures.experiments import EXPERIMENT, failed, part_of
from shared.services import Services


class Unusable(Exception):
    """What the run left cannot be used; the message says why."""


def collect_experiment(fact: ExperimentFinished, services: Services) -> Iterable[Fact | Change]:
    """Puts the recipe where the dataset's next version takes its recipes from; nothing goes live by that."""
    if fact.status != "Completed":
        return [failed(fact, fact.reason or f"the run ended as {fact.status}")]
    try:
        board, recipe = _read(fact, services)
    except Unusable as problem:
        return [failed(fact, str(problem))]
    about = Change(kind="run", id=fact.run, values=_told(board, _folder(fact, services)))
    told: dict[str, Any] = {
        "run": fact.run,
        "dataset": fact.dataset,
        "version": fact.version,
        "purpose": fact.purpose,
        "reason": board.reason[:1000],
    }
    found: Fact
    if board.verdict is not None:
        found = RivalJudged(**told, verdict=board.verdict, seconds=60.0 * AUTOML_MINUTES)
    elif recipe is None:
        found = NothingFound(**told, seconds=board.seconds)
    else:
        found = RecipeFound(**told, recipe=recipe.name, seconds=board.seconds)
    return [found, about]


def _told(board: Leaderboard, folder: str) -> dict[str, Any]:
    return {
        "trials": board.trials,
        "searched_seconds": board.seconds,
        "best": list(board.best),
        "leaderboard": folder + LEADERBOARD,
    }


def _read(fact: ExperimentFinished, services: Services) -> tuple[Leaderboard, Recipe | None]:
    """The leaderboard, and the recipe, which is stored by then. raises: Unusable"""
    folder = _folder(fact, services)
    text = services.files.content(names.RECIPES, folder + LEADERBOARD)
    if text is None:
        raise Unusable(f"the run left no {names.RECIPES}/{folder}{LEADERBOARD}: may its compute write there?")
    try:
        board = Leaderboard.from_json(text)
    except ValueError as cause:
        raise Unusable(f"{names.RECIPES}/{folder}{LEADERBOARD} cannot be read: {cause}") from cause
    return board, None if board.found is None else _stored(fact, board.found, folder + RECIPE, services)


def _folder(fact: ExperimentFinished, services: Services) -> str:
    """By the name that we chose for the run, which the workspace may not have taken."""
    held = services.ledger.documents.read(EXPERIMENT, part_of(fact.dataset, fact.purpose))
    named = held.value.name if held is not None and held.value.run == fact.run else fact.run
    return names.experiment_folder(named)


def _stored(fact: ExperimentFinished, name: str, blob: str, services: Services) -> Recipe:
    text = services.files.content(names.RECIPES, blob)
    if text is None:
        raise Unusable(f"the run found {name}, and left no {names.RECIPES}/{blob}")
    try:
        recipe = recipe_of(text, where=f"{names.RECIPES}/{blob}")
    except ConfigurationError as cause:
        raise Unusable(str(cause)) from cause
    if recipe.name != name or not 1 <= recipe.searched <= fact.version:
        raise Unusable(
            f"{names.RECIPES}/{blob} holds {recipe.name}, searched on versions up to {recipe.searched}; the leaderboard"
            f" says {name}, and the run was on version {fact.version}"
        )
    place = names.recipe_blob(fact.dataset, recipe.name)
    if (
        services.files.stat(names.RECIPES, place) is None
    ):  # its name has its digest: what is there is the same
        services.files.write(names.RECIPES, place, text)
    return recipe
