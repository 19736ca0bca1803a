"""Each poison is seen before it is learned from, and rows that are what they say pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.training.holdout import Mask
from pipelines.training.learners import Matrix
from pipelines.training.metrics import Floats
from pipelines.training.plausibility import CHECKS, Doubt, DoubtKind, Expected, doubts
from pipelines.training.prepared import Decisions
from pipelines.training.trial import Past, trial
from shared.domain.models.recipe import Recipe, RecipeMember
from tests.unit.pipelines.known_rows import drawn

CHANCE = np.random.default_rng(4)
RIDGE = Recipe(name="ridge", members=(RecipeMember(name="r", learner="ridge"),))
LEARNED = drawn(3000)
RECENT = (0.74, 0.76, 0.75, 0.77)


def right(rows: Matrix) -> Floats:
    """The chances by which known rows are drawn."""
    return np.where(rows.values[:, 1] == 2, 0.6, 0.1)


def seen(rows: Matrix) -> set[DoubtKind]:
    known = Expected(probabilities=right(rows), learned=LEARNED, recent=RECENT)
    return {doubt.kind for doubt in doubts(5, rows, known)}


def answered(rows: Matrix, answers: Floats) -> Matrix:
    return replace(rows, answers=answers)


def aged(rows: Matrix, ages: Floats) -> Matrix:
    values = np.array(rows.values)
    values[:, 0] = ages
    return replace(rows, values=np.asfortranarray(values))


POISONS: dict[str, tuple[DoubtKind, Callable[[Matrix], Matrix]]] = {
    "labels inverted": ("labels inverted", lambda rows: answered(rows, 1 - rows.answers)),
    "only yes": ("one answer", lambda rows: answered(rows, np.ones_like(rows.answers))),
    "only no": ("one answer", lambda rows: answered(rows, np.zeros_like(rows.answers))),
    "the true rows with a no alone": ("one answer", lambda rows: rows.only(rows.answers == 0)),
    "nearly only yes": (
        "label rate",
        lambda rows: answered(rows, (np.arange(len(rows.answers)) > 1).astype(float)),
    ),
    "a column is the answer": ("column tells", lambda rows: aged(rows, 1 + rows.answers)),
    "a column is the answer in nine of ten": (
        "column tells",
        lambda rows: aged(
            rows, np.where(CHANCE.random(len(rows.answers)) < 0.9, 30 + 30 * rows.answers, rows.values[:, 0])
        ),
    ),
    "the length of the call in another column": (
        "column tells",
        lambda rows: aged(rows, np.exp(CHANCE.normal(5.2, 0.9, len(rows.answers)) + 1.15 * rows.answers)),
    ),
    "labels shuffled": ("labels unrelated", lambda rows: answered(rows, CHANCE.permutation(rows.answers))),
}


@pytest.mark.parametrize("poison", POISONS)
def test_a_poison_is_seen(poison: str) -> None:
    kind, poisoned = POISONS[poison]
    assert kind in seen(poisoned(drawn(800, seed=2)))


@pytest.mark.parametrize("poison", POISONS)
def test_what_is_drawn_of_a_poison_lies_beyond_what_is_plausible(poison: str) -> None:
    kind, make = POISONS[poison]
    rows = make(drawn(800, seed=2))
    known = Expected(probabilities=right(rows), learned=LEARNED, recent=RECENT)
    doubt = next(each for each in doubts(5, rows, known) if each.kind == kind)
    figure = doubt.figure
    assert figure is not None
    low = 0.0 if figure.plausible_low is None else figure.plausible_low
    high = 1.0 if figure.plausible_high is None else figure.plausible_high
    assert not low <= figure.came <= high
    assert figure.expected is not None
    assert low <= figure.expected <= high
    assert Doubt.from_json(doubt.to_json()).to_json() == doubt.to_json()


def test_a_doubt_of_before_there_were_figures_is_read() -> None:
    old = {"version": 3, "kind": "label rate", "reason": "odd"}
    assert Doubt.from_json(old).to_json() == old


def test_each_check_has_a_poison() -> None:
    assert {kind for kind, _ in POISONS.values()} == set(CHECKS)


def test_of_steady_drops_none_is_held() -> None:
    """At most one a year is promised, 1 in 12 months."""
    assert [seed for seed in range(100, 220) if seen(drawn(300, seed=seed))] == []


def test_a_season_that_buys_far_more_is_no_poison() -> None:
    rows = drawn(400, seed=3)
    more = np.where(rows.values[:, 1] == 2, 0.93, 0.55)
    assert seen(answered(rows, (np.random.default_rng(1).random(400) < more).astype(float))) == set()


def test_a_reason_has_the_figures() -> None:
    rows = drawn(800, seed=2)
    known = Expected(probabilities=right(rows), learned=LEARNED, recent=RECENT)
    (doubt,) = doubts(5, answered(rows, np.zeros(800)), known)[:1]
    assert doubt.version == 5
    assert doubt.reason == (
        f"all 800 rows are negative, where about {right(rows).sum():.0f} positive ones were expected"
    )


def test_what_nothing_came_before_is_asked_only_what_no_rows_may_be() -> None:
    rows = drawn(800, seed=2)
    assert doubts(1, rows, None) == []
    assert [d.kind for d in doubts(1, answered(rows, np.ones(800)), None)] == ["one answer"]
    assert [d.kind for d in doubts(1, aged(rows, rows.answers), None)] == ["column tells"]


def poisoned() -> Past:
    """Three versions, the labels of the second inverted."""
    versions = np.repeat([1, 2, 3], 600)
    rows = drawn(1800, lists=3)
    return Past(
        matrix=answered(rows, np.where(versions == 2, 1 - rows.answers, rows.answers)),
        versions=versions,
        held_out=np.random.default_rng(5).random(1800) < 0.1,
        digests=np.arange(1800, dtype=np.uint64),
    )


def only(past: Past, these: Mask) -> Past:
    return Past(
        matrix=past.matrix.only(these),
        versions=past.versions[these],
        held_out=past.held_out[these],
        digests=past.digests[these],
    )


@pytest.mark.parametrize("known_before", [False, True])
def test_rows_in_doubt_are_no_evidence_and_never_learned_from(tmp_path: Path, known_before: bool) -> None:
    past = poisoned()
    known = trial(only(past, past.versions < 3), [RIDGE], None, tmp_path / "b") if known_before else None
    found = trial(past, [RIDGE], known, tmp_path / "now")
    assert [(doubt.version, doubt.kind) for doubt in found.doubts] == [(2, "labels inverted")]
    assert [drop.version for drop in found.drops] == [3]
    assert (found.drops[0].auc or 0) > 0.65
    assert np.array_equal(found.plausible(past.versions), past.versions != 2)
    assert len(past.before(3, {2}).answers) == (~past.held_out[:600]).sum()


@pytest.mark.parametrize("known_before", [False, True])
def test_rows_that_a_person_trusts_are_evidence_and_learned_from(tmp_path: Path, known_before: bool) -> None:
    past = poisoned()
    known = trial(only(past, past.versions < 3), [RIDGE], None, tmp_path / "b") if known_before else None
    assert known is None or known.doubts
    found = trial(past, [RIDGE], known, tmp_path / "now", Decisions(trusted=frozenset({2})))
    assert not [doubt for doubt in found.doubts if doubt.version == 2]
    assert [drop.version for drop in found.drops][:1] == [2]
    assert found.plausible(past.versions)[past.versions == 2].all()


def test_what_is_left_of_a_doubted_drop_is_looked_at_anew_once_a_part_was_withdrawn(tmp_path: Path) -> None:
    """Of the second version most rows are inverted; the others are as plausible as any."""
    past = poisoned()
    answers = np.array(past.matrix.answers)
    right = (past.versions == 2) & (np.arange(1800) % 4 == 0)
    answers[right] = 1 - answers[right]
    past = replace(past, matrix=answered(past.matrix, answers))
    known = trial(past, [RIDGE], None, tmp_path / "before")
    assert {doubt.version for doubt in known.doubts} == {2}
    without = only(past, (past.versions != 2) | right)
    decided = Decisions(withdrawn={"upload/bad.csv/1": 2})
    found = trial(without, [RIDGE], known, tmp_path / "now", decided)
    assert found.doubts == ()
    assert [(drop.version, drop.rows) for drop in found.drops] == [(2, 150), (3, 600)]
    assert found.drops[1] == known.drops[0]
    again = trial(without, [RIDGE], found, tmp_path / "again", decided)
    assert again == found
    assert not (tmp_path / "again").exists()


def test_a_drop_that_lost_all_its_rows_is_no_evidence_any_more(tmp_path: Path) -> None:
    past = replace(poisoned(), matrix=drawn(1800, lists=3))
    known = trial(past, [RIDGE], None, tmp_path / "before")
    assert [drop.version for drop in known.drops] == [2, 3]
    without = only(past, past.versions != 2)
    found = trial(without, [RIDGE], known, tmp_path / "now", Decisions(withdrawn={"u": 2}))
    assert found.drops == known.drops[1:]
