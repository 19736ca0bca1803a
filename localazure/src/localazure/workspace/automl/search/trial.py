"""One trial, in a process of its own: fits a candidate, checks it on the rows it has not seen, keeps it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from localazure.workspace.automl.search import saved
from localazure.workspace.automl.search.automl_model import Features, Logistic, Model, Trees
from localazure.workspace.automl.search.features import learn
from localazure.workspace.automl.search.fitting import fit
from localazure.workspace.automl.search.job import Job, load
from localazure.workspace.automl.search.metrics import metrics
from localazure.workspace.automl.search.table import BadData


def run(job: Job, number: int) -> dict[str, float]:
    """The candidate's metrics, each the mean over the splits."""
    folder = job.trial(number)
    candidate = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
    classes = len(job.rows.classes)
    told, answers = list[dict[str, float]](), np.full((len(job.rows.truth), classes), np.nan)
    for train, valid in job.splits:
        features, member = _fitted(job, candidate, train)
        matrix = features.matrix(job.rows.take(valid), scaled=member.scaled)
        answers[valid] = member.probabilities(matrix)
        told.append(metrics(job.rows.truth[valid], answers[valid]))
    np.save(folder / "answers.npy", answers)
    features, member = _fitted(job, candidate, job.final)
    model = Model(features=features, labels=job.rows.classes, members=[member], weights=[1.0])
    saved.write(model, folder / "outputs", candidate["run"])
    return mean(told)


def _fitted(job: Job, candidate: dict[str, Any], places: np.ndarray) -> tuple[Features, Logistic | Trees]:
    """Features are learnt from the same rows as the model: nothing of the rows it is checked on is seen."""
    columns, rows = job.rows.take(places), job.rows
    features = learn(columns, rows.times, featurize=job.task.featurize)
    scaled = candidate["algorithm"] == "LogisticRegression"
    member = fit(
        candidate["algorithm"],
        candidate["parameters"],
        features.matrix(columns, scaled=scaled),
        rows.truth[places],
        classes=len(rows.classes),
        weights=None if rows.weights is None else rows.weights[places],
        threads=job.threads,
    )
    return features, member


def mean(told: list[dict[str, float]]) -> dict[str, float]:
    """A fold in which a metric has no value does not count for it."""
    found: dict[str, float] = {}
    for name in told[0]:
        values = [one[name] for one in told if not np.isnan(one[name])]
        if values:
            found[name] = float(np.mean(values))
    return found


def work(folder: str, number: int) -> None:
    """The whole life of a trial's process; its log is beside its results."""
    job_folder = Path(folder)
    place = job_folder / "trials" / str(number)
    log = os.open(place / "log.txt", os.O_WRONLY | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        found = run(load(job_folder), number)
    except BadData as problem:
        sys.exit(str(problem))
    whole = place / "metrics.json.new"
    whole.write_text(json.dumps(found), encoding="utf-8")
    whole.replace(place / "metrics.json")
