"""A recipe as a YAML file says it: the form of `recipes/`, and of what a search has found."""

from __future__ import annotations

from typing import Any

from shared.domain.models.recipe import Recipe
from shared.errors import ConfigurationError


def recipe_of(text: bytes, *, where: str) -> Recipe:
    """raises: ConfigurationError that names the file and what is wrong in it"""
    import yaml

    try:
        return Recipe.from_json(yaml.safe_load(text.decode("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, ConfigurationError) as cause:
        raise ConfigurationError(f"{where}: {cause}") from cause


def text_of(recipe: Recipe, *, comment: str = "") -> bytes:
    """comment: stands above it"""
    import yaml

    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    body = yaml.safe_dump(_spoken(recipe), sort_keys=False, width=110, allow_unicode=True)
    return f"{lines}{body}".encode()


def _spoken(recipe: Recipe) -> dict[str, Any]:
    """Without what says nothing: no weights where all are 1, nothing that is empty."""
    body = recipe.said()
    members = [
        {name: _plain(value) for name, value in member.items() if value not in ((), {}, None, 0.0, "")}
        for member in body.pop("members")
    ]
    listed = {"list_columns": False} if not body.pop("list_columns") else {}
    return {**{name: value for name, value in body.items() if value != ""}, **listed, "members": members}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
