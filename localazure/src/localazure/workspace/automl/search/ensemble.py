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

_PICKS = 25
"""How many times the vote takes in one more member, the same one perhaps again."""
_MOST_IN_STACK = 5
_STRENGTH = 1.0


def vote(job: Job, number: int, ranked: list[int], run: str) -> tuple[dict[str, float], dict[str, float]]:
    """A mean of probabilities, its weights chosen on rows that the members have not learned from; as the weights are
    chosen on them, the score is a little kind, as Azure's is."""
    answers = _answers(job, ranked)
    told = np.column_stack([one[job.checked, job.truth[job.checked]] for one in answers])
    weights = vote_weights(told)
    mixed = combined(answers, list(weights), None)
    members = {ranked[place]: float(weights[place]) for place in np.flatnonzero(weights)}
    _keep(job, number, members, None, run)
    scores = mean([metrics(job.truth[valid], mixed[valid]) for _, valid in job.splits])
    return scores, {str(trial): weight for trial, weight in members.items()}


def vote_weights(told: np.ndarray) -> np.ndarray:
    """Each member's share of a vote with the least log loss: again and again the member that lowers it most joins in.

    told: rows by members, the probability that each gives to what was true
    source: Caruana et al., Ensemble Selection from Libraries of Models, ICML 2004
    """
    total, counts = np.zeros(len(told)), np.zeros(told.shape[1])
    best, least = counts, np.inf
    for picks in range(1, _PICKS + 1):
        losses = -np.log((total[:, None] + told) / picks).mean(axis=0)
        one = int(np.argmin(losses))
        total = total + told[:, one]
        counts = counts + np.eye(len(counts))[one]
        if losses[one] < least:
            best, least = counts, losses[one]
    return np.asarray(best / best.sum())


def stack(job: Job, number: int, ranked: list[int], run: str) -> tuple[dict[str, float], dict[str, float]]:
    """The second level is checked on rows it was not fitted on: the checked rows are split once more."""
    used = ranked[:_MOST_IN_STACK]
    answers = _answers(job, used)
    truth, checked = job.truth, job.checked
    matrix, told = stacked([one[checked] for one in answers]), list[dict[str, float]]()
    for train, valid in splits(truth[checked], folds=min(5, len(checked)), holdout=None, seed=SEED):
        level = _level(job, matrix[train], truth[checked][train])
        told.append(metrics(truth[checked][valid], level.probabilities(matrix[valid])))
    members = dict.fromkeys(used, 1.0)
    _keep(job, number, members, _level(job, matrix, truth[checked]), run)
    return mean(told), {str(trial): weight for trial, weight in members.items()}


def _level(job: Job, matrix: np.ndarray, truth: np.ndarray) -> Logistic:
    return logistic(matrix, truth, classes=len(job.labels), weights=None, strength=_STRENGTH)


def _answers(job: Job, trials: list[int]) -> list[np.ndarray]:
    return [np.load(job.trial(one) / "answers.npy", allow_pickle=False) for one in trials]


def _keep(job: Job, number: int, members: dict[int, float], level: Logistic | None, run: str) -> None:
    models = [automl_model.load(job.trial(trial) / "outputs/mlflow-model/data") for trial in members]
    whole = Model(
        features=job.features,
        labels=job.labels,
        members=[model.members[0] for model in models],
        weights=list(members.values()),
        sharpness=[model.sharpness[0] for model in models],
        stack=level,
    )
    saved.write(whole, job.trial(number) / "outputs", run)
