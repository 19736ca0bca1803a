"""Serves a model of the embedded AutoML search, with requests as Azure's own scoring scripts for AutoML take them.

    {"Inputs": {"data": [{"age": 41, "job": "admin."}]}, "GlobalParameters": {"method": "predict_proba"}}

or MLflow's `{"input_data": {"columns": ["age", "job"], "data": [[41, "admin."]]}}`, answered with a list.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

model: Any = None


def init() -> None:
    global model  # noqa: PLW0603 - the server's contract: init() prepares what run() uses
    with tempfile.TemporaryDirectory() as spare:
        folder = model_folder(Path(os.environ["AZUREML_MODEL_DIR"]), Path(spare))
        sys.path.insert(0, str(folder / "code"))
        import automl_model  # type: ignore[import-not-found] # it is beside the model

        model = automl_model.load(folder / "data")


def model_folder(deployed: Path, spare: Path) -> Path:
    """The folder `mlflow-model`, or what `model.pkl` (a zip of it) unpacks to, in `spare`."""
    if found := sorted(deployed.rglob("MLmodel")):
        return found[0].parent
    if packed := sorted(deployed.rglob("model.pkl")):
        with zipfile.ZipFile(packed[0]) as inside:
            inside.extractall(spare)
        return spare
    raise FileNotFoundError(
        "AZUREML_MODEL_DIR holds no model of AutoML: deploy the folder outputs/mlflow-model, or outputs/model.pkl"
    )


def run(raw: str) -> Any:
    asked = json.loads(raw)
    if "input_data" in asked:
        table = asked["input_data"]
        columns = {name: [row[place] for row in table["data"]] for place, name in enumerate(table["columns"])}
        return [plain(label) for label in model.predict(columns)]
    columns = by_column(asked["Inputs"]["data"])
    method = (asked.get("GlobalParameters") or {}).get("method", "predict")
    if method == "predict_proba":
        return {"Results": model.predict_proba(columns).tolist()}
    return {"Results": [plain(label) for label in model.predict(columns)]}


def by_column(data: Any) -> dict[str, list[Any]]:
    """Rows as objects, or columns already."""
    if isinstance(data, dict):
        return dict(data)
    names = list(data[0]) if data else []
    return {name: [row.get(name) for row in data] for name in names}


def plain(label: Any) -> Any:
    return label.item() if hasattr(label, "item") else label
