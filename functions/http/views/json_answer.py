"""A view as a response: JSON as it is sent.

Routes return these; FastAPI describes their `response_model`, and does not run them through it.
"""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse
from pydantic_core import to_json


class JsonAnswer(JSONResponse):
    """JSON; what is no number (NaN, infinity) is null."""

    def render(self, content: Any) -> bytes:
        return to_json(content, inf_nan_mode="null")


class HealthAnswer(JsonAnswer):
    """JSON as the IETF draft "Health Check Response Format for HTTP APIs" names it."""

    media_type = "application/health+json"
