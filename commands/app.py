"""Asks the running app over HTTP, as any client would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from commands.stack import Stack, StackError

VERSION = "2026-11-24"


class NotFound(StackError):
    """The app knows nothing of that name."""


def get(stack: Stack, path: str) -> dict[str, Any]:
    """The JSON at `path` of the app; raises StackError with the app's own words for what is wrong."""
    request = urllib.request.Request(
        f"{stack.host_url}/api/{quote(path)}?api-version={VERSION}",
        headers={"x-functions-key": stack.keys["operator"]},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as reply:
            answer: dict[str, Any] = json.load(reply)
    except urllib.error.HTTPError as problem:
        said = problem.read().decode(errors="replace")
        kind = NotFound if problem.code == 404 else StackError
        raise kind(f"{path}: {problem.code} {_detail(said)}") from problem
    except OSError as problem:
        raise StackError(
            f"the app at {stack.host_url} does not answer ({problem}): see {stack.log('host')}"
        ) from problem
    return answer


def _detail(said: str) -> str:
    try:
        return str(json.loads(said)["detail"])
    except (ValueError, KeyError, TypeError):
        return said[:500]
