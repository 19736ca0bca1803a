"""What an AutoML job or step asks for, in one shape whatever its casing; what is not done is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from localazure.workspace import bodies
from localazure.workspace.wire.calls import Json, Refusal
from localazure.workspace.wire.timestamps import seconds_of

ALGORITHMS = ("LightGBM", "LogisticRegression", "RandomForest", "ExtremeRandomTrees")
"""In Azure's spelling of what it allows; each is searched for unless the job says otherwise."""
_ELSEWHERE = (
    "bernoullinaivebayes", "decisiontree", "gradientboosting", "knn", "linearsvm", "multinomialnaivebayes", "sgd",
    "svm", "xgboostclassifier",
)  # fmt: skip
METRICS = (
    "accuracy", "AUC_weighted", "average_precision_score_weighted", "norm_macro_recall",
    "precision_score_weighted",
)  # fmt: skip
_FOLDS = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True)
class Task:
    """A search for a classifier. `folds` and `holdout` are None where the amount of data shall decide."""

    target: str
    metric: str
    weights: str | None = None
    folds: int | None = None
    holdout: float | None = None
    algorithms: tuple[str, ...] = ALGORITHMS
    featurize: bool = True
    vote: bool = True
    stack: bool = True
    most_trials: int = 1000
    at_once: int = 1
    cores: int | None = None
    seconds: float = 6 * 3600.0
    trial_seconds: float = 30 * 60.0
    exit_score: float | None = None
    early_end: bool = True
    warnings: tuple[str, ...] = field(default=())

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Task:
        lists = {name: tuple(value[name]) for name in ("algorithms", "warnings")}
        return cls(**(value | lists))


def task_of(details: Json) -> Task:
    """From snake-case details; raises for whatever would make another search of it."""
    bodies.AUTOML_TASK.check(details)
    if _plain(details.get("task")) != "classification":
        raise Refusal(
            501, "NotImplemented", f"AutoML for {details.get('task')!r} is not emulated; classification is"
        )
    if not details.get("target_column_name"):
        raise Refusal(400, "UserError", "target_column_name is missing")
    training, featurization = details.get("training") or {}, details.get("featurization") or {}
    bodies.AUTOML_TRAINING.check(training)
    bodies.AUTOML_FEATURIZATION.check(featurization)
    mode = _plain(featurization.get("mode") or "auto")
    if mode not in ("auto", "off"):
        raise Refusal(501, "NotImplemented", f"featurization {mode!r} is not emulated; auto and off are")
    share = details.get("validation_data_size")
    return Task(
        target=str(details["target_column_name"]),
        metric=_metric(details.get("primary_metric")),
        weights=details.get("weight_column_name"),
        folds=_folds(details.get("n_cross_validations")),
        holdout=_between(share, "validation_data_size", 0, 1) if share is not None else None,
        algorithms=_algorithms(training),
        featurize=mode == "auto",
        vote=training.get("enable_vote_ensemble") is not False,
        stack=training.get("enable_stack_ensemble") is not False,
        **_limits(details.get("limits") or {}),
    )


def _limits(given: Json) -> dict[str, Any]:
    bodies.AUTOML_LIMITS.check(given)
    found: dict[str, Any] = {}
    for name, key in (("max_trials", "most_trials"), ("max_concurrent_trials", "at_once")):
        if given.get(name) is not None:
            found[key] = int(_between(given[name], name, 0, 100_000))
    if (given.get("max_cores_per_trial") or -1) != -1:
        found["cores"] = int(_between(given["max_cores_per_trial"], "max_cores_per_trial", 0, 1024))
    for plain, key in (("timeout", "seconds"), ("trial_timeout", "trial_seconds")):
        if given.get(f"{plain}_minutes") is not None:
            found[key] = 60 * _between(given[f"{plain}_minutes"], f"{plain}_minutes", 0, 100_000)
        elif given.get(plain):
            found[key] = seconds_of(str(given[plain]))
    if given.get("exit_score") is not None:
        found["exit_score"] = float(given["exit_score"])
    if given.get("enable_early_termination") is not None:
        found["early_end"] = bool(given["enable_early_termination"])
    return found


def _metric(given: Any) -> str:
    """Azure's default for classification is the accuracy."""
    named = {_plain(name): name for name in METRICS}
    metric = named.get(_plain(given or "accuracy"))
    if metric is None:
        raise Refusal(400, "UserError", f"primary_metric {given!r}: one of {', '.join(METRICS)}")
    return metric


def _folds(given: Any) -> int | None:
    """A number, `auto`, or `{"mode": "Custom", "value": 3}`."""
    if isinstance(given, Mapping):
        given = given.get("value") if _plain(given.get("mode")) == "custom" else "auto"
    if given is None or _plain(given) == "auto":
        return None
    if not _FOLDS.fullmatch(str(given)) or int(given) < 2:
        raise Refusal(400, "UserError", f"n_cross_validations {given!r}: a whole number from 2, or auto")
    return int(given)


def _algorithms(training: Json) -> tuple[str, ...]:
    """Those allowed and not blocked; one that is allowed and not here is refused."""
    here = {_plain(name): name for name in ALGORITHMS}
    allowed = [_plain(name) for name in training.get("allowed_training_algorithms") or here]
    blocked = {_plain(name) for name in training.get("blocked_training_algorithms") or []}
    for name in [*allowed, *blocked]:
        if name not in here and name not in _ELSEWHERE:
            raise Refusal(400, "UserError", f"there is no training algorithm {name!r}")
    if missing := [name for name in allowed if name not in here]:
        raise Refusal(
            501, "NotImplemented", f"{', '.join(missing)}: not emulated; {', '.join(ALGORITHMS)} are"
        )
    left = tuple(here[name] for name in allowed if name not in blocked)
    if not left:
        raise Refusal(400, "UserError", f"no training algorithm is left; there are {', '.join(ALGORITHMS)}")
    return left


def _between(given: Any, name: str, least: float, most: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not least < given <= most:
        raise Refusal(400, "UserError", f"{name} {given!r}: a number above {least} and up to {most}")
    return float(given)


def _plain(word: Any) -> str:
    """Without case and underscores: `light_gbm` and `LightGBM` are the same."""
    return str(word).replace("_", "").lower()
