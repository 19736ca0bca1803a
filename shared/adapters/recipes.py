"""Reads the recipes from their folder of YAML files."""

from __future__ import annotations

from pathlib import Path

from shared.domain.models.recipe import Recipe, recipes_from
from shared.domain.models.recipe_text import recipe_of
from shared.errors import ConfigurationError


def load_recipes(folder: str | Path, *, first: str) -> tuple[Recipe, ...]:
    """Every `*.yaml` of the folder, the one that datasets start with first.

    raises: ConfigurationError that names the file
    """
    files = sorted(Path(folder).glob("*.yaml"))
    found = recipes_from(recipe_of(file.read_bytes(), where=str(file)).to_json() for file in files)
    if first not in {recipe.name for recipe in found}:
        there = ", ".join(recipe.name for recipe in found) or "none"
        raise ConfigurationError(f"FIRST_RECIPE is {first!r}, but {folder} has: {there}")
    return tuple(sorted(found, key=lambda recipe: (recipe.name != first, recipe.name)))
