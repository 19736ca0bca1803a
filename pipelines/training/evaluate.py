"""Training, step 3, evaluate: champion and challenger on the same hold-out; golden rows for a deployment's smoke test."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.training import prepared
from pipelines.training.champion import Champion, fetch
from pipelines.training.metrics import (
    Floats,
    auc,
    average_precision,
    log_loss,
    losses,
    paired_bootstrap,
    profit,
)
from serving.model import GOLDEN, LIST, SINGLE, Model, describe, load
from serving.trusted import Untrusted, compiled_for

GOLDEN_ROWS = 20
NO_CHAMPION = "none"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A model's probabilities on the hold-out and the figures that follow from them."""

    probabilities: Floats
    figures: dict[str, Any]


def judge(model: Model, rows: prepared.Rows, *, call_cost: float, deposit_value: float) -> Judged:
    """Both models are judged at today's cost and value, each on the columns it was trained on."""
    probabilities = model.probabilities(rows.columns)
    called = probabilities >= call_cost / deposit_value
    figures = {
        "name": model.name,
        "version": model.version,
        "auc": auc(rows.answers, probabilities),
        "log_loss": log_loss(rows.answers, probabilities),
        "average_precision": average_precision(rows.answers, probabilities),
        "profit": profit(rows.answers, called, call_cost=call_cost, deposit_value=deposit_value),
        "calls": int(called.sum()),
    }
    return Judged(probabilities=probabilities, figures=figures)


def compare(challenger: Judged, champion: Judged, answers: Floats) -> dict[str, Any]:
    """Negative differences of log loss speak for the challenger."""
    found = paired_bootstrap(
        losses(answers, challenger.probabilities), losses(answers, champion.probabilities)
    )
    ours, theirs = challenger.figures, champion.figures
    return {
        "log_loss_difference": found.mean,
        "low": found.low,
        "high": found.high,
        "probability_better": found.probability_better,
        "auc_difference": None if ours["auc"] is None else ours["auc"] - theirs["auc"],
        "profit_difference": ours["profit"] - theirs["profit"],
        "resamples": found.resamples,
    }


def deciles(probabilities: Floats) -> list[float]:
    """Nine cut points between the tenths of held-out rows; the model never learned from them, as from its clients."""
    found: list[float] = np.quantile(probabilities, np.arange(1, 10) / 10).tolist()
    return found


def agrees_compiled(model: Model, variant: str, rows: prepared.Rows) -> bool:
    """Whether compiled trees say the same to every held-out row; a deployment does without them if not."""
    try:
        compiled_for(model.variants[variant], model.encode(_read_by(model, variant, rows)))
    except Untrusted as reason:
        print(
            f"{model.name} {model.version} will predict without compiled trees ({variant}): {reason}",
            file=sys.stderr,
        )
        return False
    return True


def golden(model: Model, variant: str, rows: prepared.Rows, probabilities: Floats) -> dict[str, Any]:
    """Held-out rows as a caller would send them, and what this variant of the model says to them.

    They lie evenly between the lowest and the highest probability, so that they take many ways through the trees.
    """
    places = _spread(probabilities, GOLDEN_ROWS)
    read = _read_by(model, variant, rows)
    columns = {name: np.asarray(values)[places].tolist() for name, values in read.items()}
    picked = [list(row) for row in zip(*columns.values(), strict=True)]
    return {"columns": [*columns], "rows": picked, "probability": model.probabilities(columns).tolist()}


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
    champion = None if given.champion == NO_CHAMPION else fetch(given.champion)
    judged = [model, champion.model] if champion else [model]
    columns = dict.fromkeys(name for each in judged for name in (*each.columns, *each.list_columns))
    held_out = prepared.read_rows(given.prepared, prepared.HOLDOUT, columns)
    every = np.ones(len(held_out.answers), dtype=np.bool_)
    unseen, not_compared = champion.unseen(given.prepared) if champion else (every, "")
    rows = held_out if not_compared or unseen.all() else held_out.only(unseen)
    money = {"call_cost": given.call_cost, "deposit_value": given.deposit_value}
    ours = judge(model, rows, **money)
    theirs = judge(champion.model, rows, **money) if champion and not not_compared else None
    base = np.full(len(rows.answers), float(model.description["base_rate"]))
    evaluation = {
        "rows": len(rows.answers),
        **json.loads((given.prepared / prepared.MEMBERSHIP).read_text(encoding="utf-8")),
        "challenger": ours.figures,
        "champion": theirs.figures if theirs else _named(champion),
        "baseline": {"log_loss": log_loss(rows.answers, base)},
        "comparison": compare(ours, theirs, rows.answers) if theirs else None,
        "not_compared": not_compared,
        "left_out_rows": 0 if not_compared else int((~unseen).sum()),
        "drift": champion.drift(given.prepared) if champion else [],
    }
    said = {variant: model.probabilities(_read_by(model, variant, held_out)) for variant in model.variants}
    shutil.copytree(given.model, given.candidate, dirs_exist_ok=True)
    describe(
        given.candidate,
        deciles={variant: deciles(each) for variant, each in said.items()},
        compiled={variant: agrees_compiled(model, variant, held_out) for variant in said},
    )
    _write(given.candidate / "evaluation.json", evaluation)
    answers = {variant: golden(model, variant, held_out, each) for variant, each in said.items()}
    listed = {LIST: answers[LIST]} if LIST in answers else {}
    _write(given.candidate / GOLDEN, answers[SINGLE] | listed)
    return evaluation


def _named(champion: Champion | None) -> dict[str, Any] | None:
    return {"name": champion.model.name, "version": champion.model.version} if champion else None


def _write(file: Path, body: dict[str, Any]) -> None:
    file.write_text(json.dumps(body, indent=1, allow_nan=False), encoding="utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--champion", required=True, help=f"{NO_CHAMPION}, or <name>:<version>")
    parser.add_argument("--call-cost", type=float, required=True)
    parser.add_argument("--deposit-value", type=float, required=True)
    parser.add_argument("--candidate", type=Path, required=True, help="folder to write")
    print(json.dumps(evaluate(parser.parse_args(arguments)), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
