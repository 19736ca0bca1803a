"""Files that overlap: the gate lets no model pass for better because it has seen the rows that it is judged on.

Each case is a champion, then the same clients once more in another guise; what is true is measured on rows nobody saw.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.training import prepared
from pipelines.training.metrics import log_loss
from serving.model import load
from shared.domain.datasets.row_digest import LEARNED
from shared.domain.drift.learned_rows import LearnedRows
from shared.domain.drift.part_rows import PartRows
from shared.domain.models import promotion
from tests.unit.pipelines.runs import BANK, columns, evaluation, joined, part_of, picked, trained

ROWS = 2500


def clients(rows: int, seed: int) -> dict[str, list[Any]]:
    """Whether they deposit is mostly chance, so that a model can learn rows by heart, and gains nothing by it."""
    chance, drawn = random.Random(seed), columns(rows, seed)
    drawn[BANK.target] = [
        "yes" if chance.random() < (0.35 if age > 70 else 0.2) else "no" for age in drawn["age"]
    ]
    return drawn


def shuffled(drawn: dict[str, list[Any]], seed: int = 1) -> dict[str, list[Any]]:
    places = list(range(len(drawn[BANK.target])))
    random.Random(seed).shuffle(places)
    return picked(drawn, places)


BEFORE, NEW = clients(ROWS, 1), clients(60, 2)
CASES = {
    "a second file whose rows were all in the first": [BEFORE, picked(shuffled(BEFORE), range(ROWS // 2))],
    "the same rows in another order": [BEFORE, shuffled(BEFORE)],
    "a growing file": [BEFORE, joined(BEFORE, NEW)],
    "a full extract each day": [
        BEFORE,
        *(joined(shuffled(BEFORE, day), clients(20, day + 5)) for day in range(4)),
    ],
    "a mended file dropped again": [BEFORE, joined(picked(BEFORE, range(1, ROWS)), picked(NEW, [0]))],
}


@pytest.mark.parametrize("repeats", [pytest.param("once", marks=pytest.mark.slow), "each"])
@pytest.mark.parametrize("case", CASES)
def test_who_has_seen_the_rows_before_is_not_better(tmp_path: Path, case: str, repeats: str) -> None:
    parts = [part_of(tmp_path / "parts", drawn) for drawn in CASES[case]]
    champion = trained(tmp_path, parts[:1], repeats=repeats)
    candidate = trained(tmp_path, parts, version=2, champion=champion, repeats=repeats)
    found = evaluation(candidate)
    verdict = promotion.judge(found, serving=1)
    gain = truly(candidate) - truly(champion)
    assert verdict.outcome != "accepted" or gain <= 0.0005, (verdict.reason, gain)
    assert found["comparison"]["probability_better"] < 0.995  # no miracle
    assert found["left_out_rows"] == 0


def truly(candidate: Path) -> float:
    """The log loss on rows that no model saw."""
    unseen = clients(6000, 99)
    answers = np.array([each == "yes" for each in unseen[BANK.target]], dtype=np.float64)
    return log_loss(answers, load(candidate).probabilities(unseen))


@pytest.mark.parametrize(
    "case", ["a second file whose rows were all in the first", "the same rows in another order"]
)
def test_the_same_rows_again_are_the_same_model(tmp_path: Path, case: str) -> None:
    parts = [part_of(tmp_path / "parts", drawn) for drawn in CASES[case]]
    first, again = trained(tmp_path, parts[:1]), trained(tmp_path, parts, version=2)
    assert (first / "single-boosted.txt").read_bytes() == (again / "single-boosted.txt").read_bytes()
    assert evaluation(first)["holdout_id"] == evaluation(again)["holdout_id"]
    assert evaluation(again)["repeated_rows"] == sum(each["rows"] for each in parts[1:])


def test_a_champion_of_another_holdout_is_judged_on_rows_it_did_not_learn_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the verdict says how many did not count."""
    first, more = (part_of(tmp_path / "parts", drawn) for drawn in (BEFORE, clients(800, 3)))
    with monkeypatch.context() as before:
        before.setattr("pipelines.training.prepare.HOLDOUT", ("another salt", 0.1))
        champion = trained(tmp_path, [first])
    found = evaluation(trained(tmp_path, [first, more], version=2, champion=champion))
    held = found["rows"] + found["left_out_rows"]
    assert held == pytest.approx(0.1 * 3300, rel=0.15)
    assert found["left_out_rows"] == pytest.approx(0.1 * 0.9 * ROWS, rel=0.15)
    verdict = promotion.judge(found, serving=1)
    assert verdict.figures["left_out_rows"] == found["left_out_rows"]
    assert verdict.figures["champion_metrics"]["rows"] == found["rows"]


def test_a_champion_that_learned_from_all_held_out_rows_is_not_compared(tmp_path: Path) -> None:
    only = [part_of(tmp_path / "parts", clients(300, 1))]
    champion = trained(tmp_path, only)
    held_out = prepared.read_digests(champion.parent / "prepared", prepared.HOLDOUT, load(champion).features)
    np.save(champion / LEARNED, held_out)
    found = evaluation(trained(tmp_path, only, version=2, champion=champion))
    assert found["not_compared"] == f"model 1 learned from each of the {len(held_out)} held-out rows"
    assert found["rows"] == len(held_out)
    assert promotion.judge(found, serving=1).outcome != "accepted"


def test_the_app_knows_the_rows_that_a_model_has_learned_from(tmp_path: Path) -> None:
    """By the digests that training left, of the rows as they come in: all but those that were held out."""
    known, others = (part_of(tmp_path / "parts", clients(300, seed)) for seed in (1, 2))
    folder = trained(tmp_path, [known])
    features = load(folder).features
    learned = LearnedRows(digests=np.load(folder / LEARNED), features=[feature.name for feature in features])
    held_out = prepared.read_digests(folder.parent / "prepared", prepared.HOLDOUT, features)
    for part, expected in ((known, 300 - len(held_out)), (others, 0)):
        rows = PartRows((tmp_path / "parts" / part["file"]).read_bytes(), BANK)
        assert sum(int(learned.among(batch).sum()) for batch, _ in rows) == expected
