"""Self-check and fallback: compiled trees are used only where they were seen to say what the booster says."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np

from serving.model import Floats, Model, Predict, encode, golden_rows, load
from serving.trees import NotSupported

log = logging.getLogger(__name__)
CLOSE = 1e-12
"""Compiled trees add in LightGBM's order and agree to the last bit; only another libm's exp may differ by one."""


class Untrusted(Exception):
    """Why a model's trees are not compiled, or not used; LightGBM's own prediction says the same, slower."""


def ready(folder: Path) -> Model:
    """The model of a folder as it answers: compiled where that is right on its golden rows, and tried on them.

    raises: ModelBroken, or whatever a model that cannot answer raises: here, not at a caller's
    """
    model = load(folder)
    matrix = encode(model.features, golden_rows(folder) or {name: () for name in model.columns})
    model = quickened(model, matrix)
    model.scores(matrix)
    return model


def quickened(model: Model, matrix: Floats) -> Model:
    """The model with compiled trees, if they are right on these rows; else as it was, and the log says why."""
    try:
        if model.description.get("compiled") is False:
            raise Untrusted("they were wrong on held-out rows when the model was evaluated")
        return dataclasses.replace(model, compiled=compiled_for(model, matrix))
    except Untrusted as reason:
        log.warning(
            "%s %s predicts with LightGBM, not with compiled trees: %s", model.name, model.version, reason
        )
        return model


def compiled_for(model: Model, matrix: Floats) -> Predict:
    """matrix: rows to compare on. raises: Untrusted"""
    if not len(matrix):
        raise Untrusted("there are no rows to compare them on")
    try:
        from serving.compiled import compiled  # llvmlite is not everywhere

        predict = compiled(model.booster.model_to_string()).predict
    except (ImportError, OSError, RuntimeError, NotSupported) as cause:
        raise Untrusted(f"{type(cause).__name__}: {cause}") from cause
    apart = float(np.abs(predict(matrix) - model.predict(matrix)).max())
    if not apart <= CLOSE:
        raise Untrusted(f"they differ from it by {apart:.3g} on {len(matrix)} rows")
    return predict
