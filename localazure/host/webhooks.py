"""The webhooks of extensions under /runtime/webhooks: Event Grid calls its triggers there.

Source: the host's EventGridExtensionConfigProvider and HttpRequestProcessor.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from localazure.host import binding
from localazure.host.function import EVENT_GRID, Function
from localazure.host.invoke import FunctionFailed
from localazure.host.keys import Keys
from localazure.host.runner import Runner
from localazure.host.wire import Reply, Request, json_reply

log = logging.getLogger("localazure.host.webhooks")
PREFIX = "/runtime/webhooks/"
METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS"})


class Webhooks:
    """Answers what Event Grid sends to `/runtime/webhooks/EventGrid?functionName=NAME&code=KEY`."""

    def __init__(self, functions: Sequence[Function], keys: Keys | None, runner: Runner) -> None:
        """`keys` None: everybody may call."""
        self._functions = {one.name.lower(): one for one in functions if one.kind == EVENT_GRID}
        self._keys, self._runner = keys, runner

    async def answer(self, request: Request) -> Reply:
        extension = request.path[len(PREFIX) :].strip("/").lower()
        if extension != "eventgrid" or not self._functions or request.method not in METHODS:
            return Reply(status=404)
        if self._keys and not self._keys.opens_webhook(extension, request.headers, request.query):
            return Reply(status=401)
        name = request.query.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None or function.disabled:
            return _text(404, f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return _allowed(request)
        return await self._event(function, request)

    async def _event(self, function: Function, request: Request) -> Reply:
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe":
            return Reply(status=202)
        try:
            told = json.loads(request.body)
        except ValueError:
            return _text(400, "the body is not JSON")
        if kind == "subscriptionvalidation":
            return _validated(told)
        if kind == "notification":
            return await self._notified(function, told if isinstance(told, list) else [told])
        return Reply(status=400)

    async def _notified(self, function: Function, events: list[Any]) -> Reply:
        """One call for each event, side by side; one that fails makes Event Grid send them all again."""
        calls = (self._runner.run(function, binding.event_grid_event(event)) for event in events)
        ended = await asyncio.gather(*calls, return_exceptions=True)
        for problem in ended:
            if isinstance(problem, FunctionFailed):
                return _text(500, f"Exception while executing function: {function.name}")
            if isinstance(problem, BaseException):
                raise problem
        return Reply(status=202)


def _validated(told: Any) -> Reply:
    """An array of one event; or, as some send it, one event whose data is JSON in a string."""
    try:
        event = told[0] if isinstance(told, list) else told
        data = json.loads(event["data"]) if isinstance(event["data"], str) else event["data"]
        return json_reply({"validationResponse": data["validationCode"]})
    except (KeyError, TypeError, IndexError, ValueError):
        return _text(400, "the event has no validationCode")


def _allowed(request: Request) -> Reply:
    origin = request.headers.get("webhook-request-origin")
    if not origin:
        return _text(400, "the header WebHook-Request-Origin is missing")
    return Reply(status=200, headers=(("webhook-allowed-origin", origin),))


def _text(status: int, text: str) -> Reply:
    return Reply(status=status, headers=(("content-type", "text/plain; charset=utf-8"),), body=text.encode())
