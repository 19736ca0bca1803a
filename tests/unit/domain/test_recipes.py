"""Recipes: what may stand in one, what a fault says, and what makes two the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.recipes import load_recipes
from shared.domain.models.recipe import PARAMETERS, Recipe, recipes_from
from shared.domain.models.recipe_text import recipe_of, text_of
from shared.domain.policy import Policy
from shared.errors import ConfigurationError
from shared.package_data import RECIPES

PLAIN: dict[str, Any] = {"name": "plain", "members": [{"name": "trees", "learner": "boosted-trees"}]}


def with_member(**more: Any) -> dict[str, Any]:
    return {**PLAIN, "members": [{**PLAIN["members"][0], **more}]}


def test_those_that_ship_can_be_read_and_the_first_is_the_policys() -> None:
    found = load_recipes(RECIPES, first=Policy().first_recipe)
    assert found[0].name == Policy().first_recipe
    assert len(found) == len(list(RECIPES.glob("*.yaml")))


def test_a_first_recipe_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r"FIRST_RECIPE is 'magic', but .* has: blend, boosted"):
        load_recipes(RECIPES, first="magic")


def test_a_faulty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("name: odd\nmembers: []\n")
    with pytest.raises(ConfigurationError, match=r"odd\.yaml: recipe 'odd' has no members"):
        load_recipes(tmp_path, first="odd")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "a recipe is an object"),
        ({**PLAIN, "name": "Not so"}, "'Not so'; use small letters, digits and hyphens"),
        ({**PLAIN, "calibration": "platt"}, "a recipe has calibration; known are"),
        (with_member(learner="oracle"), "the learner 'oracle'; known are boosted-trees, extra-trees, ridge"),
        (with_member(parameters={"depth": 3}), "the parameters of 'trees' (boosted-trees) has depth"),
        (with_member(parameters={"rounds": 1}), "rounds of 'trees' is 1; give a number from 10 to 2000"),
        (with_member(weight=0), "the weight of 'trees' is 0"),
        (with_member(weight=True), "the weight of 'trees' is True"),
        (with_member(list_weight=0.5), "the list_weight of 'trees' is 0.5; give a number from -1 to 0"),
        (with_member(newest_lists=0), "newest_lists of 'trees' is 0"),
        (with_member(half_life=0), "the half_life of 'trees' is 0; give a number from 0.1 to 1000"),
        ({**PLAIN, "temperature": 3}, "the temperature of 'plain' is 3; give a number from 0.5 to 2"),
        ({**PLAIN, "searched": -1}, "searched of 'plain' is -1; give a dataset version, or nothing"),
        ({**PLAIN, "members": PLAIN["members"] * 2}, "two members of one name"),
    ],
)
def test_a_fault_says_what_is_wrong_and_what_would_do(body: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        Recipe.from_json(body)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="one name"):
        recipes_from([PLAIN, PLAIN])


def test_a_digest_is_of_what_is_done_and_not_of_what_it_is_called() -> None:
    one = Recipe.from_json(PLAIN)
    assert Recipe.from_json({**PLAIN, "name": "renamed", "title": "The same"}).digest == one.digest
    assert Recipe.from_json(with_member(parameters={"rounds": 151})).digest != one.digest
    assert Recipe.from_json({**PLAIN, "list_columns": False}).digest != one.digest
    assert Recipe.from_json(one.to_json()) == one


def test_every_default_is_within_its_bounds() -> None:
    for parameters in PARAMETERS.values():
        assert all(least <= usual <= most for least, most, usual in parameters.values())


def test_recipes_keep_their_digests_though_recipes_can_say_more_now() -> None:
    """The books of evidence know them by these."""
    found = {recipe.name: recipe.digest for recipe in load_recipes(RECIPES, first="blend")}
    assert found == {
        "blend": "1fc60d5cacaf6458",
        "boosted": "a3fce390ac569e93",
        "boosted-plain": "ffff1e47555672ec",
        "ridge": "858132ddd1f31214",
    }


def test_how_a_recipe_was_found_is_not_what_it_is_but_how_sure_it_is_is() -> None:
    plain = Recipe.from_json(PLAIN)
    assert Recipe.from_json({**PLAIN, "searched": 7}).digest == plain.digest
    assert Recipe.from_json({**PLAIN, "temperature": 1.1}).digest != plain.digest
    assert Recipe.from_json(with_member(half_life=3)).digest != plain.digest


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"temperature": 1.25, "searched": 4, "title": "Why: it is better", "list_columns": False},
        with_member(
            half_life=6, without=["month"], list_weight=-0.5, newest_lists=3, parameters={"rounds": 20}
        ),
    ],
)
def test_a_file_says_the_recipe_and_why(more: dict[str, Any]) -> None:
    recipe = Recipe.from_json({**PLAIN, **more})
    text = text_of(recipe, comment="found\non two lines")
    assert text.startswith(b"# found\n# on two lines\nname: plain\n")
    assert recipe_of(text, where="here") == recipe
    assert b"null" not in text
    assert b"{}" not in text
