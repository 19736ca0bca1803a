"""Changes of an endpoint and of its deployments: where `endpoint-busy` is on, one at a time, each taking a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

from localazure.strict import BUSY_SECONDS, Strict
from localazure.workspace.engine.operations import Operations
from localazure.workspace.wire.calls import Call, Refusal, Reply

_OPERATION = "Azure-AsyncOperation"


class OneAtATime:
    """Remembers the last operation on each endpoint; in memory, so that a restart ends them all."""

    def __init__(self, strict: Strict, operations: Operations) -> None:
        self._strict, self._operations = strict, operations
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        self._under_way: dict[str, str] = {}

    def changed(self, call: Call, carry_out: Callable[[Call], Reply]) -> Reply:
        """The answer to a change; raises Refusal (409) while another is under way at the same endpoint."""
        if "endpoint-busy" not in self._strict or "endpoint" not in call.names:
            return self._operations.answered(call, carry_out(call))
        endpoint = call.path.lower().partition("/deployments/")[0]
        self._take(endpoint)
        try:
            reply = self._operations.answered(call, carry_out(call), lasts=BUSY_SECONDS)
        finally:
            with self._lock:
                self._in_hand.discard(endpoint)
        if told := reply.headers.get(_OPERATION):
            self._under_way[endpoint] = told.rpartition("/")[2]
        return reply

    def _take(self, endpoint: str) -> None:
        with self._lock:
            name = self._under_way.get(endpoint)
            under_way = name and self._operations.state(self._operations.find(name))[0] == "InProgress"
            if under_way or endpoint in self._in_hand:
                said = (
                    f"the endpoint {endpoint.rpartition('/')[2]} is Updating: an operation on it is under way"
                )
                raise Refusal(409, "Conflict", said)
            self._in_hand.add(endpoint)
