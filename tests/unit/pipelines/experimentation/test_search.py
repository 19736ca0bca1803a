"""The search: nothing of the future is known in it, the same seed is the same leaderboard, and time is kept."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.experimentation import search as searching
from pipelines.experimentation import space
from pipelines.experimentation.rolling import Rolling
from pipelines.experimentation.search import Search, search
from pipelines.experimentation.space import candidates
from pipelines.experimentation.trials import ranked
from pipelines.training import learners, trial
from pipelines.training.evidence import Evidence
from pipelines.training.metrics import losses
from pipelines.training.plausibility import Doubt
from pipelines.training.trial import SUREST, Past
from shared.domain.models.leaderboard import LEADERBOARD, RECIPE, Leaderboard
from shared.domain.models.recipe import Recipe, RecipeMember
from shared.domain.models.recipe_gate import Drop
from shared.domain.models.recipe_text import recipe_of
from tests.unit.pipelines.known_rows import drawn

TREES = Recipe(
    name="trees", members=(RecipeMember(name="boosted", learner="boosted-trees", parameters={"rounds": 10}),)
)
RIDGE = Recipe(
    name="line", members=(RecipeMember(name="ridge", learner="ridge", parameters={"strength": 0.001}),)
)
KNOWN = (TREES, RIDGE)
SIZES = (500, 200, 250, 200, 300)


def past(*sizes: int) -> Past:
    """Versions of so many rows each, a list each, a tenth of them held out."""
    total = sum(sizes)
    versions = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    return Past(
        matrix=replace(drawn(total), lists=versions),
        versions=versions,
        held_out=np.random.default_rng(5).random(total) < 0.1,
        digests=np.arange(total, dtype=np.uint64),
    )


def book(*versions: int, doubted: tuple[int, ...] = ()) -> Evidence:
    """A book of evidence on drops of these versions."""
    drops = [
        Drop(version=each, rows=100, recipes=(TREES.digest,), losses=(0.3,), covariance=((0.1,),))
        for each in versions
    ]
    doubts = tuple(Doubt(version=each, kind="label rate", reason="odd") for each in doubted)
    return Evidence(drops=tuple(drops), live=TREES, since=0, doubts=doubts)


def few(names: str = "boosted-trees ridge extra-trees", ages: int = 2) -> pytest.MonkeyPatch:
    patch = pytest.MonkeyPatch()
    chosen = {name: space.PARAMETERS[name][:1] for name in space.PARAMETERS if name in names.split()}
    chosen = {
        name: ({**several[0], "rounds": 20},) if "trees" in name else several
        for name, several in chosen.items()
    }
    patch.setattr(space, "PARAMETERS", chosen)
    patch.setattr(space, "AGES", space.AGES[:ages])
    return patch


@pytest.fixture(autouse=True)
def small() -> Any:
    patch = few()
    yield
    patch.undo()


def searched(rows: Past, *, seed: int = 1, seconds: float = 60, known: Evidence | None = None) -> Search:
    found = search(rows, KNOWN, known or book(2, 3, 4, 5), seed=seed, seconds=seconds)
    assert found is not None
    return found


def board(found: Search) -> list[dict[str, Any]]:
    """Less the seconds."""
    return [{**one.to_json(), "seconds": None} for one in ranked(found.trials)]


def test_the_same_seed_is_the_same_leaderboard_and_another_goes_another_way() -> None:
    one, again, other = (searched(past(*SIZES), seed=seed) for seed in (1, 1, 2))
    assert board(one) == board(again)
    assert one.ended == "finished"
    assert [each.recipe.digest for each in one.trials[2:5]] != [
        each.recipe.digest for each in other.trials[2:5]
    ]


def test_it_tries_learners_columns_weights_votes_and_calibrations() -> None:
    found = searched(past(*SIZES))
    assert {each.kind for each in found.trials} == {"known", "member", "vote", "calibration"}
    members = [each.recipe.members[0] for each in found.trials if each.kind == "member"]
    assert {member.learner for member in members} == {"boosted-trees", "ridge", "extra-trees"}
    assert {member.list_weight for member in members} == {0.0, -0.5}
    assert {each.recipe.list_columns for each in found.trials} == {True, False}
    halved = [each for each in found.trials if each.ended == "not among the better half"]
    assert halved
    assert {len(each.scores) for each in halved} == {3}


def test_columns_that_a_known_recipe_leaves_out_are_left_out_by_some_candidates() -> None:
    known = replace(RIDGE, members=(replace(RIDGE.members[0], without=("job",)),))
    found = candidates([known], has_lists=False, seed=1)
    assert {each.member.without for each in found} == {(), ("job",)}
    assert {each.list_columns for each in found} == {True}


@pytest.mark.parametrize("version", [3, 4])
def test_whatever_the_future_holds_a_drop_is_scored_the_same(version: int) -> None:
    """Neither the drop's own answers nor anything later is known to who scores it."""
    one = past(*SIZES)
    chance = np.random.default_rng(6)
    values, answers = np.array(one.matrix.values), np.array(one.matrix.answers)
    future = one.versions >= version
    answers[future] = chance.permutation(answers[future])
    values[one.versions > version] = chance.permutation(values[one.versions > version])
    other = replace(one, matrix=replace(one.matrix, values=np.asfortranarray(values), answers=answers))
    first, second = (Rolling(past=each, drops=[version]) for each in (one, other))
    for candidate in candidates(KNOWN, has_lists=True, seed=1):
        recipe = candidate.recipe()
        said, again = (each.probabilities(recipe, version) for each in (first, second))
        assert np.array_equal(said, again)
    assert first.score(RIDGE, TREES, version) != second.score(RIDGE, TREES, version)


def test_rows_newer_than_the_book_of_evidence_change_nothing() -> None:
    """They may be poisoned: no trial has looked at them yet."""
    one = past(*SIZES)
    answers = np.array(one.matrix.answers)
    answers[one.versions == 5] = 1 - answers[one.versions == 5]
    other = replace(one, matrix=replace(one.matrix, answers=answers))
    first, second = (searched(each, known=book(2, 3, 4)) for each in (one, other))
    assert board(first) == board(second)


def test_nobody_learns_from_rows_in_doubt_or_is_scored_on_them() -> None:
    found = searched(past(*SIZES), known=book(2, 4, 5, doubted=(3,)))
    assert found.rolling.drops == [5, 4, 2]
    one = past(*SIZES)
    answers = np.array(one.matrix.answers)
    answers[one.versions == 3] = 1 - answers[one.versions == 3]
    other = replace(one, matrix=replace(one.matrix, answers=answers))
    assert board(searched(other, known=book(2, 4, 5, doubted=(3,)))) == board(found)


def test_a_score_is_that_of_the_model_that_the_recipe_would_make() -> None:
    """A vote and a calibration are computed of what their members said; a trial fits the whole recipe."""
    one = past(*SIZES)
    vote = Recipe(
        name="vote",
        members=(replace(TREES.members[0], weight=2.0), RIDGE.members[0]),
        list_columns=False,
        temperature=1.25,
    )
    alone = replace(RIDGE, temperature=0.8)
    rolling = Rolling(past=one, drops=[4])
    rows = one.drop(4)[0]
    for recipe in (vote, alone, RIDGE):
        (said,) = trial.scored([recipe], one.before(4), rows)
        assert rolling.probabilities(recipe, 4) == pytest.approx(said, abs=1e-12)
        lost = losses(rows.answers, np.clip(said, SUREST, 1 - SUREST))
        assert rolling.score(recipe, TREES, 4).loss == pytest.approx(lost.mean())


def test_time_that_is_over_ends_a_fit_in_its_midst(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any, **__: Any) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            pass

    plain = learners.fit_member

    def fit(member: RecipeMember, *given: Any, **more: Any) -> Any:
        return endless() if member.learner == "extra-trees" else plain(member, *given, **more)

    monkeypatch.setattr(learners, "fit_member", fit)
    began = time.monotonic()
    found = searched(past(*SIZES), seconds=3)
    assert time.monotonic() - began < 4
    assert found.ended == "out of time"
    assert [one.recipe.members[0].learner for one in found.trials if one.ended == "out of time"] == [
        "extra-trees"
    ]
    assert [one.kind for one in found.trials if one.complete][:2] == ["known", "known"]


def test_real_trees_end_when_the_time_is_over() -> None:
    """LightGBM, in the midst of ten thousand rounds."""
    slow = replace(
        TREES,
        members=(replace(TREES.members[0], parameters={"rounds": 20_000, "leaves": 255, "leaf_rows": 1}),),
    )
    began = time.monotonic()
    found = search(past(3000, 2000, 2000, 2000), [slow], replace(book(2, 3, 4), live=slow), seed=1, seconds=1)
    assert time.monotonic() - began < 3
    assert found is not None
    assert (found.ended, found.find()) == ("out of time", None)


def test_with_no_time_at_all_nothing_is_found_and_nothing_fails(tmp_path: Path) -> None:
    found = searched(past(*SIZES), seconds=0)
    assert (found.ended, found.trials, found.find()) == ("out of time", [], None)
    assert searching.write(tmp_path, found, given={}, seconds=0.0) is None
    assert "give it more seconds" in Leaderboard.from_json((tmp_path / LEADERBOARD).read_bytes()).reason


@pytest.mark.parametrize("known", [None, book(4, 5)])
def test_without_drops_to_search_on_it_says_what_is_missing(tmp_path: Path, known: Evidence | None) -> None:
    found = search(past(*SIZES), KNOWN, known, seed=1, seconds=5)
    assert found is None
    searching.write(tmp_path, found, given={"dataset": "bank"}, seconds=0.1)
    body = Leaderboard.from_json((tmp_path / LEADERBOARD).read_bytes())
    assert (body.found, body.trials) == (None, 0)
    assert "fewer than 3 drops" in body.reason
    assert not (tmp_path / RECIPE).exists()


def test_what_is_found_is_a_recipe_file_whose_book_of_evidence_is_empty(tmp_path: Path) -> None:
    """The known recipes are poor ones; the find is in the form of `recipes/`, and knows what it was searched on."""
    found = searched(past(*SIZES))
    name = searching.write(tmp_path, found, given={"dataset": "bank", "version": 5}, seconds=1.0)
    assert name is not None
    recipe = recipe_of((tmp_path / RECIPE).read_bytes(), where="found")
    assert (recipe.name, recipe.searched) == (name, 5)
    best = found.find()
    assert best is not None
    assert recipe.digest == best.recipe.digest
    body = json.loads((tmp_path / LEADERBOARD).read_text())
    assert body["trials"][0]["recipe"]["digest"] == recipe.digest
    assert body["trials"][0]["difference"] < 0
    assert (
        body["trials"][0]["log_loss_low"] < body["trials"][0]["log_loss"] < body["trials"][0]["log_loss_high"]
    )
    assert {one["ended"] for one in body["trials"]} == {"scored on every drop", "not among the better half"}
    assert f"against {TREES.name}" in Leaderboard.from_json((tmp_path / LEADERBOARD).read_bytes()).reason


def test_nothing_is_found_that_is_not_better_than_every_known_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LEAST_GAIN", 6.0)
    assert searched(past(*SIZES)).find() is None


def test_nothing_is_found_before_the_known_recipes_are_scored() -> None:
    found = searched(past(*SIZES))
    found.trials = [each for each in found.trials if each.recipe is not RIDGE]
    assert found.find() is None


def test_the_best_that_came_to_the_end_is_ranked_before_a_better_one_that_did_not() -> None:
    one = searched(past(*SIZES)).trials
    complete = next(each for each in one if each.complete)
    lucky = replace(complete, scores=(replace(complete.scores[0], difference=-9.0),), ended="out of time")
    assert ranked([lucky, complete])[0] is complete


def test_candidates_are_drawn_once_each() -> None:
    found = candidates(KNOWN, has_lists=True, seed=3)
    assert len({each.recipe().digest for each in found}) == len(found)


def test_the_month_in_which_everything_changes_does_not_decide_alone() -> None:
    """One drop counts no more than it would at the gate."""
    complete = next(each for each in searched(past(*SIZES)).trials if each.complete and each.kind == "member")
    mild = [replace(one, difference=-0.02, difference_variance=0.09) for one in complete.scores]
    steady = replace(complete, scores=tuple(mild))
    worse = [replace(one, difference=0.05) for one in mild[1:]]
    wild = replace(complete, scores=(replace(mild[0], difference=-5.0), *worse))
    assert ranked([wild, steady])[0] is steady
