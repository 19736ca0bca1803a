"""The HTTP face: topics to publish to, faults to set, health to ask for."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from localazure.events.delivery import Broker
from localazure.events.faults import BadFaults
from localazure.events.topic_key import is_allowed

LARGEST_REQUEST = 1024 * 1024  # as Event Grid
_TOPIC = re.compile(r"/topics/(?P<name>[A-Za-z0-9-]+)/api/events")
_NEEDED = {
    "EventGridEvent": ("id", "subject", "eventType", "eventTime", "dataVersion"),
    "CloudEvent": ("id", "source", "type", "specversion"),
}


class BadEvents(Exception):
    """The body is not a batch of events of the schema its content type names."""


class EventServer(ThreadingHTTPServer):
    """Serves on 127.0.0.1 only."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, *, broker: Broker, key: str, resource_group: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.broker, self.key, self.resource_group = broker, key, resource_group


class _Handler(BaseHTTPRequestHandler):
    server: EventServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        path, broker = self.path.partition("?")[0], self.server.broker
        if path == "/health":
            self._reply(200, {"status": "ok", "delivered": broker.delivered, "waiting": broker.waiting()})
        elif path == "/faults":
            self._reply(200, vars(broker.chance.faults))
        else:
            self._error(404, "NotFound", f"there is nothing at {path}")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_REQUEST:
            self.close_connection = True
            self._error(413, "PayloadTooLarge", f"{length} bytes; a batch has at most {LARGEST_REQUEST}")
            return
        body, path = self.rfile.read(length), self.path.partition("?")[0]
        topic = _TOPIC.fullmatch(path)
        if topic is None and path != "/faults":
            self._error(
                404, "NotFound", f"there is nothing at {path}; topics are at /topics/<name>/api/events"
            )
        elif not is_allowed(dict(self.headers), self.server.key):
            self._error(401, "Unauthorized", "the header aeg-sas-key or aeg-sas-token is missing or wrong")
        elif topic is None:
            self._set_faults(body)
        else:
            self._publish(topic["name"], body)

    def _publish(self, topic: str, body: bytes) -> None:
        cloud = "cloudevents" in (self.headers.get("content-type") or "").lower()
        try:
            events = _events(body, "CloudEvent" if cloud else "EventGridEvent")
        except BadEvents as problem:
            self._error(400, "BadRequest", str(problem))
            return
        if not cloud:
            resource = f"{self.server.resource_group}/providers/Microsoft.EventGrid/topics/{topic}"
            events = [{**event, "topic": resource, "metadataVersion": "1"} for event in events]
        self.server.broker.accept(topic, events)
        self._reply(200, None)

    def _set_faults(self, body: bytes) -> None:
        chance = self.server.broker.chance
        try:
            chance.faults = chance.faults.changed(dict(json.loads(body or b"{}")))
        except (ValueError, TypeError, BadFaults) as problem:
            self._error(400, "BadRequest", str(problem))
            return
        self._reply(200, vars(chance.faults))

    def _error(self, status: int, code: str, message: str) -> None:
        self._reply(status, {"error": {"code": code, "message": message}})

    def _reply(self, status: int, value: object) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if body:
            self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent: what goes wrong is answered, and deliveries say so themselves."""


def _events(body: bytes, schema: str) -> list[dict[str, Any]]:
    """The batch; a single CloudEvent is as good as a batch of one."""
    try:
        events = json.loads(body)
    except ValueError as cause:
        raise BadEvents(f"the body is not JSON: {cause}") from cause
    if isinstance(events, dict) and schema == "CloudEvent":
        events = [events]
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise BadEvents(f"the body is not a JSON array of {schema} objects")
    for number, event in enumerate(events):
        missing = [name for name in _NEEDED[schema] if not event.get(name)]
        if missing:
            raise BadEvents(f"event {number} is not a {schema}: {', '.join(missing)} missing")
    return events
