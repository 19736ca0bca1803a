"""The HTTP face: topics to publish to, subscriptions to make, faults to set, health to ask for."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from localazure.access.access import EVENT_GRID, Access, Refused
from localazure.access.policy import Need
from localazure.access.tokens import BadToken
from localazure.events.broker import Broker
from localazure.events.faults import BadFaults
from localazure.events.handshake import HandshakeFailed
from localazure.events.schemas import BadEvents, published
from localazure.events.subscriptions import BadSubscription
from localazure.events.topic_key import is_allowed
from localazure.persistent import PersistentHandler
from localazure.relay import TlsServer

LARGEST_REQUEST = 1024 * 1024  # as Event Grid
SEND = "Microsoft.EventGrid/events/send/action"
_TOPIC = re.compile(r"/topics/(?P<name>[A-Za-z0-9-]+)/api/events")
_SUBSCRIPTION = re.compile(r"/subscriptions/(?P<name>[A-Za-z0-9-]+)")
_CONFIRMATION = re.compile(r"/subscriptions/(?P<name>[A-Za-z0-9-]+)/validate")


class EventServer(TlsServer):
    """Serves on 127.0.0.1 only; over TLS where publishers sign in by token."""

    def __init__(
        self,
        port: int,
        *,
        public_port: int | None = None,
        key: str,
        systems: Mapping[str, str],
        access: Access | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`systems` are the topics of services, each with the resource id its events come from. `access`: custom
        topics take tokens only, and ask for the role to send. `public_port`: by which it is known."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.broker: Broker
        self._public_port = public_port or self.server_port
        self.key, self.systems, self.access, self.tls = key, systems, access, tls

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._public_port}"


class _Handler(PersistentHandler):
    server: EventServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        broker = self.server.broker
        confirmation = _CONFIRMATION.fullmatch(path)
        if path == "/health":
            told = broker.described()
            counts = {key: sum(one[key] for one in told) for key in ("delivered", "waiting")}
            self._reply(200, {"status": "ok", **counts})
        elif path == "/faults":
            self._reply(200, vars(broker.chance.faults))
        elif path == "/subscriptions":
            self._reply(200, {"value": broker.described()})
        elif confirmation:
            agreed = broker.confirm(confirmation["name"], parse_qs(query).get("id", [""])[0])
            self._reply(200, {"validated": True}) if agreed else self._error(403, "Forbidden", "another id")
        else:
            self._error(404, "NotFound", f"there is nothing at {path}")

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        topic = _TOPIC.fullmatch(path)
        body = self._body()
        if body is None:
            return
        if topic is None and path != "/faults":
            self._error(
                404, "NotFound", f"there is nothing at {path}; topics are at /topics/<name>/api/events"
            )
        elif topic is None:
            if self._is_allowed():
                self._set_faults(body)
        elif self._may_publish(topic["name"]):
            self._publish(topic["name"], body)

    def do_PUT(self) -> None:
        self._with_subscription(self._subscribe)

    def do_DELETE(self) -> None:
        self._with_subscription(self._unsubscribe)

    # --- what is asked --------------------------------------------------------------------------------------

    def _publish(self, topic: str, body: bytes) -> None:
        kind = self.headers.get("content-type") or ""
        broker = self.server.broker
        try:
            events = published(body, kind, topic=broker.topic_id(topic), system=topic in self.server.systems)
        except BadEvents as problem:
            self._error(400, "BadRequest", str(problem))
            return
        broker.accept(topic, events)
        self._reply(200, None)

    def _set_faults(self, body: bytes) -> None:
        chance = self.server.broker.chance
        try:
            chance.faults = chance.faults.changed(dict(json.loads(body or b"{}")))
        except (ValueError, TypeError, BadFaults) as problem:
            self._error(400, "BadRequest", str(problem))
            return
        self._reply(200, vars(chance.faults))

    def _with_subscription(self, answer: Callable[[str, bytes], None]) -> None:
        named = _SUBSCRIPTION.fullmatch(self.path.partition("?")[0])
        body = self._body()
        if body is None:
            return
        if named is None:
            self._error(404, "NotFound", f"{self.command} goes to /subscriptions/<name>")
        elif self._is_allowed():
            answer(named["name"], body)

    def _subscribe(self, name: str, body: bytes) -> None:
        try:
            entry = {**json.loads(body), "name": name}
            courier = self.server.broker.subscribe(entry)
        except HandshakeFailed as problem:
            said = f"Webhook validation handshake failed for {name}: {problem}"
            self._error(400, "EndpointValidationFailed", said)
        except (ValueError, TypeError, BadSubscription) as problem:
            self._error(400, "InvalidRequest", str(problem))
        else:
            self._reply(201, {**entry, "provisioningState": courier.state})

    def _unsubscribe(self, name: str, _: bytes) -> None:
        self._reply(200 if self.server.broker.unsubscribe(name) else 204, None)

    # --- how it is asked and answered -----------------------------------------------------------------------

    def _body(self) -> bytes | None:
        """What was sent; None when it is too much, which has been answered."""
        text = self.headers.get("content-length") or "0"
        length = int(text) if text.isdigit() else 0
        if text.isdigit() and length <= LARGEST_REQUEST:
            return self.rfile.read(length)
        self.close_connection = True
        if not text.isdigit():
            self._error(400, "BadRequest", f"the content-length {text!r} is no number")
            return None
        said = f"{length} bytes; a batch has at most {LARGEST_REQUEST}"
        self._error(413, "PayloadTooLarge", said)
        return None

    def _is_allowed(self) -> bool:
        allowed = is_allowed(dict(self.headers), self.server.key)
        if not allowed:
            self._error(401, "Unauthorized", "the header aeg-sas-key or aeg-sas-token is missing or wrong")
        return allowed

    def _may_publish(self, topic: str) -> bool:
        """By the key; where roles are checked only the services themselves have it, and others sign in."""
        access = self.server.access
        if access is None or topic in self.server.systems:
            return self._is_allowed()
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            self._error(401, "Unauthorized", "local authentication is disabled for this topic: send a token")
            return False
        need = Need(SEND, self.server.broker.topic_id(topic), is_data=True)
        try:
            access.check(access.caller(token, EVENT_GRID), "Publish Events", [(need,)])
        except BadToken as problem:
            self._error(401, "Unauthorized", str(problem))
        except Refused as problem:
            self._error(403, "Forbidden", problem.arm_message())
        else:
            return True
        return False

    def _error(self, status: int, code: str, message: str) -> None:
        self._reply(status, {"error": {"code": code, "message": message}})

    def _reply(self, status: int, value: object) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if body:
            self.send_header("content-type", "application/json; charset=utf-8")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent: what goes wrong is answered, and deliveries say so themselves."""
