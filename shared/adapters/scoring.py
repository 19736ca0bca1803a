"""The model's REST endpoint by plain `requests`: fresh headers each time, and the deployment named each time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import requests

from shared import telemetry
from shared.adapters.concurrency_limit import Pace
from shared.adapters.endpoint_addresses import Address, EndpointAddresses
from shared.adapters.http_client import NOT_LET_IN, Connections, Reply, TooLarge, ask
from shared.errors import NotLetIn, Refused, Transient, Unanswerable
from shared.ports import Scores

ARROW = "application/vnd.apache.arrow.stream"
CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 170.0
"""From the first byte to the last of the answer: Azure ends a request to a managed endpoint after 180."""
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; a score takes some twenty, and a request has not so many rows."""
BUSY = frozenset({408, 429, 500, 502, 503, 504})
ROWS_AT_FAULT = frozenset({400, 413, 422, 424})
"""The request reached the model and was too much for it: fewer rows may not be. 424: the model failed."""
LONGEST_PAUSE = 60.0
"""Seconds for which an endpoint can ask for a pause: it holds for every request of this process."""
MOST_UNUSABLE = 3
"""Answers that are none, in a row, after which the model and not the network is at fault."""


class RestEndpoint:
    """Scores rows through a deployment: connections are reused, the endpoint's key, or a token, is fetched once and again
    when refused, and no more requests are under way than the endpoint takes."""

    def __init__(self, address: Callable[[str], Address], *, in_flight: int, patience: float) -> None:
        """in_flight: requests it takes at once when all is well; patience: seconds after which a busy endpoint is left to
        a later delivery."""
        self._addresses = EndpointAddresses(address)
        self._idle: SimpleQueue[Connections] = SimpleQueue()
        self._pace = Pace(in_flight)
        self._patience = patience

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        from shared.domain.models.arrow_wire import packed, unpacked

        body, count = packed([rows]), rows.num_rows
        deadline, unusable, renewed = time.monotonic() + self._patience, 0, False
        for attempt in range(1_000_000):
            try:
                reply = self._turn(endpoint, deployment, body, attempt, deadline)
                if reply is None:
                    continue
                if reply.status == 401 and not renewed:  # the key was rotated, or the token has expired
                    renewed = True
                    continue
                _refuse(reply, deployment)
                version, answers = unpacked(reply.body, rows=count)
                return Scores(model_version=version, answers=answers)
            except ValueError as problem:
                unusable += 1
                if unusable == MOST_UNUSABLE:
                    raise Unanswerable(f"deployment {deployment}: {problem}") from problem
        raise Transient(f"deployment {deployment} gave no answer")

    def _turn(
        self, endpoint: str, deployment: str, body: bytes, attempt: int, deadline: float
    ) -> Reply | None:
        """The endpoint's answer; None when it was busy, and it is time to retry.

        raises: Transient when it has been busy for too long
        """
        try:
            with self._pace.turn(deadline=deadline) as began:
                reply = self._post(endpoint, deployment, body)
                if reply is not None and reply.status not in BUSY:
                    self._pace.went_well()
                    return reply
                self._pace.was_refused(began, pause=_pause(reply, attempt))
                return None
        except TimeoutError:
            raise Transient(f"deployment {deployment} was busy or down for {self._patience:.0f} s") from None

    def _post(self, endpoint: str, deployment: str, body: bytes) -> Reply | None:
        """None when no whole answer came in time. raises: TooLarge"""
        address = url, key = self._addresses.of(endpoint)
        headers = {
            "Authorization": f"Bearer {key}",
            "azureml-model-deployment": deployment,
            "Content-Type": ARROW,
            "Accept": ARROW,
        }
        if trace := telemetry.carried():
            headers["traceparent"] = trace.traceparent
        session = self._session()
        try:
            reply = ask(
                "POST", url, headers=headers, body=body, timeout=(CONNECT_SECONDS, REQUEST_SECONDS),
                most=LARGEST_ANSWER, connections=session,
            )  # fmt: skip
        except (requests.RequestException, TooLarge) as fault:
            session.close()
            if isinstance(fault, TooLarge):
                raise
            return None
        self._idle.put(session)
        if reply.status == 401:
            self._addresses.refused(endpoint, address)
        return reply

    def _session(self) -> Connections:
        """A session for one thread at a time: `requests` does not promise that one can be shared between threads."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return Connections()


def _pause(reply: Reply | None, attempt: int) -> float:
    """Seconds to back off: the response's Retry-After, or longer each time."""
    retry_after = reply.headers.get("Retry-After", "") if reply else ""
    if retry_after.isdecimal():
        return min(float(retry_after), LONGEST_PAUSE)
    longest: float = min(0.1 * 2 ** min(attempt, 10), 10.0)
    return random.uniform(0.5, 1.0) * longest  # noqa: S311 - not a secret


def _refuse(reply: Reply, deployment: str) -> None:
    if reply.status == 200:
        return
    why = _reason(reply) or reply.headers.get("ms-azureml-model-error-reason", "no reason given")
    message = f"deployment {deployment} answered {reply.status}: {why}"
    if reply.status in NOT_LET_IN:
        raise NotLetIn(f"{message}; may the app's identity score there?")
    raise Unanswerable(message) if reply.status in ROWS_AT_FAULT else Refused(message)


def _reason(reply: Reply) -> str:
    """What our own server says, which names no client's values; nothing of what any other body holds."""
    try:
        message = reply.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(message).encode(errors="replace").decode()[:300]
