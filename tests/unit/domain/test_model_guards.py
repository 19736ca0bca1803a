"""Each guard objects to what it is there for, and to nothing else; the verdict says why and what would help."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from flow.world import evaluation_of

from shared.domain.models import guards, promotion


def changed(champion: str | None = "memory://models/bank/1/", **parts: Any) -> dict[str, Any]:
    """An evaluation without a fault but for what is changed; parts are merged one level deep."""
    body = copy.deepcopy(evaluation_of(2, champion))
    for name, value in parts.items():
        body[name] = {**body[name], **value} if isinstance(value, dict) else value
    return body


WORSE = {"log_loss_difference": 0.02, "low": 0.0065, "high": 0.04}
FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "enough rows": ("undecided", {"rows": 60, "positives": 40}, "only 60 rows are held out"),
    "enough rows, of them positive": ("undecided", {"positives": 3}, "3 of them positive"),
    "better than the base rate": (
        "undecided",
        {"baseline": {"low": -0.02, "high": 0.001, "log_loss_difference": -0.01}},
        "not surely better than the base rate",
    ),
    "better than the base rate, not worse": ("refused", {"baseline": WORSE}, "worse than the base rate"),
    "compared": (
        "undecided",
        {"not_compared": "model 1 learned from each of the 9 held-out rows"},
        "promote it by hand",
    ),
    "not worse than the champion": (
        "refused",
        {"comparison": WORSE},
        "surely worse than model 1 on the held-out",
    ),
    "not worse than the champion, lately": ("refused", {"newest": WORSE}, "those of the newest version"),
    "calibrated": ("refused", {"calibration": {"error": 0.06}}, "it is not calibrated: it says 0.110"),
    "no segment collapses": (
        "refused",
        {"segments": [{"column": "job", "value": "student", "rows": 210, **WORSE, "low": 0.06}]},
        "it collapses where job is 'student' (210 rows)",
    ),
    "reads nothing forbidden": ("refused", {"model": {"columns": ["age", "duration"]}}, "it reads duration"),
    "small and fast": ("refused", {"model": {"bytes": 200 << 20}}, "it has 200 MB"),
    "small and fast, of them fast": ("refused", {"milliseconds_per_1000_rows": 1500.0}, "take it 1500 ms"),
    "plausible rows": (
        "undecided",
        {
            "doubts": [{"version": 2, "kind": "labels inverted", "reason": "ranked the wrong way round"}],
            "model": {"champion_sha256": f"{2:064x}"},
        },
        "the rows of version 2 are left out: ranked the wrong way round",
    ),
    "something new": ("refused", {"model": {"champion_sha256": f"{2:064x}"}}, "it is model 1 again"),
}


def test_no_guard_objects_to_a_sound_refit() -> None:
    assert guards.find(changed()) == []
    assert guards.find(changed(None)) == []


@pytest.mark.parametrize("case", FAULTS)
def test_the_guard_objects_and_no_other(case: str) -> None:
    outcome, parts, said = FAULTS[case]
    evaluation = changed(**parts)
    (finding,) = guards.find(evaluation)
    assert finding.guard == case.partition(",")[0]
    verdict = promotion.judge(evaluation, serving=1)
    assert verdict.outcome == finding.outcome == outcome
    assert said in verdict.reason
    assert verdict.figures["findings"] == [{"guard": finding.guard, "reason": finding.reason}]


def test_a_refit_may_say_a_little_less_about_seasons_past() -> None:
    little = {"log_loss_difference": 0.004, "low": 0.003, "high": 0.0059}
    assert guards.find(changed(comparison=little, newest=little)) == []


def test_what_chance_may_have_done_keeps_no_refit_out() -> None:
    unsure = {"log_loss_difference": 0.02, "low": -0.01, "high": 0.05}
    assert guards.find(changed(comparison=unsure, newest=unsure)) == []


@pytest.mark.parametrize("case", FAULTS)
def test_against_another_champion_only_what_needs_none_objects(case: str) -> None:
    outcome, parts, said = FAULTS[case]
    verdict = promotion.judge(changed(**parts), serving=4)
    if case.partition(",")[0] in guards.AGAINST_CHAMPION:
        assert verdict.outcome == "undecided"
        assert "findings" not in verdict.figures
        assert verdict.reason.startswith(
            "it was compared with model 1, but model 4 serves now; the next version's run"
        )
    else:
        assert verdict.outcome == outcome
        assert said in verdict.reason


def test_those_that_need_a_champion_are_guards() -> None:
    assert guards.GUARDS.keys() > guards.AGAINST_CHAMPION


def test_every_guard_has_its_fault() -> None:
    assert {case.partition(",")[0] for case in FAULTS} == set(guards.GUARDS)


def test_an_undecided_verdict_says_about_how_many_rows_would_decide_it() -> None:
    parts = {"baseline": {"log_loss_difference": -0.01, "low": -0.0222, "high": 0.0022}}
    verdict = promotion.judge(changed(**parts), serving=1)
    assert verdict.rows_needed == 1954  # of 4,000 rows: (0.0122 / 0.01)^2 times as many
    assert verdict.reason.endswith("about 2,000 more rows would decide it")


def test_one_refusal_outweighs_what_more_rows_would_decide() -> None:
    verdict = promotion.judge(changed(positives=3, comparison=WORSE), serving=1)
    assert (verdict.outcome, verdict.rows_needed) == ("refused", None)
    assert len(verdict.figures["findings"]) == 2


def test_an_accepted_model_is_told_with_its_recipe_and_its_interval() -> None:
    verdict = promotion.judge(changed(), serving=1)
    assert verdict.outcome == "accepted"
    assert re.match(
        r"blend, refitted: log loss -0\.0100 \[-0\.0150, -0\.0050\] against model 1 on 400 held-out rows",
        verdict.reason,
    )
    assert verdict.figures["recipe"] == "blend"


def test_a_verdict_names_rows_and_models_by_content() -> None:
    rows = {"dataset_id": "d" * 64, "holdout_id": "e" * 64}
    verdict = promotion.judge(changed(model={"champion_sha256": "f" * 64}, **rows), serving=1)
    assert verdict.figures["hashes"] == {
        "dataset": "d" * 64,
        "hold_out": "e" * 64,
        "model": f"{2:064x}",
        "champion": "f" * 64,
    }


def test_rows_that_the_champion_had_learned_from_are_told() -> None:
    verdict = promotion.judge(changed(left_out_rows=12), serving=1)
    assert "12 held-out rows more, from which model 1 had learned, do not count" in verdict.reason
    assert verdict.figures["left_out_rows"] == 12
