"""Calls on the embedded storage, counted from its access log by service and operation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from pathlib import Path

from localazure.events.access_log import AccessLog

REQUEST = re.compile(r'"(?P<method>[A-Z]+) /[^/ ]+/(?P<path>[^ ?]*)(?P<query>\?\S*)? HTTP/')
ENTITY = re.compile(r"[^/(]+\((?P<keys>.*)\)")
TABLE_VERBS = {"GET": "get", "PUT": "replace", "PATCH": "merge", "MERGE": "merge", "DELETE": "delete"}
QUEUE_VERBS = {"GET": "receive", "POST": "send", "PUT": "renew", "DELETE": "delete"}

Call = tuple[str, str]
"""The service, and its operation."""


def call_of(line: str, tables: Container[str]) -> Call | None:
    """The call that a line of the log records; None for a line that records none.

    tables: whose names are those of tables, which addresses alone do not distinguish from containers
    """
    request = REQUEST.search(line)
    if request is None:
        return None
    method, path = request["method"], request["path"]
    first = path.partition("/")[0].partition("(")[0]
    if first in ("$batch", "Tables") or first in tables:
        return "table", _table_verb(method, path)
    if re.fullmatch(r"[^/]+/messages(/[^/]+)?", path):
        return "queue", QUEUE_VERBS.get(method, method.lower())
    return "blob", method.lower()


def _table_verb(method: str, path: str) -> str:
    if method == "POST":
        return "commit" if path == "$batch" else "insert"
    entity = ENTITY.fullmatch(path)
    if method == "GET" and not (entity and entity["keys"]):
        return "rows"
    return TABLE_VERBS.get(method, method.lower())


class CallCount:
    """The calls since the count was last read."""

    def __init__(self, log: Path, tables: Container[str], *, dropped_into: str) -> None:
        """dropped_into: the container whose uploads are the measurement's own, and are left out"""
        self._log, self._tables = AccessLog(log, None), tables
        self._own = f'"PUT /devstoreaccount1/{dropped_into}/'
        self.new()

    def new(self) -> Counter[Call]:
        lines = [line for line, _ in self._log.new_lines() if self._own not in line]
        return Counter(call for line in lines if (call := call_of(line, self._tables)))
