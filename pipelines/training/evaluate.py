"""Training, step 4, evaluate: the refit on rows it has not learned from, beside the champion; golden rows for a smoke test.

Figures only: what follows from them is decided by `shared.domain.models.promotion`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.training import prepared
from pipelines.training.champion import Champion, read_champion
from pipelines.training.evidence import read_evidence
from pipelines.training.holdout import Mask
from pipelines.training.metrics import (
    Difference,
    Floats,
    auc,
    average_precision,
    calibration_error,
    calibration_error_by_chance,
    log_loss,
    losses,
    paired_bootstrap,
    profit,
)
from pipelines.training.trial import TRIAL
from serving.explain import importance
from serving.model import DIGEST, GOLDEN, LIST, SINGLE, Model, describe, load
from serving.rules import checked
from serving.trusted import Untrusted, compiled_for
from shared.domain.lists.list_drift import HELD_OUT_TENTHS
from shared.domain.models.recipe_gate import LEAST_ROWS

GOLDEN_ROWS = 20
LEAST_SEGMENT = 200
"""Held-out rows of a segment that is looked at by itself."""
LEAST_NEWEST = LEAST_ROWS
"""Held-out rows of the newest version from which on the two are compared on these alone: the interval of one is a point, so
that whatever it says is sure, and with a handful chance refuses many a good refit."""
TIMED_ROWS = 1000


@dataclass(frozen=True, kw_only=True)
class Held:
    """The held-out rows that no judged model has learned from."""

    rows: prepared.Rows
    lists: npt.NDArray[np.int64]
    versions: npt.NDArray[np.int64]

    def only(self, these: Mask) -> Held:
        return Held(rows=self.rows.only(these), lists=self.lists[these], versions=self.versions[these])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A model's probabilities on the held-out rows and the figures that follow from them."""

    probabilities: Floats
    figures: dict[str, Any]


def judge(model: Model, rows: prepared.Rows, *, call_cost: float, deposit_value: float) -> Judged:
    """Both models are judged at today's cost and value, each on the columns it was trained on."""
    probabilities = model.probabilities(_read_by(model, _fullest(model), rows))
    called = probabilities >= call_cost / deposit_value
    figures = {
        "name": model.name,
        "version": model.version,
        "auc": auc(rows.answers, probabilities),
        "log_loss": log_loss(rows.answers, probabilities),
        "average_precision": average_precision(rows.answers, probabilities),
        "calibration_error": calibration_error(rows.answers, probabilities),
        "profit": profit(rows.answers, called, call_cost=call_cost, deposit_value=deposit_value),
        "calls": int(called.sum()),
    }
    return Judged(probabilities=probabilities, figures=figures)


def compare(challenger: Judged, champion: Judged, held: Held) -> dict[str, Any]:
    """Negative differences of log loss speak for the challenger."""
    ours, theirs = challenger.figures, champion.figures
    return {
        **_difference(challenger.probabilities, champion.probabilities, held),
        "auc_difference": None if ours["auc"] is None else ours["auc"] - theirs["auc"],
        "profit_difference": ours["profit"] - theirs["profit"],
    }


def _difference(ours: Floats, theirs: Floats, held: Held) -> dict[str, Any]:
    answers = held.rows.answers
    found = paired_bootstrap(losses(answers, ours), losses(answers, theirs), held.lists)
    return _in_json(found)


def _in_json(found: Difference) -> dict[str, Any]:
    return {
        "log_loss_difference": found.mean,
        "low": found.low,
        "high": found.high,
        "probability_better": found.probability_better,
        "resamples": found.resamples,
    }


def newest(ours: Judged, theirs: Judged, held: Held) -> dict[str, Any] | None:
    """The comparison on the rows of the newest version alone; None where too few of them are held out."""
    there = held.versions == held.versions.max(initial=0)
    only = held.only(there)
    if len(only.rows.answers) < LEAST_NEWEST:
        return None
    return {
        "version": int(only.versions[0]),
        "rows": len(only.rows.answers),
        **_difference(ours.probabilities[there], theirs.probabilities[there], only),
    }


def calibration(judged: Judged, answers: Floats) -> dict[str, Any]:
    """How far what it says is from what came, and how far it may be by chance."""
    return {
        "mean_probability": float(judged.probabilities.mean()),
        "rate": float(answers.mean()),
        "error": judged.figures["calibration_error"],
        "error_by_chance": calibration_error_by_chance(judged.probabilities),
    }


def segments(model: Model, ours: Judged, against: Floats, held: Held) -> list[dict[str, Any]]:
    """Each category's values with enough rows: the difference of log loss there. against: probabilities, row by row"""
    found = []
    for feature in model.features:
        values = np.asarray(held.rows.columns[feature.name], dtype=object)
        for value in feature.values:
            there = values == value
            if there.sum() >= LEAST_SEGMENT:
                only = held.only(there)
                difference = _difference(ours.probabilities[there], against[there], only)
                found.append({"column": feature.name, "value": value, "rows": int(there.sum()), **difference})
    return found


def deciles(probabilities: Floats) -> list[float]:
    """Nine cut points between the tenths of held-out rows; the model never learned from them, as from its clients."""
    found: list[float] = np.quantile(probabilities, np.arange(1, 10) / 10).tolist()
    return found


def tenths(probabilities: Floats, cuts: list[float]) -> list[int]:
    """How many held-out rows are in each; equal ones are in one. cuts: as `deciles` has them"""
    found: list[int] = np.bincount(
        np.searchsorted(cuts, probabilities, side="right"), minlength=len(cuts) + 1
    ).tolist()
    return found


def compiled_where_right(model: Model, rows: prepared.Rows) -> Model:
    """As a deployment will have it: with compiled trees in each variant in which they say the same to every row."""
    variants = dict(model.variants)
    for variant, plain in model.variants.items():
        try:
            variants[variant] = compiled_for(plain, model.encode(_read_by(model, variant, rows)))
        except Untrusted as reason:
            print(
                f"{model.name} {model.version} will predict without compiled trees ({variant}): {reason}",
                file=sys.stderr,
            )
    return replace(model, variants=variants)


def milliseconds(model: Model, rows: prepared.Rows) -> float:
    """What scoring a thousand rows takes here, the best of three. model: as a deployment has it"""
    read = _read_by(model, _fullest(model), rows)
    columns = {
        name: np.resize(np.asarray(values, dtype=object), TIMED_ROWS).tolist()
        for name, values in read.items()
    }
    took = []
    for _ in range(3):
        start = time.perf_counter()
        model.probabilities(columns)
        took.append(time.perf_counter() - start)
    return round(min(took) * 1000, 2)


def golden(model: Model, variant: str, rows: prepared.Rows, probabilities: Floats) -> dict[str, Any]:
    """Held-out rows as a caller would send them, and what this variant of the model says to them.

    They lie evenly between the lowest and the highest probability, so that they take many ways through the trees.
    """
    read = {name: np.asarray(values) for name, values in _read_by(model, variant, rows).items()}
    scored = _scored(model, read)
    places = scored[_spread(probabilities[scored], GOLDEN_ROWS)]
    columns = {name: values[places].tolist() for name, values in read.items()}
    picked = [list(row) for row in zip(*columns.values(), strict=True)]
    return {"columns": [*columns], "rows": picked, "probability": model.probabilities(columns).tolist()}


def _scored(model: Model, read: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """Places of the rows that an endpoint gives scores: none to a row that breaks the contract, as one does that was
    readmitted with its rules waived, or admitted before the contract was narrowed. All, where each breaks it: a model
    with no golden row at all could not even be asked.
    """
    count = len(next(iter(read.values())))
    sent = {name: values.tolist() for name, values in read.items()}
    _, broken = checked(model.inputs, {**dict.fromkeys(model.list_columns, [None] * count), **sent})
    return np.setdiff1d(np.arange(count), [*broken]) if len(broken) < count else np.arange(count)


def _fullest(model: Model) -> str:
    """The variant that reads all there is to read."""
    return LIST if LIST in model.variants else SINGLE


def _read_by(model: Model, variant: str, rows: prepared.Rows) -> dict[str, Any]:
    return {name: rows.columns[name] for name in model.reads(variant)}


def _spread(probabilities: Floats, count: int) -> list[int]:
    """Places of `count` rows, each the one nearest to its step of the range and not taken by the step before."""
    left = probabilities.copy()
    places = []
    for step in np.linspace(left.min(), left.max(), min(count, len(left))):
        places.append(int(np.nanargmin(np.abs(left - step))))
        left[places[-1]] = np.nan
    return places


def evaluate(given: argparse.Namespace) -> dict[str, Any]:
    """Writes the candidate's folder; returns its evaluation.

    Both models are judged on the held-out rows that neither has learned from. Where there are none, there is no
    comparison, and the evaluation says why (`not_compared`).
    """
    model = load(given.model)
    champion = read_champion(given.champion) if given.champion else None
    judged = [model, champion.model] if champion else [model]
    columns = dict.fromkeys(name for each in judged for name in (*each.columns, *each.list_columns))
    known = read_evidence(given.model)
    versions = prepared.read_numbers(given.prepared, prepared.HOLDOUT, prepared.VERSION)
    plausible = known.plausible(versions) if known else np.ones(len(versions), dtype=np.bool_)
    whole = _held(given.prepared, list(columns))
    whole = whole if plausible.all() else whole.only(plausible)
    every = np.ones(len(whole.lists), dtype=np.bool_)
    unseen, not_compared = champion.unseen(given.prepared, plausible) if champion else (every, "")
    held = whole if not_compared or unseen.all() else whole.only(unseen)
    money = {"call_cost": given.call_cost, "deposit_value": given.deposit_value}
    ours = judge(model, held.rows, **money)
    theirs = judge(champion.model, held.rows, **money) if champion and not not_compared else None
    answers = held.rows.answers
    base = np.full(len(answers), float(model.description["base_rate"]))
    said = {variant: model.probabilities(_read_by(model, variant, whole.rows)) for variant in model.variants}
    quick = compiled_where_right(model, whole.rows)
    compiled = {variant: quick.variants[variant] is not plain for variant, plain in model.variants.items()}
    evaluation = {
        "rows": len(answers),
        "positives": int(answers.sum()),
        **json.loads((given.prepared / prepared.MEMBERSHIP).read_text(encoding="utf-8")),
        "challenger": ours.figures,
        "champion": theirs.figures if theirs else _named(champion),
        "baseline": {"log_loss": log_loss(answers, base), **_difference(ours.probabilities, base, held)},
        "comparison": compare(ours, theirs, held) if theirs else None,
        "newest": newest(ours, theirs, held) if theirs else None,
        "not_compared": not_compared,
        "left_out_rows": 0 if not_compared else int((~unseen).sum()),
        "calibration": calibration(ours, answers),
        "segments": segments(model, ours, theirs.probabilities if theirs else base, held),
        "model": _facts(model, champion, given.model) | {"compiled": compiled},
        "forbidden_columns": prepared.forbidden(prepared.read_contract(given.prepared)),
        "milliseconds_per_1000_rows": milliseconds(quick, whole.rows),
        "recipe": model.description["recipe"],
        "trial": json.loads((given.model / TRIAL).read_text(encoding="utf-8")),
        "doubts": [doubt.to_json() for doubt in known.doubts] if known else [],
        "drift": champion.drift(given.prepared) if champion else [],
    }
    shutil.copytree(given.model, given.candidate, dirs_exist_ok=True)
    cuts = {variant: deciles(each) for variant, each in said.items()}
    matters = {
        variant: importance(model, model.encode(_read_by(model, variant, whole.rows))) for variant in said
    }
    counted = {HELD_OUT_TENTHS: tenths(said[_fullest(model)], cuts[_fullest(model)])}
    describe(given.candidate, deciles=cuts, compiled=compiled, importance=matters, **counted)
    _write(given.candidate / "evaluation.json", evaluation)
    answered = {variant: golden(model, variant, whole.rows, each) for variant, each in said.items()}
    listed = {LIST: answered[LIST]} if LIST in answered else {}
    _write(given.candidate / GOLDEN, answered[SINGLE] | listed)
    return evaluation


def _held(folder: Path, columns: list[str]) -> Held:
    return Held(
        rows=prepared.read_rows(folder, prepared.HOLDOUT, columns),
        lists=prepared.read_numbers(folder, prepared.HOLDOUT, prepared.LIST),
        versions=prepared.read_numbers(folder, prepared.HOLDOUT, prepared.VERSION),
    )


def _facts(model: Model, champion: Champion | None, folder: Path) -> dict[str, Any]:
    """What the model is, apart from how good it is."""
    return {
        "sha256": model.description[DIGEST],
        "champion_sha256": champion.model.description[DIGEST] if champion else None,
        "columns": model.columns,
        "list_columns": model.list_columns,
        "trained_rows": model.description["trained_rows"],
        "bytes": sum(file.stat().st_size for file in folder.glob("*.txt")),
    }


def _named(champion: Champion | None) -> dict[str, Any] | None:
    return {"name": champion.model.name, "version": champion.model.version} if champion else None


def _write(file: Path, body: dict[str, Any]) -> None:
    file.write_text(json.dumps(body, indent=1, allow_nan=False), encoding="utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--champion", type=Path, help="folder of the model that serves")
    parser.add_argument("--call-cost", type=float, required=True)
    parser.add_argument("--deposit-value", type=float, required=True)
    parser.add_argument("--candidate", type=Path, required=True, help="folder to write")
    print(json.dumps(evaluate(parser.parse_args(arguments)), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
