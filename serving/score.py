"""The entry script of azureml-inference-server-http: `init` once, `run` for each request, from several threads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

# The server loads this file by its path, and does not put its folder where Python looks for modules.
sys.path.insert(0, str(Path(__file__).parent))

from answer import answer
from model import Model, load

_loaded: dict[str, Model] = {}


def init() -> None:
    _loaded["model"] = load(Path(os.environ["AZUREML_MODEL_DIR"]))


@rawhttp  # type: ignore[untyped-decorator, unused-ignore] # the bytes as they came: parsed once, and a bad body gets our own 400
def run(request: Any) -> Any:
    if request.method != "POST":
        return AMLResponse(b"", 405, {"Allow": "POST"})
    status, body = answer(_loaded["model"], request.get_data())
    return AMLResponse(body, status, {"Content-Type": "application/json"})
