"""Self-check and fallback: compiled trees are used only where they were seen to say what the booster says."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from serving.boosted import Boosted
from serving.features import Floats
from serving.members import Fitted, Variant
from serving.model import Model, golden_rows, load
from serving.trees import NotSupported

log = logging.getLogger(__name__)
CLOSE = 1e-12
"""Compiled trees add in LightGBM's order and agree to the last bit; only another libm's exp may differ by one."""


class Untrusted(Exception):
    """Why a variant's trees are not compiled, or not used; LightGBM's own prediction says the same, slower."""


def ready(folder: Path) -> Model:
    """The model of a folder as it answers: compiled where that is right on its golden rows, and tried on them.

    raises: ModelBroken, or whatever a model that cannot answer raises: here, not at a caller's
    """
    model = load(folder)
    golden = golden_rows(folder) or {
        variant: dict.fromkeys(model.reads(variant), ()) for variant in model.variants
    }
    matrices = {variant: model.encode(columns) for variant, columns in golden.items()}
    model = quickened(model, matrices)
    for matrix in matrices.values():
        model.scores(matrix)
    return model


def quickened(model: Model, matrices: Mapping[str, Floats]) -> Model:
    """The model with compiled trees in each variant in which they are right on its rows; else it is as it was, and the
    log says why.

    matrices: rows to compare on, by variant
    """
    made = {}
    for variant, plain in model.variants.items():
        try:
            if model.description.get("compiled", {}).get(variant) is False:
                raise Untrusted("they were wrong on held-out rows when the model was evaluated")
            made[variant] = compiled_for(plain, matrices.get(variant, np.empty((0, len(model.inputs)))))
        except Untrusted as reason:
            made[variant] = plain
            log.warning(
                "%s %s predicts with LightGBM, not with compiled trees (%s): %s",
                model.name, model.version, variant, reason,
            )  # fmt: skip
    return dataclasses.replace(model, variants=made)


def compiled_for(plain: Variant, matrix: Floats) -> Variant:
    """With each of its trees compiled. matrix: rows to compare on. raises: Untrusted"""
    if not len(matrix):
        raise Untrusted("there are no rows to compare them on")
    try:
        quick = Variant(members=tuple(map(_compiled, plain.members)))
    except (ImportError, OSError, RuntimeError, NotSupported) as cause:
        raise Untrusted(f"{type(cause).__name__}: {cause}") from cause
    apart = float(np.abs(quick.predict(matrix) - plain.predict(matrix)).max())
    if not apart <= CLOSE:
        raise Untrusted(f"they differ from it by {apart:.3g} on {len(matrix)} rows")
    return quick


def _compiled(one: Fitted) -> Fitted:
    if not isinstance(one.learner, Boosted):
        return one
    from serving.compiled import compiled  # llvmlite is not everywhere

    learner = dataclasses.replace(one.learner, compiled=compiled(one.learner.text).predict)
    return dataclasses.replace(one, learner=learner)
