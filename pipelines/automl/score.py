"""AutoML, step 4, score: the one place that loads AutoML's model, which may be a pickle; it sees no answers.

It runs in an environment that the model can be loaded in, and needs nothing of ours: what it leaves are numbers.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LATER, PREDICTED, PROBABILITY = "later.parquet", "predicted.parquet", "probability"
POSITIVE = 1


def load(folder: Path) -> Any:
    """The model of an MLflow folder, with `predict_proba` and `classes_`.

    By MLflow where the model is one of scikit-learn's, as Azure's are; else as MLflow's python_function flavour says: a
    module, which lies beside it, and the path that it loads.

    raises: SystemExit for a folder that holds no such model
    """
    import yaml

    files = sorted(folder.rglob("MLmodel"))
    if not files:
        raise SystemExit(f"{folder} holds no MLmodel: AutoML left no model")
    home, said = files[0].parent, yaml.safe_load(files[0].read_text(encoding="utf-8"))
    flavors = said.get("flavors", {})
    if "sklearn" in flavors:
        return importlib.import_module("mlflow.sklearn").load_model(str(home))
    if "python_function" not in flavors:
        raise SystemExit(
            f"the model is of {', '.join(flavors) or 'no flavour'}; sklearn or python_function is needed"
        )
    flavor = flavors["python_function"]
    sys.path.insert(0, str(home / flavor.get("code", "")))
    return importlib.import_module(flavor["loader_module"])._load_pyfunc(str(home / flavor.get("data", "")))


def probabilities(model: Any, rows: pa.Table) -> Any:
    """Of the positive answer, a row each."""
    try:
        import pandas  # noqa: F401

        frame: Any = rows.to_pandas()
    except ImportError:
        frame = rows.to_pydict()
    said = np.asarray(model.predict_proba(frame), dtype=np.float64)
    return said[:, [str(one) for one in model.classes_].index(str(POSITIVE))]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="folder that the split step wrote")
    parser.add_argument("--model", type=Path, required=True, help="folder of AutoML's best model")
    parser.add_argument("--predicted", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    said = probabilities(load(given.model), pq.read_table(given.table / LATER))
    given.predicted.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({PROBABILITY: said}), given.predicted / PREDICTED)
    print(f"{len(said)} rows scored")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
