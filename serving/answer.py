"""A scoring request answered, bytes to bytes: content type, errors and JSON, with no web server in sight."""

from __future__ import annotations

import codecs
from typing import Any, NamedTuple

import numpy as np
import orjson

from serving import arrow
from serving.model import BadValue, Model, encode
from serving.payload import BadRequest, columns_of

JSON = "application/json"
_DECISIONS = np.array(["skip", "call"], dtype=object)
"""In the order of False and True."""


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str


def answer(model: Model, body: bytes, content_type: str = JSON) -> Answer:
    """200 with each row's scores in the form the request had, or 400 with JSON that says what to mend.

    content_type: Arrow's for an IPC stream; anything else is read as JSON
    """
    try:
        if content_type.partition(";")[0].strip().lower() == arrow.CONTENT_TYPE:
            return Answer(200, _arrow(model, body), arrow.CONTENT_TYPE)
        return Answer(200, _json(model, body), JSON)
    except BadRequest as problem:
        return _refusal(problem.code, str(problem))
    except BadValue as problem:
        return _refusal("BadValue", str(problem))


def _arrow(model: Model, body: bytes) -> bytes:
    scores = model.scores(arrow.matrix_of(body, model.features))
    return arrow.written(scores, model=model.name, version=model.version)


def _json(model: Model, body: bytes) -> bytes:
    scores = model.scores(encode(model.features, columns_of(_parsed(body), model.columns)))
    said = {
        "model": model.name,
        "version": model.version,
        "probability": scores.probability,
        "decile": scores.decile,
        "decision": _DECISIONS[scores.call.view(np.int8)].tolist(),
    }
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body.removeprefix(codecs.BOM_UTF8))  # some clients write one (RFC 8259, 8.1)
    except orjson.JSONDecodeError as cause:
        raise BadRequest("BadJson", f"the body is no JSON ({cause}); send a JSON object") from cause


def _refusal(code: str, message: str) -> Answer:
    return Answer(400, orjson.dumps({"error": {"code": code, "message": message}}), JSON)
