"""/api/models/{name}/{version}/card: one document of all that is known of a model."""

from __future__ import annotations

import hashlib

import pytest
from flow.world import POLICY, World, bank_rows

from tests.http.asking import Client

CARD = "/api/models/bank/1/card"

CALIBRATION = {"mean_probability": 0.11, "rate": 0.1, "error": 0.011, "error_by_chance": 0.02}


@pytest.fixture
def judged(world: World) -> World:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(
        "bank-v1-a1", calibration=CALIBRATION, segments=[{"column": "job", "rows": 7, "low": -0.01}]
    )
    return world


def test_it_has_the_data_the_figures_the_hashes_and_the_record(judged: World, reader: Client) -> None:
    card = reader.get(CARD).json()
    assert card["model"]["id"] == card["id"] == "bank:1"
    assert card["model"]["metrics"]["logLoss"] == 0.2
    (member,) = card["data"]["members"]
    assert (card["data"]["rows"], member["rows"]) == (30, 30)
    assert member["upload"].startswith("upload/may.csv/")
    manifest = judged.files.content("datasets", "bank/manifests/1.json")
    assert manifest is not None
    assert card["hashes"] == {"model": "ab12" * 16, "manifest": hashlib.sha256(manifest).hexdigest()}
    assert [one["kind"] for one in card["variants"]["single"]] == ["trees"]
    assert card["importance"] == {"single": [{"column": "age", "value": 0.41}]}
    prices = {"call_cost": POLICY.call_cost, "deposit_value": POLICY.deposit_value}
    assert card["training"] == {"format": 2, "base_rate": 0.11, **prices}


def test_what_an_evaluation_says_passes_through_whatever_it_is(judged: World, reader: Client) -> None:
    evaluation = reader.get(CARD).json()["evaluation"]
    assert evaluation == judged.workspace.documents["bank", 1]["evaluation"]
    assert (evaluation["calibration"], evaluation["segments"][0]["column"]) == (CALIBRATION, "job")


def test_a_model_that_is_described_by_less_has_a_card_too(judged: World, reader: Client) -> None:
    judged.workspace.documents["bank", 1] = {"evaluation": {}}
    card = reader.get(CARD).json()
    assert (card["features"], card["variants"], card["driftBaseline"]) == ([], {}, {})
    assert card["data"]["version"] == 1


def test_there_is_none_of_what_was_never_judged(judged: World, reader: Client) -> None:
    assert reader.get("/api/models/bank/99/card").status_code == 404


def test_it_is_to_be_asked_for_again_while_the_workspace_does_not_answer(
    judged: World, reader: Client
) -> None:
    judged.workspace.documents.clear()
    answer = reader.get(CARD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
