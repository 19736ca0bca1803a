"""Faults on request: which calls go wrong, how, and how often. Kept in memory; a restart heals everything."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from localazure.workspace.wire.calls import Call, Hangup, Json, Refusal, Reply

_FIELDS = (
    "method", "path", "times", "skip", "status", "code", "message", "headers",
    "delaySeconds", "lateSeconds", "lagSeconds", "lose", "operationFails", "ignoreName",
)  # fmt: skip
CONTROL = "/__localazure/"
_EFFECTS = ("status", "delaySeconds", "lateSeconds", "lagSeconds", "lose", "operationFails", "ignoreName")


@dataclass(kw_only=True)
class Fault:
    """One order: the calls it is for, and what happens to them."""

    number: int
    order: Json
    used: int = 0
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_for(self, method: str, path: str) -> bool:
        wanted = str(self.order.get("method") or "*").upper()
        return wanted in ("*", method.upper()) and fnmatchcase(path.lower(), self.order["path"].lower())

    def take(self) -> bool:
        """Uses it up by one; false when it is not this call's turn."""
        times = self.order.get("times", 1)
        with self.lock:
            if self.passed < int(self.order.get("skip") or 0):
                self.passed += 1
                return False
            if times is not None and self.used >= int(times):
                return False
            self.used += 1
            return True

    def told(self) -> Json:
        return {"id": self.number, "used": self.used, **self.order}


class Faults:
    """All orders there are, in the order they were given; the first that fits a call is the one that applies."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._all: list[Fault] = []

    def add(self, order: Json) -> Fault:
        _check(order)
        fault = Fault(number=next(self._numbers), order=order)
        self._all = [*self._all, fault]
        return fault

    def all(self) -> list[Fault]:
        return self._all

    def remove(self, number: int) -> bool:
        before = len(self._all)
        self._all = [one for one in self._all if one.number != number]
        return len(self._all) < before

    def clear(self) -> None:
        self._all = []

    def take(self, method: str, path: str) -> Json:
        """What is to happen to this call; nothing, most often, and never to one that may end it."""
        if path.startswith(CONTROL):
            return {}
        for fault in self._all:
            if fault.is_for(method, path) and fault.take():
                return fault.order
        return {}

    def dispatch(self, call: Call, carry_out: Callable[[Call], Reply]) -> Reply:
        """Carries out a call, or does to it what was ordered."""
        order = self.take(call.method, call.path)
        if not order:
            return carry_out(call)
        time.sleep(float(order.get("delaySeconds") or 0))
        if order.get("lose") == "request":
            raise Hangup
        if "status" in order:
            return refused(order).reply() if order["status"] >= 400 else _plain(order)
        call.name_ignored = bool(order.get("ignoreName"))
        if "lateSeconds" in order:
            _later(float(order["lateSeconds"]), call, carry_out)
            raise Hangup
        call.operation_fails = order.get("operationFails")
        reply = carry_out(call)
        if order.get("lose") == "reply":
            raise Hangup
        return _lagging(reply, float(order["lagSeconds"])) if "lagSeconds" in order else reply


def refused(order: Json) -> Refusal:
    status = int(order["status"])
    message = str(order.get("message") or f"a fault was asked for: {status}")
    headers = {str(name): str(value) for name, value in (order.get("headers") or {}).items()}
    return Refusal(status, str(order.get("code") or "FaultAskedFor"), message, headers=headers)


def _plain(order: Json) -> Reply:
    return Reply(status=int(order["status"]), headers=dict(order.get("headers") or {}))


def _later(seconds: float, call: Call, carry_out: Callable[[Call], Reply]) -> None:
    """The request was on its way all the time: its caller has given up, and it is carried out all the same."""

    def arrive() -> None:
        try:
            carry_out(call)
        except Refusal:
            return  # its answer would not have been heard either

    timer = threading.Timer(seconds, arrive)
    timer.daemon = True
    timer.start()


def _lagging(reply: Reply, seconds: float) -> Reply:
    """A listing without what is younger than that, as from an index that is behind."""
    if isinstance(reply.body, dict) and isinstance(reply.body.get("value"), list):
        border = datetime.now(UTC) - timedelta(seconds=seconds)
        reply.body["value"] = [one for one in reply.body["value"] if _made(one) <= border]
    return reply


def _made(one: Any) -> datetime:
    """When a resource or a run was made; what does not say so is old."""
    written = (
        (one.get("systemData") or {}).get("createdAt") or one.get("createdUtc") or one.get("CreatedDate")
    )
    return datetime.fromisoformat(written) if written else datetime.min.replace(tzinfo=UTC)


def _check(order: Json) -> None:
    unknown = [name for name in order if name not in _FIELDS]
    if unknown:
        raise Refusal(400, "BadRequest", f"unknown: {', '.join(unknown)}; known: {', '.join(_FIELDS)}")
    if not order.get("path"):
        raise Refusal(400, "BadRequest", "`path` is missing: a pattern such as */batchEndpoints/*")
    if not any(name in order for name in _EFFECTS):
        raise Refusal(400, "BadRequest", f"nothing would happen: give one of {', '.join(_EFFECTS)}")
    if order.get("lose") not in (None, "reply", "request"):
        raise Refusal(400, "BadRequest", "`lose` is reply (it was carried out) or request (it was not)")
    if "status" in order and not 200 <= int(order["status"]) <= 599:
        raise Refusal(400, "BadRequest", "`status` is an HTTP status, 200 to 599")
