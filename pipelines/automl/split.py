"""AutoML, step 2, split: the drops are cut in two; what came first is the table that AutoML learns from.

Its folder is an MLTable, which names the first file alone; the rows of the later drops lie beside it without their
answers, for the step that scores them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.automl.pipeline import TARGET
from pipelines.automl.score import LATER
from pipelines.experimentation.search import drops_of
from pipelines.training.evidence import Evidence, read_evidence
from pipelines.training.learners import Matrix, can_be_learned
from pipelines.training.trial import Past
from shared.domain.models.recipe_gate import LEAST_DROPS

EARLIER, SPLIT = "earlier.parquet", "split.json"
MLTABLE = f"""\
type: mltable
paths:
  - file: ./{EARLIER}
transformations:
  - read_parquet
"""
JUDGED_SHARE = 3
"""Of the drops, the newest third judges."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Where the drops are cut."""

    judged: tuple[int, ...]
    """Versions whose drops judge, the oldest first."""
    doubted: tuple[int, ...]

    @property
    def at(self) -> int:
        """The first version that nothing is learned from."""
        return self.judged[0]

    def learned(self, past: Past) -> Matrix:
        return past.before(self.at, self.doubted)


def cut(past: Past, known: Evidence | None) -> Cut:
    """raises: SystemExit where there are too few drops to learn from some and judge by others"""
    drops = drops_of(past, known) if known else []
    judged = sorted(drops[: max(LEAST_DROPS, len(drops) // JUDGED_SHARE)])
    doubted = tuple(doubt.version for doubt in known.doubts) if known else ()
    if len(judged) < LEAST_DROPS or not can_be_learned(past.before(judged[0], doubted).answers):
        raise SystemExit(
            f"there are {len(drops)} drops before which a model was trained; AutoML's model is judged by the last"
            f" {LEAST_DROPS} at least, and learns from what came before them: gather more"
        )
    return Cut(judged=tuple(judged), doubted=doubted)


def later(past: Past, version: int) -> Matrix:
    """The drop's rows whose features no earlier row had."""
    rows, _, fresh = past.drop(version)
    return rows.only(fresh)


def table_of(rows: Matrix, **more: Any) -> pa.Table:
    """As AutoML, and its model, see them: categories as words, what is not known as null."""
    columns = {
        feature.name: _words(rows.values[:, at], feature.values)
        if feature.type == "category"
        else pa.array(rows.values[:, at], from_pandas=True)
        for at, feature in enumerate(rows.inputs)
    }
    return pa.table({**columns, **{name: pa.array(values) for name, values in more.items()}})


def _words(codes: Any, values: tuple[str, ...]) -> pa.Array:
    return pa.array([None if np.isnan(code) else values[int(code)] for code in codes], pa.string())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--earlier", type=Path, help="folder of the newest model")
    parser.add_argument("--table", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    past = Past.read(given.prepared)
    found = cut(past, read_evidence(given.earlier) if given.earlier else None)
    learned = found.learned(past)
    given.table.mkdir(parents=True, exist_ok=True)
    answers = {TARGET: learned.answers.astype(np.int64)}
    pq.write_table(table_of(learned, **answers), given.table / EARLIER)
    tables = [table_of(later(past, version)) for version in found.judged]
    pq.write_table(pa.concat_tables(tables), given.table / LATER)
    (given.table / SPLIT).write_text(json.dumps({"judged": found.judged}), encoding="utf-8")
    (given.table / "MLTable").write_text(MLTABLE, encoding="utf-8")
    print(f"{len(learned.answers)} rows to learn from; the drops of {len(found.judged)} versions judge")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
