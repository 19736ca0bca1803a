"""A scoring request answered, bytes to bytes: content type, errors and JSON, with no web server in sight."""

from __future__ import annotations

import codecs
from typing import Any, NamedTuple

import numpy as np
import orjson

from serving import arrow, automl
from serving.arrow_answer import arrow_answer, problems_of
from serving.explain import reasons
from serving.features import BadValue, Floats
from serving.model import MixedList, Model
from serving.payload import EXPLAIN, BadRequest, columns_of, reasons_of
from serving.rules import checked

JSON = "application/json"
_DECISIONS = np.array(["skip", "call"], dtype=object)
"""In the order of False and True."""


PER_ROW = {"probability", "decile", "decision", "reasons", "Results"}
"""Members of an answer that have a value for each row, null where it has a problem."""


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str


def answer(model: Model, body: bytes, content_type: str = JSON, *, refuse: bool = False) -> Answer:
    """200 with each row's scores in the form the request had, or 400 with JSON that says what to mend.

    A row that breaks the contract has a problem in place of its scores.

    content_type: Arrow's for an IPC stream; anything else is read as JSON
    refuse: 400 for a request in which a row breaks the contract
    """
    try:
        if content_type.partition(";")[0].strip().lower() == arrow.CONTENT_TYPE:
            return Answer(200, arrow_answer(model, body, refuse=refuse), arrow.CONTENT_TYPE)
        return Answer(200, _json(model, body, refuse=refuse), JSON)
    except BadRequest as problem:
        return _refusal(problem.code, str(problem))
    except BadValue as problem:
        return _refusal("BadValue", str(problem))
    except MixedList as problem:
        return _refusal("MixedList", str(problem))


def _json(model: Model, body: bytes, *, refuse: bool) -> bytes:
    request = _parsed(body)
    matrix, broken = checked(model.inputs, columns_of(request, model.columns, model.list_columns))
    most = reasons_of(request.get(EXPLAIN, 0))
    problems = problems_of(broken, len(matrix), refuse=refuse)
    scores = model.scores(matrix)
    said: dict[str, Any]
    if automl.is_asked(request):
        said = {"Results": automl.results(model, request, scores.probability)}
    else:
        said = {
            "model": model.name,
            "version": model.version,
            "variant": scores.variant,
            "probability": scores.probability,
            "decile": scores.decile,
            "decision": _DECISIONS[scores.call.view(np.int8)].tolist(),
        }
    if most:
        said |= _explained(model, matrix, most)
    if problems:
        for name in PER_ROW & said.keys():
            said[name] = [None if row in problems else value for row, value in enumerate(list(said[name]))]
        said["problem"] = [problems.get(row) for row in range(len(matrix))]
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)


def _explained(model: Model, matrix: Floats, most: int) -> dict[str, Any]:
    found = reasons(model, matrix, most)
    return {"expected": found.expected, "reasons": [found.of(row) for row in range(len(matrix))]}


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body.removeprefix(codecs.BOM_UTF8))  # some clients write one (RFC 8259, 8.1)
    except orjson.JSONDecodeError as cause:
        raise BadRequest("BadJson", f"the body is no JSON ({cause}); send a JSON object") from cause


def _refusal(code: str, message: str) -> Answer:
    return Answer(400, orjson.dumps({"error": {"code": code, "message": message}}), JSON)
