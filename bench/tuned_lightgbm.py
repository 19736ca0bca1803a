"""LightGBM tuned by Optuna, as its users do: TPE over the usual parameters, judged by five folds, for so many seconds.

Runs in an environment of its own: `python tuned_lightgbm.py ROWS.npz SECONDS OUT.npz`.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import lightgbm
import numpy as np
import optuna

SEED = 20080501
FOLDS = 5
ALWAYS = {"objective": "binary", "verbosity": -1, "num_threads": 2, "seed": SEED, "bagging_freq": 1}


def suggested(trial: Any) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 128, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 300, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 30.0, log=True),
        "cat_smooth": trial.suggest_float("cat_smooth", 1.0, 100.0, log=True),
    }


def main(rows: str, seconds: str, out: str) -> None:
    given, began = np.load(rows), time.monotonic()
    words = given["words"].tolist()
    data = lightgbm.Dataset(given["values"], given["answers"], categorical_feature=words, free_raw_data=False)

    def loss(trial: Any) -> float:
        parameters = {**ALWAYS, **suggested(trial)}
        stop = lightgbm.early_stopping(30, verbose=False)
        found = lightgbm.cv(parameters, data, 2000, nfold=FOLDS, stratified=True, seed=SEED, callbacks=[stop])
        means = found["valid binary_logloss-mean"]
        trial.set_user_attr("trees", len(means))
        return float(means[-1])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(loss, timeout=float(seconds))
    best = study.best_trial
    model = lightgbm.train({**ALWAYS, **best.params}, data, best.user_attrs["trees"])
    probabilities = model.predict(given["asked"])
    np.savez(out, probabilities=probabilities, trials=len(study.trials), seconds=time.monotonic() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
