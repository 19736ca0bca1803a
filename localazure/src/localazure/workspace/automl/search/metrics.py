"""Azure's metrics for classifiers, from probabilities; by the definitions scikit-learn uses. Rows weigh alike."""

from __future__ import annotations

import numpy as np


def metrics(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """truth: class numbers; probabilities: rows by classes."""
    classes = probabilities.shape[1]
    guess = probabilities.argmax(axis=1)
    support = np.bincount(truth, minlength=classes).astype(float)
    right = np.array([np.sum((truth == one) & (guess == one)) for one in range(classes)], dtype=float)
    guessed = np.bincount(guess, minlength=classes).astype(float)
    recall, precision = _divided(right, support), _divided(right, guessed)
    f1 = _divided(2 * precision * recall, precision + recall)
    areas = np.array([area_under_roc(truth == one, probabilities[:, one]) for one in range(classes)])
    averages = np.array([average_precision(truth == one, probabilities[:, one]) for one in range(classes)])
    there = support > 0
    share, balanced = support / support.sum(), recall[there].mean()
    chance = 1 / max(2, int(there.sum()))
    return {
        "accuracy": float(np.mean(truth == guess)),
        "balanced_accuracy": float(balanced),
        "norm_macro_recall": float((balanced - chance) / (1 - chance)),
        "AUC_weighted": _averaged(areas, share),
        "AUC_macro": _averaged(areas, there / there.sum()),
        "average_precision_score_weighted": _averaged(averages, share),
        "average_precision_score_macro": _averaged(averages, there / there.sum()),
        "f1_score_weighted": float(f1 @ share),
        "f1_score_macro": float(f1[there].mean()),
        "precision_score_weighted": float(precision @ share),
        "precision_score_macro": float(precision[there].mean()),
        "recall_score_weighted": float(recall @ share),
        "recall_score_macro": float(balanced),
        "log_loss": float(-np.mean(np.log(np.clip(probabilities[np.arange(len(truth)), truth], 1e-15, 1.0)))),
        "matthews_correlation": _matthews(truth, guess, classes),
    }


def area_under_roc(positive: np.ndarray, score: np.ndarray) -> float:
    """How often a positive row scores above a negative one, ties counting half; NaN without both kinds."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(positive: np.ndarray, score: np.ndarray) -> float:
    """The precision at each threshold, weighed by the recall it adds; NaN without positives."""
    if not positive.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(positive[order])[last]
    return float(np.sum(np.diff(hits, prepend=0) / positive.sum() * hits / (last + 1)))


def _matthews(truth: np.ndarray, guess: np.ndarray, classes: int) -> float:
    table = np.zeros((classes, classes))
    np.add.at(table, (truth, guess), 1.0)
    total, right = table.sum(), np.trace(table)
    truths, guesses = table.sum(axis=1), table.sum(axis=0)
    spread = (total**2 - guesses @ guesses) * (total**2 - truths @ truths)
    return float((right * total - truths @ guesses) / np.sqrt(spread)) if spread > 0 else 0.0


def _averaged(values: np.ndarray, shares: np.ndarray) -> float:
    """Over the classes that have a value."""
    has = ~np.isnan(values) & (shares > 0)
    return float(values[has] @ shares[has] / shares[has].sum()) if has.any() else float("nan")


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return found
