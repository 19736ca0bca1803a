"""Reads the recipes from their folder of YAML files."""

from __future__ import annotations

from pathlib import Path

from shared.domain.models.recipe import Recipe, recipes_from
from shared.errors import ConfigurationError


def load_recipes(folder: str | Path, *, first: str) -> tuple[Recipe, ...]:
    """Every `*.yaml` of the folder, the one that datasets start with first.

    raises: ConfigurationError that names the file
    """
    import yaml

    bodies = []
    for path in sorted(Path(folder).glob("*.yaml")):
        try:
            bodies.append(Recipe.from_json(yaml.safe_load(path.read_text(encoding="utf-8"))).to_json())
        except (yaml.YAMLError, UnicodeDecodeError, ConfigurationError) as cause:
            raise ConfigurationError(f"{path}: {cause}") from cause
    found = recipes_from(bodies)
    if first not in {recipe.name for recipe in found}:
        there = ", ".join(recipe.name for recipe in found) or "none"
        raise ConfigurationError(f"FIRST_RECIPE is {first!r}, but {folder} has: {there}")
    return tuple(sorted(found, key=lambda recipe: (recipe.name != first, recipe.name)))
