"""What a model's endpoint promises, held to in memory and by the client on Microsoft's inference server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from shared.adapters.memory import MemoryEndpoint
from shared.adapters.scoring import RestEndpoint
from shared.domain.models.answers import feature_table
from shared.domain.models.smoke_test import GoldenRows
from shared.errors import Unanswerable
from shared.ports import ModelEndpoint, Scores
from tests.serving.test_inference_server import DEPLOYED, Served, serving

Score = Callable[[Any], Scores]
ROWS = feature_table(
    ["age", "job"], [[age, job] for age in range(20, 60) for job in ("student", "retired", None)]
)


@pytest.fixture(scope="module")
def served(free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), free_port(), DEPLOYED, compiled=True) as made:
        yield made


@pytest.fixture(params=["memory", "inference server"])
def score(request: pytest.FixtureRequest) -> Score:
    endpoint: ModelEndpoint = MemoryEndpoint()
    if request.param != "memory":
        server: Served = request.getfixturevalue("served")
        endpoint = RestEndpoint(lambda _: (f"{server.url}/score", "no key"), in_flight=4, patience=20)
    return lambda rows: endpoint.score("campanha-bank", "model-7", rows)


def test_each_row_has_an_answer_in_its_place(score: Score) -> None:
    whole = score(ROWS)
    assert whole.model_version == "7"
    assert len(whole.answers) == ROWS.num_rows
    alone = [score(ROWS.slice(at, 1)).answers.scores()[0] for at in range(0, ROWS.num_rows, 11)]
    assert alone == whole.answers.scores()[::11].tolist()


def test_the_same_rows_have_the_same_answers(score: Score) -> None:
    one, other = score(ROWS).answers, score(ROWS).answers
    assert one.probability.equals(other.probability)
    assert (one.decile == other.decile).all()
    assert (one.decision == other.decision).all()


def test_deciles_and_decisions_rise_with_the_probability(score: Score) -> None:
    answers = score(ROWS).answers
    order = np.argsort(answers.scores(), kind="stable")
    for values in (answers.decile[order], answers.decision[order]):
        assert all(low <= high for low, high in pairwise(values.tolist()))
    assert set(answers.decile.tolist()) <= set(range(1, 11))


def test_a_smoke_test_passes_on_its_own_answers(score: Score) -> None:
    scores = score(ROWS)
    probability = scores.answers.scores().tolist()
    golden = GoldenRows(rows=ROWS, probability=probability)
    assert golden.faults(probability, scores.model_version, 7) == ""
    assert "model 7 answered in the place of model 8" in golden.faults([], scores.model_version, 8)


def test_rows_that_lack_a_feature_are_told_with_its_name(served: Served) -> None:
    endpoint = RestEndpoint(lambda _: (f"{served.url}/score", "no key"), in_flight=4, patience=20)
    with pytest.raises(Unanswerable, match="there is no column 'job'"):
        endpoint.score("campanha-bank", "model-7", ROWS.select(["age"]))
