"""Requests to an address from several clients at once, and what came back: times, statuses, failures."""

from __future__ import annotations

import http.client
import itertools
import math
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request, sent again and again."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    tls: ssl.SSLContext | None = None
    timeout_seconds: float = 60.0

    @property
    def place(self) -> SplitResult:
        return urlsplit(self.url)

    def connection(self) -> http.client.HTTPConnection:
        place = self.place
        port = place.port or (443 if place.scheme == "https" else 80)
        if place.scheme == "https":
            return http.client.HTTPSConnection(
                place.hostname or "", port, timeout=self.timeout_seconds, context=self.tls
            )
        return http.client.HTTPConnection(place.hostname or "", port, timeout=self.timeout_seconds)


@dataclass(kw_only=True)
class Load:
    """What a run of requests came to."""

    seconds: list[float] = field(default_factory=list)
    """Of each request that was answered, whatever the answer; connecting is part of it."""
    elapsed: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """Requests without an answer, by what went wrong."""
    refusal: str = ""
    """The first answer that was no 200, in its own words."""

    @property
    def requests(self) -> int:
        return len(self.seconds) + self.failures.total()

    @property
    def errors(self) -> int:
        return self.requests - self.statuses[200]

    @property
    def per_second(self) -> float:
        """Requests that were answered with 200."""
        return self.statuses[200] / self.elapsed if self.elapsed else 0.0

    def percentile(self, percent: float) -> float:
        """Seconds, nearest rank; NaN when nothing was answered."""
        return percentile(self.seconds, percent)


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: a value that was measured, not one between two. NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)] if ordered else math.nan


def run(
    question: Question,
    *,
    requests: int,
    clients: int,
    seconds: float = math.inf,
    progress: Callable[[int], None] = lambda done: None,
) -> Load:
    """Each client sends its next request when it has the answer to the one before.

    seconds: no request is begun later than this. progress: is called with how many have ended
    """
    load, lock, numbers = Load(), threading.Lock(), itertools.count()
    began = time.perf_counter()

    def client() -> None:
        connection = question.connection()
        while next(numbers) < requests and time.perf_counter() - began < seconds:
            one = _send(question, connection)
            with lock:
                _add(load, one)
                progress(load.requests)
        connection.close()

    threads = [threading.Thread(target=client, daemon=True) for _ in range(min(clients, requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.elapsed = time.perf_counter() - began
    return load


@dataclass(frozen=True, kw_only=True)
class _One:
    seconds: float
    status: int = 0
    failure: str = ""
    said: bytes = b""


def _send(question: Question, connection: http.client.HTTPConnection) -> _One:
    place = question.place
    path = f"{place.path or '/'}{'?' + place.query if place.query else ''}"
    began = time.perf_counter()
    try:
        connection.request("POST", path, body=question.body, headers=dict(question.headers))
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as problem:
        connection.close()  # the next request opens it again
        return _One(seconds=time.perf_counter() - began, failure=f"{type(problem).__name__}: {problem}")
    return _One(seconds=time.perf_counter() - began, status=answer.status, said=said)


def _add(load: Load, one: _One) -> None:
    if one.failure:
        load.failures[one.failure] += 1
        return
    load.seconds.append(one.seconds)
    load.statuses[one.status] += 1
    if one.status != 200 and not load.refusal:
        load.refusal = f"{one.status}: {one.said[:300].decode(errors='replace')}"
