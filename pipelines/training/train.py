"""Training, step 3, train: the live recipe refitted on all rows to learn from, those in doubt left out."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.ending import CannotGoOn
from pipelines.training import prepared
from pipelines.training.drift import PROFILE, profile
from pipelines.training.evidence import EVIDENCE, Evidence, read_evidence
from pipelines.training.learners import Matrix, columns_of, fit
from pipelines.training.trial import SCORES, TRIAL
from serving.members import Member
from serving.model import LIST, SINGLE, save
from shared.domain.datasets.row_digest import LEARNED
from shared.domain.models.doubt import remedy
from shared.domain.models.recipe import Recipe


def train(recipe: Recipe, matrix: Matrix) -> dict[str, list[Member]]:
    """The members of each variant: with the list's columns, and without, for a client who is asked about alone."""
    features = [feature.name for feature in matrix.inputs if feature.name not in matrix.list_names]
    variants = {SINGLE: fit(recipe, matrix, features)}
    if recipe.list_columns and matrix.list_names:
        variants[LIST] = fit(recipe, matrix, columns_of(recipe, matrix))
    return variants


def main(arguments: list[str]) -> int:
    given = _given(arguments)
    contract = prepared.read_contract(given.prepared)
    features = prepared.features_of(contract)
    evidence = read_evidence(given.trial)
    if evidence is None:
        raise SystemExit(f"{given.trial} holds no {EVIDENCE}; run the trial step first")
    learned, held_out = (
        evidence.plausible(prepared.read_numbers(given.prepared, file, prepared.VERSION))
        for file in (prepared.TRAIN, prepared.HOLDOUT)
    )
    if not (learned.any() and held_out.any()):
        doubt = _in_doubt(given.model_name, evidence)
        raise CannotGoOn(f"too few rows are left to learn from and to be judged on; {doubt}")
    matrix = prepared.read_matrix(given.prepared, prepared.TRAIN).only(learned)
    rate = float(matrix.answers.mean())
    if not 0 < rate < 1:
        doubt = f"; {_in_doubt(given.model_name, evidence)}" if evidence.doubts else ""
        raise CannotGoOn(
            f"all training rows have the same answer; a classifier needs both answers, gather more{doubt}"
        )
    variants = train(evidence.live, matrix)
    lists = contract.get("list_columns", ()) if LIST in variants else ()
    facts = {**_facts(given, rate, len(matrix.answers)), "recipe": evidence.live.to_json()}
    save(given.model, features=features, list_columns=lists, variants=variants, facts=facts)
    read = len(features) + len(lists)
    known = profile(matrix.inputs[:read], matrix.values[:, :read])
    (given.model / PROFILE).write_text(json.dumps(known, indent=1), encoding="utf-8")
    digests = prepared.read_digests(given.prepared, prepared.TRAIN, features)[learned]
    np.save(given.model / LEARNED, np.unique(digests), allow_pickle=False)
    for name in (EVIDENCE, TRIAL):
        shutil.copyfile(given.trial / name, given.model / name)
    for file in (given.trial / SCORES).glob("*.parquet"):  # a store of blobs knows no empty folder
        (given.model / SCORES).mkdir(exist_ok=True)
        shutil.copyfile(file, given.model / SCORES / file.name)
    print(f"{evidence.live.name} on {len(matrix.answers)} rows, {rate:.4f} of them positive")
    return 0


def _in_doubt(dataset: str, evidence: Evidence) -> str:
    """Of all the doubts the newest: what to do about any of them lets the others' rows be compared with more."""
    newest = evidence.doubts[-1]
    others = len({doubt.version for doubt in evidence.doubts}) - 1
    more = f" (and those of {others} versions before it)" if others else ""
    why = f"the rows of version {newest.version}{more} are in doubt and left out: {newest.reason}"
    return f"{why}; {remedy(dataset, newest.version)}"


def _facts(given: argparse.Namespace, rate: float, rows: int) -> dict[str, Any]:
    positive, negative = prepared.words(prepared.read_contract(given.prepared))
    return {
        "name": given.model_name,
        "version": given.model_version,
        "positive": positive,
        "negative": negative,
        "threshold": given.call_cost / given.deposit_value,
        "call_cost": given.call_cost,
        "deposit_value": given.deposit_value,
        "base_rate": rate,
        "trained_rows": rows,
    }


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--trial", type=Path, required=True, help="folder that the trial step wrote")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", required=True)
    parser.add_argument("--call-cost", type=float, required=True)
    parser.add_argument("--deposit-value", type=float, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder to write the model into")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
