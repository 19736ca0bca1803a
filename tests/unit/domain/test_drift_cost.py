"""What drift costs: the expected loss against what it truly is, its interval, and what is not said; the picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from shared.domain.drift.ahead import Ahead, ahead
from shared.domain.drift.cost import cost_of, worth_when_judged
from shared.domain.drift.expected_loss import MONTHS_DIFFER, Loss, Money, expected_loss, too_little
from shared.domain.drift.recalibration import recalibration
from shared.domain.drift.retrain import SURE, reason_to_retrain
from shared.domain.drift.score_places import Floats, ScorePlaces, log_odds, probability_of
from shared.domain.pictures.chart import LETTERS, wrapped
from shared.domain.pictures.drift_picture import drift_picture, sentences
from shared.domain.policy import Policy

MONEY = Money(call_cost=10, deposit_value=80)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
JUDGED: dict[str, Any] = {
    "model": {"call_cost": 10.0, "deposit_value": 80.0},
    "evaluation": {"rows": 1000, "challenger": {"profit": 1400.0, "calls": 100}},
}
"""100 calls, 30 of them deposits, of 1,000 rows: 30 * 80 - 100 * 10."""
SVG = "{http://www.w3.org/2000/svg}"


def clients(count: int, seed: int) -> Floats:
    """What a model says of them."""
    return probability_of(np.random.default_rng(seed).normal(-2, 1.2, count))


def true(said: Floats, *, shift: float = 0.0, slope: float = 1.0) -> Floats:
    return probability_of(shift + slope * log_odds(said))


def answered(count: int, seed: int, **off: float) -> ScorePlaces:
    said = clients(count, seed)
    seen = ScorePlaces()
    seen.add(said, np.random.default_rng(seed + 1).random(count) < true(said, **off))
    return seen


def asked(said: Floats) -> ScorePlaces:
    found = ScorePlaces()
    found.add(said, MONEY.of_calls(said) > 0)
    return found


def lost(said: Floats, **off: float) -> float:
    """What the model's decisions truly cost."""
    worth = MONEY.of_calls(true(said, **off))
    return float(np.maximum(worth, 0).sum() - worth[MONEY.of_calls(said) > 0].sum())


def test_what_is_counted_comes_back_as_it_was() -> None:
    seen = answered(500, 1)
    again = ScorePlaces.from_json(seen.to_json())
    assert (again.rows == seen.rows).all()
    assert (again.marked == seen.marked).all()
    assert seen.plus(again).rows.sum() == 1000


def test_probabilities_of_0_and_1_have_a_place() -> None:
    seen = ScorePlaces()
    seen.add(np.array([0.0, 1.0, 1e-30]), np.array([False, True, False]))
    assert (seen.rows[0], seen.rows[-1], seen.marked[-1]) == (2, 1, 1)


@pytest.mark.parametrize(("shift", "slope"), [(0.0, 1.0), (0.8, 1.0), (-1.0, 1.3), (0.5, 0.6)])
def test_the_line_through_the_answers_is_found(shift: float, slope: float) -> None:
    found = recalibration(answered(50_000, 3, shift=shift, slope=slope))
    assert found.line == pytest.approx([shift, slope], abs=0.08)


def test_a_few_answers_leave_the_line_about_where_it_was() -> None:
    found = recalibration(answered(20, 4, shift=3.0))
    assert abs(found.line[0]) < 3.0
    assert found.covariance[0, 0] > 0.05


@pytest.mark.parametrize("shift", [0.6, 1.0, -0.8])
def test_the_loss_is_what_it_truly_is_and_its_interval_holds_that_of_the_next_month(shift: float) -> None:
    """In 200 trials of 1,500 answers each; an interval of 95 % holds it in 190 of them, give or take."""
    said, held, found = clients(2000, 7), 0, []
    months = np.random.default_rng(5).normal(0, MONTHS_DIFFER, 200)
    for trial, other in enumerate(months.tolist()):
        seen = answered(1500, 100 + 2 * trial, shift=shift)
        loss = expected_loss(asked(said), seen, MONEY)
        held += loss.low <= saved(said, seen, shift=shift + other) <= loss.high
        found.append(loss.loss)
    assert np.mean(found) == pytest.approx(lost(said, shift=shift), rel=0.08)
    assert 182 <= held <= 198


def saved(said: Floats, seen: ScorePlaces, **off: float) -> float:
    """What the decisions by the mended probabilities truly save."""
    line = recalibration(seen).line
    better = MONEY.of_calls(probability_of(line[0] + line[1] * log_odds(said))) > 0
    worth = MONEY.of_calls(true(said, **off))
    return float(worth[better].sum() - worth[MONEY.of_calls(said) > 0].sum())


def test_a_model_that_is_right_is_said_to_lose_in_1_of_40_trials_at_most() -> None:
    said = clients(2000, 7)
    found = [expected_loss(asked(said), answered(1500, 100 + 2 * trial), MONEY) for trial in range(200)]
    assert sum(loss.probability >= SURE for loss in found) <= 5
    assert expected_loss(asked(said), answered(1500, 3, shift=1.5), MONEY).probability >= SURE


def test_it_is_the_models_own_decisions_that_lose_and_not_those_of_its_place() -> None:
    """Just above the threshold, in a place whose middle lies below it: they are called, and that is what costs."""
    said = np.full(1000, 0.1255)
    seen = answered(5000, 9, shift=-2.0)
    assert expected_loss(asked(said), seen, MONEY).loss > 5000
    assert expected_loss(asked(said - 0.002), seen, MONEY).loss == pytest.approx(0, abs=1)


def test_too_few_answers_say_nothing() -> None:
    assert "99 answers are known" in too_little(answered(99, 1))
    one_sided = ScorePlaces()
    one_sided.add(clients(500, 1), np.zeros(500, dtype=np.bool_))
    assert "0 of them positive" in too_little(one_sided)
    assert not too_little(answered(500, 1))


def _days(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=each) for each in days]


def test_the_pace_so_far_says_what_comes_until_the_next_retrain() -> None:
    """A model every ten days, the last four days ago; 3,000 clients in the last five days."""
    found = ahead(_days(4, 14, 24), [(_days(5)[0], 2000), (_days(1)[0], 1000)], NOW)
    assert found == Ahead(clients=3600, days=6.0)


def test_of_an_overdue_retrain_one_interval_more_is_counted() -> None:
    assert ahead(_days(30, 40, 50), [(_days(20)[0], 2000)], NOW) == Ahead(clients=1000, days=10.0)


def test_a_burst_of_a_minute_is_no_pace() -> None:
    assert ahead(_days(1, 2, 3), [(_days(0.0001)[0], 500)], NOW) == Ahead(clients=500, days=1.0)


def test_without_a_pace_nothing_is_said_of_the_time_ahead() -> None:
    assert "so far there are 2" in str(ahead(_days(4, 14), [(NOW, 10)], NOW))
    assert "no batch" in str(ahead(_days(4, 14, 24), [], NOW))


@pytest.mark.parametrize(
    ("today", "worth"),
    [
        (MONEY, 1.4),
        (Money(call_cost=10, deposit_value=160), 3.8),
        (Money(call_cost=20, deposit_value=80), 0.4),
    ],
)
def test_the_worth_of_clients_when_judged_is_of_its_calls_and_deposits_at_the_prices_of_today(
    today: Money, worth: float
) -> None:
    found = worth_when_judged(JUDGED, today)
    assert found is not None
    assert found.money == pytest.approx(worth)


@pytest.mark.parametrize("missing", JUDGED)
def test_without_the_figures_or_the_prices_of_that_day_it_is_not_known(missing: str) -> None:
    assert worth_when_judged({name: JUDGED[name] for name in JUDGED if name != missing}, MONEY) is None


def test_all_is_said_where_all_is_known_and_the_rest_with_its_reason() -> None:
    said = clients(1000, 7)
    judged = worth_when_judged(JUDGED, MONEY)
    seen = answered(2000, 3, shift=-1.0)
    full = cost_of(asked(said), seen, judged, Ahead(clients=5000, days=20.0), MONEY)
    assert "not_said_because" not in full
    assert full["loss_ahead"] == pytest.approx(5 * full["loss"], abs=0.02)
    assert full["worth_difference_low"] < full["worth_difference_high"]
    no_pace = cost_of(asked(said), seen, judged, "nobody knows", MONEY)
    assert "nobody knows" in no_pace["not_said_because"]
    assert "loss_ahead" not in no_pace
    unseen = cost_of(asked(said), ScorePlaces(), None, Ahead(clients=5, days=2.0), MONEY)
    assert "loss" not in unseen
    assert "0 answers are known" in unseen["not_said_because"]
    nobody = cost_of(ScorePlaces(), seen, judged, "", MONEY)
    assert nobody["not_said_because"] == "no row has a score"


def _cost(**values: Any) -> dict[str, Any]:
    found = {"rows": 1000, "loss": 400.0, "loss_low": 100.0, "loss_high": 700.0, "loss_probability": 0.9}
    return {**found, **values}


def test_drift_asks_for_a_retrain_when_it_surely_costs_more_than_allowed_and_it_may() -> None:
    on = Policy(drift_retrain="on")
    assert "loses 400.00 [100.00, 700.00] on its 1,000 clients" in reason_to_retrain(
        "batch b", _cost(), 3, on
    )
    assert not reason_to_retrain("batch b", _cost(), 3, Policy())
    assert not reason_to_retrain("batch b", _cost(loss_probability=0.7), 3, on)
    assert not reason_to_retrain("batch b", {"rows": 10}, 3, on)
    assert not reason_to_retrain("batch b", _cost(), 3, Policy(drift_retrain="on", drift_retrain_loss=400.0))


def _columns(count: int) -> list[dict[str, Any]]:
    return [
        {
            "column": f"c<{n}>",
            "psi": 5 / (n + 1) ** 2,
            "limit": 0.1,
            "moved": n < 6,
            "new_share": float(n == 0),
        }
        for n in range(count)
    ]


def _labels(drawn: str) -> list[str]:
    root = ElementTree.fromstring(drawn)  # noqa: S314  (we drew it)
    return [text.text or "" for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"]


def test_the_picture_has_every_column_in_order_with_its_limit() -> None:
    score = {"psi": 0.3, "limit": 0.1, "moved": True}
    drawn = drift_picture("may.csv", {"drift": _columns(12), "score_drift": score, "drift_model_version": 3})
    assert _labels(drawn) == ["the scores", *(f"c<{n}>" for n in range(12))]
    assert drawn.count('<line class="limit"') == 13
    assert drawn.count('<circle class="beyond"') == 7
    assert "may.csv and what model 3 learned: 6 of 12 columns moved" in drawn
    assert "100% new" in drawn
    assert "nan" not in drawn


def test_a_name_cannot_write_into_the_picture_and_many_columns_are_cut() -> None:
    drawn = drift_picture("<script>alert(1)</script>.csv", {"drift": _columns(60), "drift_model_version": 3})
    assert "<script>" not in drawn
    assert len(_labels(drawn)) == 40
    assert "of the 40 furthest columns moved" in drawn
    long = [{"column": "x" * 100, "psi": 0.0, "limit": 0.1, "moved": False, "new_share": 0.0}]
    assert len(_labels(drift_picture("a.csv", {"drift": long, "drift_model_version": 1}))[0]) == LETTERS


def test_the_sentences_say_what_is_known_and_why_the_rest_is_not() -> None:
    said = clients(1000, 7)
    seen = answered(2000, 3, shift=-1.5)
    cost = cost_of(asked(said), seen, None, Ahead(clients=5000, days=20.0), MONEY)
    assert [text[:26] for text in sentences({"drift_cost": cost})] == [
        "By 2,000 answers that came",
        "Until the next retrain, in",
    ]
    assert "may as well be nothing" in sentences({"drift_cost": {**cost, "loss_probability": 0.6}})[0]
    assert sentences({"drift_problem": "no"}) == ["In money nothing is said: no."]
    assert sentences({}) == []


def test_text_is_wrapped_by_words_and_a_long_word_is_cut() -> None:
    assert wrapped("one two three", most=7) == ["one two", "three"]
    assert wrapped("x" * 20, most=7) == ["xxxxxx…"]
    assert wrapped("") == []


def test_a_loss_is_said_with_its_interval() -> None:
    found = expected_loss(asked(clients(500, 1)), answered(800, 5, shift=-1.0), MONEY)
    assert isinstance(found, Loss)
    assert found.low < found.loss < found.high
