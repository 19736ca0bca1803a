"""Nothing but an answer: what Microsoft's inference server itself takes for a request, with a lean script's means."""

from __future__ import annotations

from typing import Any

from azureml_inference_server_http.api.aml_request import rawhttp
from flask import Response  # type: ignore[import-not-found, unused-ignore]


def init() -> None:
    """Nothing to load."""


@rawhttp  # type: ignore[untyped-decorator, unused-ignore]
def run(request: Any) -> Any:
    request.get_data(cache=False)
    return Response(b"{}", 200, content_type="application/json")
