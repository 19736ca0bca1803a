"""A picture as a response: SVG, which a page shows as an image and a browser by itself."""

from __future__ import annotations

from typing import Any

from fastapi import Response


class SvgAnswer(Response):
    """Its own style is all that it may load: there is no script in it, and none would run."""

    media_type = "image/svg+xml"

    def __init__(self, drawn: str, status_code: int = 200) -> None:
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        super().__init__(drawn, status_code, headers={"Content-Security-Policy": policy})


SVG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture."}
}
"""What a route declares of its answer (FastAPI's `responses`)."""
