"""One trial, in a process of its own: fits a candidate, checks it on the rows it has not seen, keeps it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from localazure.workspace.automl.search import saved
from localazure.workspace.automl.search.automl_model import Model, sharpened
from localazure.workspace.automl.search.fitting import best_sharpness, fit, out_of_fold
from localazure.workspace.automl.search.job import SEED, Job, load
from localazure.workspace.automl.search.metrics import metrics
from localazure.workspace.automl.search.table import BadData


def run(job: Job, number: int) -> dict[str, float]:
    """The candidate's metrics, each the mean over the splits."""
    folder = job.trial(number)
    candidate = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
    algorithm, checked = candidate["algorithm"], job.checked
    training = job.training(algorithm, SEED + number)
    answers, parameters = out_of_fold(algorithm, candidate["parameters"], training, job.splits)
    sharp = best_sharpness(answers[checked], job.truth[checked])
    answers = sharpened(answers, sharp)
    np.save(folder / "answers.npy", answers, allow_pickle=False)
    member = fit(algorithm, parameters, training, job.final)
    model = Model(
        features=job.features, labels=job.labels, members=[member], weights=[1.0], sharpness=[sharp]
    )
    saved.write(model, folder / "outputs", candidate["run"])
    return mean([metrics(job.truth[valid], answers[valid]) for _, valid in job.splits])


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
