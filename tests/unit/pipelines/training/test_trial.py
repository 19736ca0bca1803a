"""The trial: drops are scored before anybody learns from them, and nothing of the future is known while one is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.training import evidence, learners, trial
from pipelines.training.prepared import Decisions
from pipelines.training.trial import Past
from shared.domain.models.recipe import Recipe, RecipeMember
from shared.domain.models.recipe_gate import LEAST_ROWS, Drop
from tests.unit.pipelines.known_rows import drawn
from tests.unit.pipelines.runs import columns, part_of, trained

TREES = Recipe(name="trees", members=(RecipeMember(name="t", learner="boosted-trees"),))
RIDGE = Recipe(name="ridge", members=(RecipeMember(name="r", learner="ridge"),))
BOTH = Recipe(name="both", members=(*TREES.members, *RIDGE.members))
RECIPES = (TREES, RIDGE, BOTH)


def past(*sizes: int) -> Past:
    """Versions of so many rows each, a tenth of them held out."""
    total = sum(sizes)
    matrix = drawn(total, lists=len(sizes))
    versions = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    held = np.random.default_rng(5).random(total) < 0.1
    return Past(matrix=matrix, versions=versions, held_out=held, digests=np.arange(total, dtype=np.uint64))


def test_each_version_but_the_first_is_a_drop_and_is_scored_by_each_recipe(tmp_path: Path) -> None:
    found = trial.trial(past(600, 400, 300), RECIPES, None, tmp_path)
    assert [(drop.version, drop.rows) for drop in found.drops] == [(2, 400), (3, 300)]
    assert {drop.recipes for drop in found.drops} == {tuple(recipe.digest for recipe in RECIPES)}
    assert (found.live, found.since, found.newest) == (TREES, 0, 3)
    scores = pq.read_table(tmp_path / "3.parquet")
    assert scores.column_names == ["row", "answer", *(recipe.digest for recipe in RECIPES)]
    assert scores.num_rows == 300


@pytest.mark.parametrize("version", [2, 3])
def test_whatever_the_future_holds_a_drop_is_scored_the_same(tmp_path: Path, version: int) -> None:
    """Neither the drop's own answers nor anything later is known to who scores it."""
    one = past(600, 400, 300, 200)
    future = one.versions >= version
    values, answers = np.array(one.matrix.values), np.array(one.matrix.answers)
    turned = future & (
        np.random.default_rng(7).random(len(answers)) < 0.1
    )  # not so many that the drop is doubted
    answers[turned] = 1 - answers[turned]
    values[one.versions > version] = np.random.default_rng(6).permutation(values[one.versions > version])
    other = replace(one, matrix=replace(one.matrix, values=np.asfortranarray(values), answers=answers))
    for name, each in (("one", one), ("other", other)):
        trial.trial(each, RECIPES, None, tmp_path / name)
    first, second = (pq.read_table(tmp_path / name / f"{version}.parquet") for name in ("one", "other"))
    for recipe in RECIPES:
        assert first[recipe.digest].equals(second[recipe.digest])
    assert not first["answer"].equals(second["answer"])


def test_a_row_whose_features_were_there_before_is_no_news(tmp_path: Path) -> None:
    one = past(600, 400)
    digests = np.array(one.digests)
    digests[600:700] = digests[:100]
    (drop,) = trial.trial(replace(one, digests=digests), RECIPES, None, tmp_path).drops
    assert drop.rows == 300


def test_held_out_rows_are_scored_and_not_learned_from() -> None:
    one = past(600, 400)
    assert len(one.before(2).answers) == int((~one.held_out[:600]).sum())
    rows, _, fresh = one.drop(2)
    assert len(rows.answers) == fresh.sum() == 400


def test_rows_in_doubt_are_not_learned_from() -> None:
    one = past(600, 400, 300)
    learned = one.before(3, doubted={2}).answers
    assert len(learned) == int((~one.held_out[:600]).sum())


def test_drops_that_an_earlier_run_scored_are_taken_over_as_they_are(tmp_path: Path) -> None:
    known = trial.trial(past(600, 400), RECIPES, None, tmp_path / "before")
    found = trial.trial(past(600, 400, 300), RECIPES, known, tmp_path / "now")
    assert found.drops[0] is known.drops[0]
    assert [file.name for file in (tmp_path / "now").iterdir()] == ["3.parquet"]


@pytest.mark.parametrize("rows", [1, LEAST_ROWS - 1])
def test_a_drop_of_few_rows_is_passed_over(tmp_path: Path, rows: int) -> None:
    assert trial.trial(past(600, rows), RECIPES, None, tmp_path).drops == ()


@pytest.mark.parametrize("versions", [15, 40])
@pytest.mark.parametrize("bad", [2, 3, 14])
def test_of_many_new_versions_the_old_ones_are_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions: int, bad: int
) -> None:
    """As many refits as for twice the drops at once, however many versions there are."""
    fits: list[str] = []
    fit = trial.fit
    monkeypatch.setattr(trial, "fit", lambda recipe, *more: fits.append(recipe.name) or fit(recipe, *more))
    one = past(1000, *[300] * (versions - 1))
    answers = np.array(one.matrix.answers)
    answers[one.versions == bad] = 1 - answers[one.versions == bad]
    turned = replace(one, matrix=replace(one.matrix, answers=answers))
    found = trial.trial(turned, (RIDGE,), None, tmp_path)
    assert {doubt.version for doubt in found.doubts} == {bad}
    drops = [*range(versions - trial.MOST_DROPS_AT_ONCE + 1, versions + 1)]
    assert [drop.version for drop in found.drops] == [each for each in drops if each != bad]
    assert len(fits) <= 2 * trial.MOST_DROPS_AT_ONCE


def test_where_nothing_can_be_learned_yet_there_is_no_evidence(tmp_path: Path) -> None:
    one = past(600, 400)
    answers = np.array(one.matrix.answers)
    answers[:600] = 0
    none = replace(one, matrix=replace(one.matrix, answers=answers))
    assert trial.trial(none, RECIPES, None, tmp_path).drops == ()


def test_a_recipe_that_a_search_found_is_judged_on_no_drop_that_it_was_searched_on(tmp_path: Path) -> None:
    found = replace(RIDGE, searched=3)
    drops = trial.trial(past(600, 400, 300, 200), (TREES, found), None, tmp_path).drops
    assert [(drop.version, found.digest in drop.recipes) for drop in drops] == [
        (2, False),
        (3, False),
        (4, True),
    ]
    assert found.digest == RIDGE.digest


@pytest.mark.parametrize("others", [(), (TREES,)])
def test_the_live_recipe_is_judged_first_and_always(tmp_path: Path, others: tuple[Recipe, ...]) -> None:
    """Also on a drop that it was searched on, once that is judged anew; each run reads its recipe from a file again."""
    live = replace(RIDGE, searched=3)
    known = trial.trial(past(600, 400, 300), (*others, RIDGE), None, tmp_path / "before")
    known = replace(known, live=Recipe.from_json(live.to_json()))
    given = (*others, Recipe.from_json(live.to_json()))
    withdrawn = Decisions(withdrawn={"upload/bad.csv/1": 2})
    found = trial.trial(past(600, 380, 300, 200), given, known, tmp_path / "now", withdrawn)
    again, _, new = found.drops
    alone = trial.trial(past(600, 380, 300, 200), (RIDGE,), None, tmp_path / "alone").drops
    assert [drop.recipes[0] for drop in (again, new)] == [RIDGE.digest] * 2
    assert [drop.auc for drop in (again, new)] == [alone[0].auc, alone[2].auc]


def test_a_drop_that_is_judged_anew_is_not_therefore_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual: list[list[float]] = []
    sizes = (600, 400, 300, 350, 200)
    known = trial.trial(past(*sizes[:4]), RECIPES, None, tmp_path / "before")
    withdrawn = Decisions(withdrawn={"upload/bad.csv/1": 2})

    def never(version: int, rows: Any, expected: Any) -> list[Any]:
        usual.append(expected.recent)
        return []

    monkeypatch.setattr(trial, "doubts", never)
    found = trial.trial(past(*sizes), RECIPES, known, tmp_path / "now", withdrawn)
    assert usual[-1] == [drop.auc for drop in found.drops if drop.version < 5]
    assert len(set(usual[-1])) == 3


def test_a_member_that_recipes_share_is_fitted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[str] = []
    fit = learners.fit_member

    def counted(member: RecipeMember, *given: Any, **more: Any) -> Any:
        fitted.append(member.name)
        return fit(member, *given, **more)

    monkeypatch.setattr(learners, "fit_member", counted)
    trial.trial(past(600, 400), RECIPES, None, tmp_path)
    assert sorted(fitted) == ["r", "t"]


def test_a_recipe_that_does_not_read_the_lists_columns_never_sees_them() -> None:
    rows = drawn(100)
    assert learners.columns_of(TREES, rows) == [feature.name for feature in rows.inputs]
    assert learners.columns_of(replace(TREES, list_columns=False), rows) == ["age, in years", "job"]


def test_the_evidence_travels_with_the_models(tmp_path: Path) -> None:
    parts = [part_of(tmp_path / "parts", columns(700, seed), version=seed) for seed in (1, 2, 3)]
    first = trained(tmp_path, parts[:1])
    second = trained(tmp_path, parts[:2], version=2, earlier=first)
    third = trained(tmp_path, parts, version=3, earlier=second)
    one, two, three = (evidence.read_evidence(home) for home in (first, second, third))
    assert one
    assert two
    assert three
    assert [drop.version for drop in one.drops] == []
    assert [drop.version for drop in two.drops] == [2]
    assert three.drops[:1] == two.drops
    assert [drop.version for drop in three.drops] == [2, 3]
    said = json.loads((third / "evaluation.json").read_text())
    assert said["recipe"]["name"] == "blend"
    assert {one["drops"] for one in said["trial"]["standings"]} == {2}


def test_a_recipe_that_is_better_is_live_from_then_on(tmp_path: Path) -> None:
    """What earlier drops said decides, and the model is made by the recipe that won."""
    parts = [part_of(tmp_path / "parts", columns(700, seed), version=seed) for seed in (1, 2)]
    candidate = trained(tmp_path, parts[:1])
    known = evidence.read_evidence(candidate)
    assert known
    challenger = json.loads((candidate.parent / "prepared" / "recipes.json").read_text())[1]
    drops = [
        Drop(
            version=1,
            rows=5000,
            recipes=(known.live.digest, challenger["digest"]),
            losses=(0.4, 0.3),
            covariance=((0.01, 0.0), (0.0, 0.01)),
        )
    ] * 3
    (candidate / evidence.EVIDENCE).write_text(json.dumps(replace(known, drops=tuple(drops)).to_json()))
    again = trained(tmp_path, parts, version=2, earlier=candidate)
    said = json.loads((again / "evaluation.json").read_text())
    assert said["recipe"]["name"] == challenger["name"]
    assert said["trial"]["replaced"] == known.live.digest
