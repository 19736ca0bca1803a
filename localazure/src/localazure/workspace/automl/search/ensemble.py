"""Several trials' models as one: a vote with weights, or a second level that reads the first one's answers."""

from __future__ import annotations

import numpy as np

from localazure.workspace.automl.search import automl_model, saved
from localazure.workspace.automl.search.automl_model import Logistic, Model, combined, stacked
from localazure.workspace.automl.search.fitting import logistic
from localazure.workspace.automl.search.job import SEED, Job
from localazure.workspace.automl.search.metrics import metrics
from localazure.workspace.automl.search.table import splits
from localazure.workspace.automl.search.trial import mean

_ROUNDS = 12
"""How many times the vote takes in one more member, the same one perhaps again."""
_MOST_IN_STACK = 5
_STRENGTH = 1.0


def vote(job: Job, number: int, ranked: list[int], run: str) -> tuple[dict[str, float], dict[str, float]]:
    """Members are chosen greedily on the rows they were checked on, as in Azure; its score is therefore kind."""
    answers = _answers(job, ranked)
    truth, checked = job.rows.truth, job.checked
    counts = np.zeros(len(ranked))
    for _ in range(_ROUNDS):
        scores = [
            metrics(truth[checked], _mixed(answers, counts + np.eye(len(ranked))[one])[checked])[
                job.task.metric
            ]
            for one in range(len(ranked))
        ]
        counts[int(np.nanargmax(scores))] += 1
    weights = counts / counts.sum()
    chosen = [place for place in range(len(ranked)) if weights[place] > 0]
    mixed = _mixed(answers, weights)
    told = mean([metrics(truth[valid], mixed[valid]) for _, valid in job.splits])
    members = {ranked[place]: float(weights[place]) for place in chosen}
    _keep(job, number, members, None, run)
    return told, {str(trial): weight for trial, weight in members.items()}


def stack(job: Job, number: int, ranked: list[int], run: str) -> tuple[dict[str, float], dict[str, float]]:
    """The second level is checked on rows it was not fitted on: the checked rows are split once more."""
    used = ranked[:_MOST_IN_STACK]
    answers = _answers(job, used)
    truth, checked = job.rows.truth, job.checked
    matrix, told = stacked([one[checked] for one in answers]), list[dict[str, float]]()
    for train, valid in splits(truth[checked], folds=min(5, len(checked)), holdout=None, seed=SEED):
        level = _level(job, matrix[train], truth[checked][train])
        told.append(metrics(truth[checked][valid], level.probabilities(matrix[valid])))
    members = dict.fromkeys(used, 1.0)
    _keep(job, number, members, _level(job, matrix, truth[checked]), run)
    return mean(told), {str(trial): weight for trial, weight in members.items()}


def _level(job: Job, matrix: np.ndarray, truth: np.ndarray) -> Logistic:
    return logistic(matrix, truth, classes=len(job.rows.classes), weights=None, strength=_STRENGTH)


def _answers(job: Job, trials: list[int]) -> list[np.ndarray]:
    return [np.load(job.trial(one) / "answers.npy", allow_pickle=False) for one in trials]


def _mixed(answers: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    return combined(answers, list(weights), None)


def _keep(job: Job, number: int, members: dict[int, float], level: Logistic | None, run: str) -> None:
    """The members' kept models share their features: all were learnt from the same rows."""
    models = {trial: automl_model.load(job.trial(trial) / "outputs/mlflow-model/data") for trial in members}
    whole = Model(
        features=next(iter(models.values())).features,
        labels=job.rows.classes,
        members=[model.members[0] for model in models.values()],
        weights=list(members.values()),
        stack=level,
    )
    saved.write(whole, job.trial(number) / "outputs", run)
