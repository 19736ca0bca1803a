"""What Campanha's search finds in a minute, beside what a user would train instead, on a random fifth of real rows.

All learn from the same four fifths, and see the same columns. Compared are log losses row by row: a split moves all
figures by more than models differ. The rivals: LightGBM as it comes, and LightGBM tuned by Optuna for a minute. The
search is the experimentation pipeline's; as rows that are split by chance have no order, they come to it in drops drawn
by chance. The recipe that datasets start with is shown too: it is made for months to come, not for such a split.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench.goals import goals_table, machine_line
from commands import ROOT
from commands.backtest import history, source
from commands.setup import venv
from commands.setup.machine import load, machine
from pipelines.experimentation.rolling import Rolling
from pipelines.experimentation.search import Search
from pipelines.experimentation.space import candidates
from pipelines.experimentation.trials import Trial
from pipelines.training import prepared
from pipelines.training.learners import Matrix, columns_of, fit
from pipelines.training.metrics import auc, calibration_error, log_loss, losses, paired_bootstrap
from pipelines.training.trial import Past
from serving.members import loaded
from shared.adapters.recipes import load_recipes
from shared.domain.lists.list_values import list_values
from shared.domain.models.recipe import Recipe
from shared.domain.policy import Policy
from shared.domain.tables.contract import Contract
from shared.package_data import RECIPES

LOCK = ROOT / "bench" / "environments" / "optuna.txt"
HOME = ROOT / ".environments" / "bench-optuna"
SHARE = 0.2
FIRST, OURS = "Campanha's first recipe", "Campanha's search"
PLAIN, TUNED = "LightGBM as it comes", "LightGBM tuned by Optuna"
DROPS, FOLDS = 10, 5
"""The rows come to the search in so many drops, and it is scored on the newest of them."""
TYPES = {"integer": pa.int64(), "number": pa.float64(), "category": pa.string()}
Floats = npt.NDArray[np.float64]


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--data", type=Path, help="the history, .csv or .csv.gz (default: UCI's archive)")
    made.add_argument(
        "--seconds", type=float, default=60.0, help="that the search, and Optuna, may take (default: 60)"
    )
    made.add_argument("--seed", type=int, default=20080501, help="of the split")


def run(given: argparse.Namespace) -> dict[str, Any]:
    load_before = load()
    data, where = source.find(given.data)
    rules = history.contract()
    with tempfile.TemporaryDirectory() as folder:
        learned, asked = _split(history.months(data, rules), rules, Path(folder), given.seed)
        recipes = load_recipes(RECIPES, first=Policy().first_recipe)
        began = time.monotonic()
        found, searched = _searched(recipes, learned, given.seed, given.seconds)
        of_search = _refitted(found, searched, asked.values), {"seconds": time.monotonic() - began}
        answered = {
            FIRST: _timed(lambda: _refitted(recipes[0], learned, asked.values)),
            OURS: of_search,
            PLAIN: _timed(lambda: _plain(learned, asked.values)),
            TUNED: _tuned(learned, asked.values, Path(folder), given.seconds),
        }
    models = {name: _figures(asked.answers, *found) for name, found in answered.items()}
    ours = losses(asked.answers, answered[OURS][0])
    for name, (probabilities, _) in answered.items():
        between = paired_bootstrap(ours, losses(asked.answers, probabilities))
        models[name]["oursLess"] = {"mean": between.mean, "low": between.low, "high": between.high}
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "source": where,
        "recipe": found.said(),
        "rows": {"learned": len(learned.answers), "asked": len(asked.answers)},
        "models": models,
        "goals": _goals(models),
    }


def _goals(models: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """No worse: the interval of the difference of log loss does not lie above nothing."""
    worse = models[TUNED]["oursLess"]
    return [
        {
            "goal": "log loss no worse than tuned LightGBM's: low end of the 95 % interval of ours less theirs",
            "measured": worse["low"],
            "met": worse["low"] <= 0,
        },
        {
            "goal": "ECE in the split at most 0.008",
            "measured": models[OURS]["ece"],
            "met": models[OURS]["ece"] <= 0.008,
        },
    ]


def _split(months: list[history.Called], rules: Contract, folder: Path, seed: int) -> tuple[Matrix, Matrix]:
    """Each month a list, as it would be dropped. returns: rows to learn from, and a random fifth"""
    (folder / prepared.CONTRACT).write_text(json.dumps(rules.to_json()), encoding="utf-8")
    table = pa.concat_tables([_table(month, rules) for month in months])
    asked = np.random.default_rng(seed).random(table.num_rows) < SHARE
    for file, rows in ((prepared.TRAIN, ~asked), (prepared.HOLDOUT, asked)):
        pq.write_table(table.filter(pa.array(rows)), folder / file)
    return prepared.read_matrix(folder, prepared.TRAIN), prepared.read_matrix(folder, prepared.HOLDOUT)


def _table(month: history.Called, rules: Contract) -> Any:
    texts = dict(zip(month.columns, zip(*month.rows, strict=True), strict=True))
    columns = {one.name: pa.array(texts[one.name]).cast(TYPES[one.type]) for one in rules.columns}
    table = pa.table({**columns, rules.target: pa.array(texts[rules.target])})
    for name, values in list_values(rules.list_columns, table).items():
        table = table.append_column(name, pa.array(values))
    return table.append_column(prepared.LIST, pa.array(np.full(len(month.rows), month.clients.number)))


def _timed(answer: Any) -> tuple[Floats, dict[str, Any]]:
    began = time.monotonic()
    return answer(), {"seconds": time.monotonic() - began}


def _refitted(recipe: Recipe, learned: Matrix, asked: Floats) -> Floats:
    members = fit(recipe, learned, columns_of(recipe, learned))
    return loaded(members, learned.inputs).predict(asked)


def _searched(recipes: Sequence[Recipe], learned: Matrix, seed: int, seconds: float) -> tuple[Recipe, Matrix]:
    """The leaderboard's least log loss, and the rows as the search saw them. Where drops are drawn by chance their log
    losses can be averaged; between months they cannot, and there the order is by standard errors."""
    drop = np.random.default_rng(seed).integers(1, DROPS + 1, len(learned.answers))
    matrix = replace(learned, lists=drop)
    none = np.zeros(len(drop), dtype=np.bool_)
    past = Past(matrix=matrix, versions=drop, held_out=none, digests=np.arange(len(drop), dtype=np.uint64))
    search = Search(rolling=Rolling(past=past, drops=range(DROPS, DROPS - FOLDS, -1)), known=recipes)
    search.run(candidates(recipes, has_lists=bool(matrix.list_names), seed=seed), seconds)
    return min(search.complete(), key=_loss).recipe, matrix


def _loss(trial: Trial) -> float:
    return sum(score.loss for score in trial.scores)


def _plain(learned: Matrix, asked: Floats) -> Floats:
    import lightgbm

    rows = lightgbm.Dataset(learned.values, learned.answers, categorical_feature=_words(learned))
    model = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 2}, rows)
    probabilities: Floats = model.predict(asked)
    return probabilities


def _tuned(learned: Matrix, asked: Floats, folder: Path, seconds: float) -> tuple[Floats, dict[str, Any]]:
    if not venv.is_ready(HOME, LOCK):
        venv.install(HOME, LOCK, label="Optuna, for the comparison, into .environments")
    rows, out = folder / "rows.npz", folder / "tuned.npz"
    np.savez(rows, values=learned.values, answers=learned.answers, asked=asked, words=_words(learned))
    script = ROOT / "bench" / "tuned_lightgbm.py"
    subprocess.run([venv.python_in(HOME), script, rows, str(seconds), out], check=True)
    found = np.load(out)
    return found["probabilities"], {"seconds": float(found["seconds"]), "trials": int(found["trials"])}


def _words(learned: Matrix) -> list[int]:
    return [place for place, feature in enumerate(learned.inputs) if feature.type == "category"]


def _figures(answers: Floats, probabilities: Floats, took: dict[str, Any]) -> dict[str, Any]:
    return {
        "auc": auc(answers, probabilities),
        "logLoss": log_loss(answers, probabilities),
        "ece": calibration_error(answers, probabilities),
        **took,
    }


def show(results: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = results["rows"]
    made = Table(
        title=f"{rows['asked']:,} random rows, learned from {rows['learned']:,}", title_justify="left"
    )
    made.add_column("model")
    for column in ("AUC", "log loss", "ECE", "ours less theirs, 95 %", "seconds"):
        made.add_column(column, justify="right")
    for name, one in results["models"].items():
        less = one["oursLess"]
        between = "-" if name == OURS else f"{less['mean']:+.4f} [{less['low']:+.4f}, {less['high']:+.4f}]"
        figures = (f"{one['auc']:.4f}", f"{one['logLoss']:.4f}", f"{one['ece']:.4f}")
        made.add_row(name, *figures, between, f"{one['seconds']:.1f}")
    console = Console()
    console.print(made)
    console.print(goals_table(results))
    console.print(machine_line(results))
