"""One search's folder: what is asked for, the rows, and each trial's place; shared by the search and its trials."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather

from localazure.workspace.automl.search.table import BadData, Rows, Split, read, rows_of, splits
from localazure.workspace.automl.task import Task

SEED = 20_250_701


@dataclass(frozen=True, kw_only=True)
class Job:
    """`splits`: rows to learn from and rows to check on; `final`: the rows the kept model is fitted on."""

    folder: Path
    task: Task
    rows: Rows
    splits: list[Split]
    final: np.ndarray
    threads: int

    def trial(self, number: int) -> Path:
        return self.folder / "trials" / str(number)

    def tell(self, event: str, **more: Any) -> None:
        """A line for whoever follows the search."""
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as written:
            written.write(json.dumps({"event": event, **more}) + "\n")

    @property
    def checked(self) -> np.ndarray:
        """The rows that are checked on, each once."""
        return np.concatenate([valid for _, valid in self.splits])


def prepare(folder: Path) -> None:
    """Reads the data files once, for all trials."""
    asked = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    training = read(asked["data"]["training_data"])
    rows = training.num_rows
    if "validation_data" in asked["data"]:
        training = _under(training, read(asked["data"]["validation_data"]))
    pyarrow.feather.write_feather(
        training.combine_chunks(), folder / "rows.arrow", compression="uncompressed"
    )
    (folder / "training-rows").write_text(str(rows), encoding="utf-8")


def _under(training: pa.Table, validation: pa.Table) -> pa.Table:
    missing = [name for name in training.column_names if name not in validation.column_names]
    if missing:
        raise BadData(f"the validation data has no column {', '.join(missing)}")
    return pa.concat_tables(
        [training, validation.select(training.column_names)], promote_options="permissive"
    )


def load(folder: Path) -> Job:
    """After `prepare`."""
    asked = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    task = Task.from_json(asked["task"])
    rows = rows_of(pyarrow.feather.read_table(folder / "rows.arrow"), task.target, task.weights)
    training = int((folder / "training-rows").read_text(encoding="utf-8"))
    everything = np.arange(len(rows.truth))
    if training < len(everything):
        parts, final = [(everything[:training], everything[training:])], everything[:training]
    else:
        parts, final = splits(rows.truth, folds=task.folds, holdout=task.holdout, seed=SEED), everything
    cores = task.cores or max(1, (os.cpu_count() or 1) // max(1, task.at_once))
    return Job(folder=folder, task=task, rows=rows, splits=parts, final=final, threads=cores)
