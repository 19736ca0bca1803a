"""The webhooks of extensions under /runtime/webhooks: Event Grid calls its triggers there, and those of blobs.

Source: the host's EventGridExtensionConfigProvider and HttpRequestProcessor.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from localazure.host import binding, binding_data
from localazure.host.blob_trigger import from_event, function_id
from localazure.host.function import BLOB, EVENT_GRID, Function
from localazure.host.invoke import FunctionFailed
from localazure.host.keys import Keys
from localazure.host.queue import Queue
from localazure.host.runner import Runner
from localazure.host.wire import Reply, Request, json_reply

log = logging.getLogger("localazure.host.webhooks")
PREFIX = "/runtime/webhooks/"
METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS"})


EXTENSIONS = {EVENT_GRID: "eventgrid", BLOB: "blobs"}
"""The triggers that are called from outside, and the extension whose webhook and key they have."""


class Webhooks:
    """Answers what Event Grid sends to `/runtime/webhooks/{EventGrid,blobs}?functionName=NAME&code=KEY`."""

    def __init__(
        self,
        functions: Sequence[Function],
        keys: Keys | None,
        runner: Runner,
        *,
        notices: Callable[[], Queue],
    ) -> None:
        """`keys` None: everybody may call. `notices` is where blobs wait for their functions."""
        self._functions = {one.name.lower(): one for one in functions if one.kind == EVENT_GRID}
        self._blob_functions = {function_id(one.name) for one in functions if one.kind == BLOB}
        self._keys, self._runner, self._notices = keys, runner, notices

    async def answer(self, request: Request) -> Reply:
        extension = request.path[len(PREFIX) :].strip("/").lower()
        known = {"eventgrid": bool(self._functions), "blobs": bool(self._blob_functions)}
        if not known.get(extension) or request.method not in METHODS:
            return Reply(status=404)
        if self._keys and not self._keys.opens_webhook(extension, request.headers, request.query):
            return Reply(status=401)
        name = request.query.get("functionName", "")
        if extension == "blobs":
            return await self._event(request, partial(self._blobs_made, name))
        function = self._functions.get(name.lower())
        if function is None or function.disabled:
            return _text(404, f"cannot find function: '{name}'")
        return await self._event(request, partial(self._notified, function))

    async def _event(self, request: Request, notified: Callable[[list[Any]], Awaitable[Reply]]) -> Reply:
        if request.method == "OPTIONS":
            return _allowed(request)
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
            return await notified(told if isinstance(told, list) else [told])
        return Reply(status=400)

    async def _blobs_made(self, name: str, events: list[Any]) -> Reply:
        """Noted down and taken at once, whatever the function makes of it: Event Grid need not try again.

        Not held against the function's path, as in Azure: the subscription's filter is what chooses.
        """
        if name not in self._blob_functions:
            log.warning("Event Grid tells of a blob for %s, which is not here.", name)
            return Reply(status=202)
        for event in events:
            data = event.get("data") if isinstance(event, dict) else None
            notice = from_event(name, data) if isinstance(data, dict) else None
            if notice is None:
                return _text(400, "the event names no blob: data.url")
            await self._notices().send(notice.text())
        return Reply(status=202)

    async def _notified(self, function: Function, events: list[Any]) -> Reply:
        """One call for each event, side by side; one that fails makes Event Grid send them all again."""
        calls = (
            self._runner.run(function, binding.event_grid_event(event), data=binding_data.of_event(event))
            for event in events
        )
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
