"""Application Insights, as far as whoever sends telemetry meets it: it is taken, or refused; the newest can be seen."""

from __future__ import annotations

import gzip
import io
import json
import re
import secrets
import zlib
from datetime import UTC, datetime
from typing import Any

from localazure.workspace.wire.calls import Call, Refusal, Reply
from localazure.workspace.wire.server import LARGEST_REQUEST
from localazure.workspace.workspace import Workspace

AUDIENCE = "https://monitor.azure.com"
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


def track(workspace: Workspace, call: Call) -> Reply:
    """Counts envelopes; with roles it asks for a token, and for the right to send."""
    workspace.guard.check_telemetry(call, AUDIENCE)
    envelopes = _envelopes(call)
    workspace.told.extend(envelopes)
    count = len(envelopes)
    return Reply(body={"itemsReceived": count, "itemsAccepted": count, "errors": []})


def seen(workspace: Workspace, call: Call) -> Reply:
    """The newest envelopes, the oldest of them first; `operation`: those of one operation, which is a trace."""
    wanted = call.query.get("operation")
    found = [each for each in tuple(workspace.told) if wanted in (None, _operation(each))]
    return Reply(body={"value": found})


def tell_of_request(
    workspace: Workspace, deployment: dict[str, Any], call: Call, status: int, milliseconds: float
) -> None:
    """What Azure's server tells the workspace's Application Insights of a request, where a deployment has it turned on."""
    if not deployment["properties"].get("appInsightsEnabled"):
        return
    caller = _TRACE_PARENT.fullmatch(call.headers.get("traceparent", ""))
    tags = {"ai.operation.id": caller[1], "ai.operation.parentId": caller[2]} if caller else {}
    request = {
        "ver": 2, "id": secrets.token_hex(8), "name": "POST /score", "responseCode": str(status),
        "success": status == 200, "duration": f"00:00:{milliseconds / 1000:010.7f}",
        "properties": {"endpoint": deployment["endpoint"], "deployment": deployment["name"]},
    }  # fmt: skip
    envelope = {
        "name": "Microsoft.ApplicationInsights.Request",
        "time": datetime.now(UTC).isoformat(),
        "tags": {"ai.cloud.role": f"{deployment['endpoint']}/{deployment['name']}", **tags},
        "data": {"baseType": "RequestData", "baseData": request},
    }
    workspace.told.append(envelope)


def _operation(envelope: Any) -> str | None:
    tags = envelope.get("tags") if isinstance(envelope, dict) else None
    return tags.get("ai.operation.id") if isinstance(tags, dict) else None


def _envelopes(call: Call) -> list[Any]:
    """A JSON array, or a line each, packed or not."""
    try:
        body = _unpacked(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
        text = body.decode()
        found = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.splitlines()]
        )
    except (OSError, EOFError, zlib.error, ValueError) as cause:
        raise Refusal(400, "BadRequest", f"the body holds no envelopes: {cause}") from cause
    return list(found)


def _unpacked(body: bytes) -> bytes:
    """No more than a request may have that is not packed: a small one could fill memory."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
        found = packed.read(LARGEST_REQUEST + 1)
    if len(found) > LARGEST_REQUEST:
        raise Refusal(413, "RequestEntityTooLarge", f"a request may have {LARGEST_REQUEST} bytes, unpacked")
    return found
