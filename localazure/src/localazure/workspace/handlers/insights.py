"""Application Insights, as far as whoever sends telemetry meets it: it is taken, or refused, and not kept."""

from __future__ import annotations

import gzip
import json
from typing import Any

from localazure.workspace.wire.calls import Call, Refusal, Reply
from localazure.workspace.workspace import Workspace

AUDIENCE = "https://monitor.azure.com"


def track(workspace: Workspace, call: Call) -> Reply:
    """Counts envelopes; with roles it asks for a token, and for the right to send."""
    workspace.guard.check_telemetry(call, AUDIENCE)
    count = len(_envelopes(call))
    return Reply(body={"itemsReceived": count, "itemsAccepted": count, "errors": []})


def _envelopes(call: Call) -> list[Any]:
    """A JSON array, or a line each, packed or not."""
    try:
        body = gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        text = body.decode()
        found = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.splitlines()]
        )
    except (OSError, ValueError) as cause:
        raise Refusal(400, "BadRequest", f"the body holds no envelopes: {cause}") from cause
    return list(found)
