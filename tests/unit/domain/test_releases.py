"""What a release is decided by: the split of the traffic, alarms while it is watched, the shadow comparison, four eyes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from shared.domain.models.approval import is_same_caller
from shared.domain.models.baking import LEAST_TIMED, alarm, p95_ms, request_alarm, split
from shared.domain.models.endpoint_health import Probe
from shared.domain.models.shadow import beyond, compared, psi
from shared.domain.models.smoke_test import GoldenRows
from shared.domain.policy import Policy
from shared.settings import Settings

FAULT: Probe = {"fault": "model 7 answered"}


def _timed(*times: float) -> list[Probe]:
    return [{"ms": ms} for ms in times]


STEADY = _timed(*[10.0] * LEAST_TIMED)


@pytest.mark.parametrize("answer", [math.nan, math.inf, 0.2500011])
def test_an_answer_that_is_not_the_known_one_fails_the_smoke_test(answer: float) -> None:
    golden = GoldenRows(rows=None, probability=[0.75, 0.25])
    assert golden.faults([0.7500001, 0.25], "3", expected_version=3) == ""
    assert golden.faults([0.75, answer], "3", expected_version=3).startswith(
        "1 of 2 golden rows came out wrong; row 1:"
    )


@pytest.mark.parametrize("percent", range(1, 51))
def test_the_traffic_always_adds_up(percent: int) -> None:
    assert split("new", "old", percent) == {"new": percent, "old": 100 - percent}


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ([], ""),
        (STEADY, ""),
        ([*STEADY, FAULT], ""),
        ([*STEADY, FAULT, {"ms": 9.0}, FAULT, {"ms": 9.0}], ""),
        ([FAULT, FAULT], "two probes in a row found it wrong: model 7 answered"),
        ([*STEADY, FAULT, FAULT, *STEADY], "two probes in a row found it wrong: model 7 answered"),
        (_timed(*[500.0] * (LEAST_TIMED - 1)), ""),
        (_timed(*[500.0] * LEAST_TIMED), "it is slow: p95 500 ms where the serving model takes 10 ms"),
        (_timed(*[59.0] * LEAST_TIMED), ""),
        (_timed(*[10.0] * (LEAST_TIMED - 5), *[900.0] * 5), ""),
    ],
    ids=[
        "nothing yet",
        "steady",
        "one fault",
        "faults apart",
        "two in a row",
        "two in a row, and then well again",
        "too few to tell",
        "slow",
        "slower by less than is noticed",
        "a burst",
    ],
)
def test_alarms(new: list[Probe], says: str) -> None:
    assert alarm(new, STEADY, ratio=2.0) == says


def test_slow_is_what_is_slow_beside_the_serving_one() -> None:
    slow = _timed(*[500.0] * LEAST_TIMED)
    assert alarm(slow, slow, ratio=2.0) == ""
    assert alarm(slow, [FAULT] * LEAST_TIMED, ratio=2.0) == ""
    assert p95_ms([FAULT]) is None


def _figures(old: Any, new: Any, **columns: Any) -> dict[str, Any]:
    found = compared(
        old=np.array(old, float),
        new=np.array(new, float),
        old_calls=np.array(old, float) >= 0.5,
        new_calls=np.nan_to_num(np.array(new, float)) >= 0.5,
        columns={name: np.array(values) for name, values in columns.items()},
    )
    return {**found, "champion": 1}


def test_pairs_are_compared_row_by_row() -> None:
    figures = _figures([0.1, 0.2, 0.6, 0.9], [0.1, 0.7, 0.4, 0.9])
    assert (figures["rows"], figures["decisions_differing"], figures["newly_called"]) == (4, 0.5, 0.25)
    assert figures["mean_difference"] == pytest.approx(0.075)
    assert figures["mean_absolute_difference"] == pytest.approx(0.175)
    assert figures["p95_absolute_difference"] == pytest.approx(0.455)


def test_a_row_the_new_model_cannot_score_is_a_decision_that_differs() -> None:
    figures = _figures([0.1, 0.9], [float("nan"), 0.9])
    assert figures["decisions_differing"] == 0.5
    assert figures["mean_difference"] == 0.0


def test_equal_models_differ_in_nothing() -> None:
    scores = np.linspace(0.01, 0.99, 500)
    figures = _figures(scores, scores, job=np.arange(500) % 3)
    assert (figures["psi"], figures["decisions_differing"], figures["columns"]) == (0.0, 0.0, [])
    assert beyond(figures, Policy()) == ""


def test_the_change_is_said_to_go_with_the_column_that_it_goes_with() -> None:
    rng = np.random.default_rng(7)
    old, contact = rng.uniform(0.2, 0.6, 900), rng.integers(0, 2, 900)
    new = old + 0.2 * contact + rng.normal(0, 0.01, 900)
    figures = _figures(old, new, age=rng.uniform(18, 90, 900), contact=contact)
    first, *others = figures["columns"]
    assert (first["column"], first["share"] > 0.9) == ("contact", True)
    assert all(each["share"] < 0.1 for each in others)


def test_scores_that_moved_are_found_though_no_decision_did() -> None:
    rng = np.random.default_rng(7)
    old = rng.uniform(0.0, 0.2, 2000)
    assert psi(old, old + 0.1) > 1.0
    assert psi(old, rng.permutation(old)) == pytest.approx(0.0)
    assert "PSI" in beyond(_figures(old, old + 0.1), Policy())


def test_beyond_names_the_limit_that_is_broken() -> None:
    said = beyond(_figures([0.1, 0.2, 0.6, 0.9], [0.1, 0.7, 0.4, 0.9]), Policy())
    assert said == "50.0% of 4 decisions differ from those of model 1, more than 30%"


@pytest.mark.parametrize(
    ("new", "old", "alarms"),
    [
        ((400, 0), (3600, 0), False),
        ((400, 20), (3600, 4), True),
        ((400, 20), (3600, 180), False),
        ((4, 4), (3600, 0), False),
        ((5, 5), (0, 0), True),
        ((10_000, 110), (90_000, 0), False),
        ((40, 40), (360, 360), False),
    ],
)
def test_faults_are_an_alarm_when_they_are_more_than_the_serving_models_and_no_chance(
    new: tuple[int, int], old: tuple[int, int], alarms: bool
) -> None:
    said = request_alarm(*({"requests": of, "errors": errors} for of, errors in (new, old)))
    assert bool(said) == alarms, said


def test_nothing_counted_is_no_alarm() -> None:
    assert request_alarm(None, None) == ""
    assert request_alarm({"requests": 9, "errors": 9}, None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("key:operator", "key:operator", True),
        ("session:operator:00ff", "key:operator", True),
        ("session:operator:00ff", "session:operator:11ee", True),
        ("key:admin", "key:operator", False),
        ("entra:1", "entra:2", False),
        ("entra:1", "entra:1", True),
        ("key:operator", "", False),
        ("", "", False),
    ],
)
def test_who_is_who(one: str, other: str, same: bool) -> None:
    assert is_same_caller(one, other) is same
    assert is_same_caller(other, one) is same


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("release_canary_percent", "0"),
        ("release_canary_percent", "51"),
        ("release_baking_seconds", "-1"),
        ("release_baking_seconds", "604801"),
        ("release_latency_ratio", "1"),
        ("release_latency_ratio", "inf"),
        ("release_shadow_decisions", "0"),
        ("release_shadow_decisions", "1.01"),
        ("release_shadow_psi", "0"),
        ("release_shadow_psi", "nan"),
        ("release_shadow_rows", "-1"),
        ("release_shadow_beyond", "ignore"),
        ("release_approval", "maybe"),
        ("release_approval_hours", "0"),
        ("release_approval_hours", "169"),
        ("release_undecided", "wait"),
    ],
)
def test_settings_that_would_make_a_stage_none_are_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE", "CAMPANHA_STORAGE"):
        monkeypatch.setenv(other, "-")
    Settings()  # type: ignore[call-arg]  # the environment gives them
    monkeypatch.setenv(name.upper(), value)
    with pytest.raises(ValidationError, match=name):
        Settings()  # type: ignore[call-arg]
