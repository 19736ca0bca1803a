"""The entry script of azureml-inference-server-http: `init` once, `run` for each request, from several threads."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

from azureml_inference_server_http.api.aml_request import rawhttp
from flask import Response  # type: ignore[import-not-found, unused-ignore]
from inference_schema import schema_util  # type: ignore[import-not-found, unused-ignore]

from serving.answer import answer
from serving.model import Model
from serving.schema import request_schema, response_schema
from serving.trusted import ready

BROKEN_ROWS = "BROKEN_ROWS"
"""The variable of a deployment that says what becomes of rows that break the contract: `answer` or `refuse`."""
_loaded: dict[str, Model] = {}


def init() -> None:
    model = ready(Path(os.environ["AZUREML_MODEL_DIR"]))
    _loaded["model"] = model
    _describe(model)
    # The workers are forked after this: what is here for good is neither collected (gc) nor copied on write for that.
    # source: https://docs.python.org/3/library/gc.html#gc.freeze
    gc.collect()
    gc.freeze()


@rawhttp  # type: ignore[untyped-decorator, unused-ignore] # the bytes as they came: parsed once, and a bad body gets our own 400
def run(request: Any) -> Any:
    if request.method != "POST":
        return Response(status=405, headers={"Allow": "POST"})
    refuse = os.environ.get(BROKEN_ROWS) == "refuse"
    said = answer(_loaded["model"], request.get_data(cache=False), request.content_type or "", refuse=refuse)
    return Response(said.body, said.status, content_type=said.content_type)


def _describe(model: Model) -> None:
    """Says what this model takes: when `init` is done, the server makes /swagger.json of what is registered here.

    Not by inference-schema's decorators, which register the same: they are applied before there is a model, they
    convert each request, and the server refuses them beside @rawhttp.
    """
    name = schema_util._get_function_full_qual_name(run)
    schemas = {"input_schema": request_schema(model), "output_schema": response_schema(model)}
    schema_util.__functions_schema__[name] = schemas
