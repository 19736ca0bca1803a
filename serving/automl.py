"""Drop-in for AutoML's endpoints: a request in the shape of its scoring script is answered in that script's shape.

    {"Inputs": {"data": [...]}, "GlobalParameters": {"method": "predict"}}        -> {"Results": ["no", "yes"]}
    {"Inputs": {"data": [...]}, "GlobalParameters": {"method": "predict_proba"}}  -> {"Results": [[0.9, 0.1], [0.2, 0.8]]}

source: the `scoring_file_v_2_0_0.py` that Azure's AutoML puts beside a model: `run(Inputs, GlobalParameters)`
"""

from __future__ import annotations

from typing import Any

import numpy as np

from serving.model import Model
from serving.payload import BadRequest, place_of

PREDICT, PROBABILITIES = "predict", "predict_proba"


def is_asked(request: Any) -> bool:
    return place_of(request) == "Inputs"


def results(model: Model, request: dict[str, Any], probability: Any) -> list[Any]:
    """What AutoML's script calls `Results`: of each row the likelier answer, or the probabilities of both, in the order of
    the answers' words. raises: BadRequest for another method, or an answer that the model has no word for"""
    method = _method(request.get("GlobalParameters"))
    positive, negative = (model.description.get(word) for word in ("positive", "negative"))
    if method == PROBABILITIES:
        both = [1 - probability, probability]
        in_order = negative is None or negative < positive
        pairs: list[Any] = np.stack(both if in_order else both[::-1], axis=1).tolist()
        return pairs
    if negative is None:
        message = (
            f"the model knows no word for what is not {positive!r}; ask with the method {PROBABILITIES},"
        )
        message += " or have it trained again by a contract whose target has two values"
        raise BadRequest("NoWord", message)
    return [positive if likelier else negative for likelier in (probability > 0.5).tolist()]


def _method(parameters: Any) -> str:
    """Scripts of older versions took a number there, which meant nothing."""
    method = parameters.get("method", PREDICT) if isinstance(parameters, dict) else PREDICT
    if method not in (PREDICT, PROBABILITIES):
        raise BadRequest("BadMethod", f"GlobalParameters.method is {PREDICT} or {PROBABILITIES}")
    return str(method)
