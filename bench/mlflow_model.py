"""Saves our booster as mlflow does it, with pandas categories as usual: run by mlflow's own interpreter."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import lightgbm
import mlflow.pyfunc
import pandas as pd


class Booster(mlflow.pyfunc.PythonModel):  # type: ignore[misc, unused-ignore]
    """Reads single-trees.txt and model.json; a probability a row."""

    def load_context(self, context: Any) -> None:
        folder = Path(context.artifacts["folder"])
        self.booster = lightgbm.Booster(model_file=str(folder / "single-trees.txt"))
        self.features = json.loads((folder / "model.json").read_text())["features"]

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        frame = model_input[[feature["name"] for feature in self.features]].copy()
        for feature in self.features:
            if feature["type"] == "category":
                codes = pd.Categorical(frame[feature["name"]], categories=feature["values"]).codes
                frame[feature["name"]] = (
                    pd.Series(codes, index=frame.index).astype("float64").replace(-1.0, float("nan"))
                )
        return self.booster.predict(frame.to_numpy(dtype="float64"))


def main() -> int:
    model, saved = Path(sys.argv[1]), sys.argv[2]
    (found,) = model.rglob("model.json")
    mlflow.pyfunc.save_model(saved, python_model=Booster(), artifacts={"folder": str(found.parent)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
