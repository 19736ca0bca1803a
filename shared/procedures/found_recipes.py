"""The recipes that models of a dataset may be made by: those of the files, and the newest that experiments found."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from shared.domain import names
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_text import recipe_of
from shared.errors import ConfigurationError
from shared.services import Services

log = logging.getLogger(__name__)

MOST_FOUND = 4
"""That challenge the live recipe at a time, the newest: each costs a refit at every drop, and makes the others wait longer
for their evidence."""


def recipes_for(dataset: str, services: Services) -> list[Recipe]:
    """The one that a dataset starts with first. A found one of a name or a meaning that is there already adds nothing."""
    known = list(services.recipes)
    for recipe in _found(dataset, services):
        if recipe.name not in {one.name for one in known} and recipe.digest not in {
            one.digest for one in known
        }:
            known.append(recipe)
    return known


def _found(dataset: str, services: Services) -> Iterator[Recipe]:
    """The newest ones, the oldest of them first. One that cannot be read is passed over: it must not keep versions from
    being registered."""
    lying = services.files.list(names.RECIPES, prefix=f"{dataset}/")
    files = sorted(
        (blob for blob in lying if _is_recipe(blob.name)), key=lambda one: (one.modified, one.name)
    )
    for blob in files[-MOST_FOUND:]:
        try:
            text = services.files.content(names.RECIPES, blob.name) or b""
            yield recipe_of(text, where=f"{names.RECIPES}/{blob.name}")
        except ConfigurationError as cause:
            log.warning("a recipe is passed over: %s", cause)


def _is_recipe(name: str) -> bool:
    return name.count("/") == 1 and name.endswith(".yaml")
