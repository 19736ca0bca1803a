"""One search's folder, which its trials share: what is asked for, the rows as numbers, and a place for each trial."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from localazure.workspace.automl.search.automl_model import Features
from localazure.workspace.automl.search.features import learn
from localazure.workspace.automl.search.fitting import LINEAR, Training
from localazure.workspace.automl.search.table import BadData, Split, read, rows_of, splits
from localazure.workspace.automl.task import Task

SEED = 20_250_701
_ROWS_OF_A_THREAD = 200_000
"""With fewer, threads of LightGBM wait for each other longer than they compute, above all where other trials run."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A search's data. Everything is read from its folder, so that trials share it without reading it again.

    truth: class numbers, of which `labels` are the names; splits: rows to learn from and rows to check on; final: the
    rows the kept models are fitted on
    """

    folder: Path
    task: Task
    features: Features
    labels: list[Any]
    truth: np.ndarray
    weights: np.ndarray | None
    splits: list[Split]
    final: np.ndarray
    threads: int

    def trial(self, number: int) -> Path:
        return self.folder / "trials" / str(number)

    def training(self, algorithm: str, seed: int) -> Training:
        name = "scaled" if algorithm == LINEAR else "codes"
        return Training(
            matrix=np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False),
            truth=self.truth,
            weights=self.weights,
            classes=len(self.labels),
            categories=self.features.categories,
            threads=self.threads,
            seed=seed,
        )

    def tell(self, event: str, **more: Any) -> None:
        """A line for whoever follows the search."""
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as written:
            written.write(json.dumps({"event": event, **more}) + "\n")

    @property
    def checked(self) -> np.ndarray:
        """The rows that are checked on, each once."""
        return np.concatenate([valid for _, valid in self.splits])


def prepare(folder: Path) -> None:
    """Reads the data files and makes numbers of them: once, for all trials.

    How columns become numbers is learnt from all rows that a kept model is fitted on, without their labels.
    """
    asked = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    task = Task.from_json(asked["task"])
    table = read(asked["data"]["training_data"])
    training = table.num_rows
    if "validation_data" in asked["data"]:
        table = _under(table, read(asked["data"]["validation_data"]))
    rows = rows_of(table, task.target, task.weights)
    features = learn(rows.take(np.arange(training)), rows.times, featurize=task.featurize)
    arrays = {"truth": rows.truth, "codes": features.matrix(rows.columns, scaled=False)}
    if LINEAR in task.algorithms:
        arrays["scaled"] = features.matrix(rows.columns, scaled=True)
    if rows.weights is not None:
        arrays["weights"] = rows.weights
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)
    about = {"features": features.spec, "labels": rows.classes, "training": training}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _under(training: pa.Table, validation: pa.Table) -> pa.Table:
    missing = [name for name in training.column_names if name not in validation.column_names]
    if missing:
        raise BadData(f"the validation data has no column {', '.join(missing)}")
    return pa.concat_tables(
        [training, validation.select(training.column_names)], promote_options="permissive"
    )


def load(folder: Path) -> Job:
    """After `prepare`."""
    task = Task.from_json(json.loads((folder / "job.json").read_text(encoding="utf-8"))["task"])
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    truth = np.load(folder / "truth.npy", allow_pickle=False)
    weights = folder / "weights.npy"
    everything = np.arange(len(truth))
    training = everything[: about["training"]]
    if len(training) < len(everything):
        parts = [(training, everything[len(training) :])]
    else:
        parts = splits(truth, folds=task.folds, holdout=task.holdout, seed=SEED)
    return Job(
        folder=folder,
        task=task,
        features=Features(about["features"]),
        labels=about["labels"],
        truth=truth,
        weights=np.load(weights, allow_pickle=False) if weights.exists() else None,
        splits=parts,
        final=training,
        threads=max(1, min(task.cores or len(truth), len(truth) // _ROWS_OF_A_THREAD)),
    )
