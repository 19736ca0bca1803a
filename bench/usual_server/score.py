"""The usual scoring script: JSON becomes a pandas frame with categories, which LightGBM predicts. Served for comparison."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import lightgbm
import pandas as pd

model: Any = None
features: list[dict[str, Any]] = []


def init() -> None:
    global model, features  # noqa: PLW0603 - as everybody writes it
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    model = lightgbm.Booster(model_file=str(folder / "single-trees.txt"))
    features = json.loads((folder / "model.json").read_text())["features"]


def run(raw_data: str) -> Any:
    frame = pd.DataFrame(json.loads(raw_data)["data"])[[feature["name"] for feature in features]]
    for feature in features:
        if feature["type"] == "category":
            codes = pd.Categorical(frame[feature["name"]], categories=feature["values"]).codes
            frame[feature["name"]] = (
                pd.Series(codes, index=frame.index).astype("float64").replace(-1.0, float("nan"))
            )
    return {"probability": model.predict(frame.to_numpy(dtype="float64")).tolist()}
