"""Runs a function on its trigger's value and writes its outputs, after which the call has succeeded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import azure.functions as func

from localazure.host import binding
from localazure.host.function import Function, Output
from localazure.host.invoke import FunctionFailed, Invoker, RetryContext
from localazure.host.message import encode
from localazure.host.queue import Queue
from localazure.host.storage import StorageFault

log = logging.getLogger("localazure.host.runner")
RETURN = "$return"


class Out(func.Out[Any]):
    """What a function sets its output to."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


class Runner:
    """The one way by which every trigger calls its function."""

    def __init__(self, invoker: Invoker, queues: Mapping[Output, Queue], *, base64_encoded: bool) -> None:
        self._invoker, self._queues, self._base64 = invoker, queues, base64_encoded

    async def run(self, function: Function, value: Any, *, retry: RetryContext | None = None) -> Any:
        """What the function returns; raises FunctionFailed, also when an output cannot be written."""
        outs = {output.parameter: Out() for output in function.outputs if output.parameter != RETURN}
        returned = await self._invoker.call(function, {function.parameter: value, **outs}, retry=retry)
        for output in function.outputs:
            written = returned if output.parameter == RETURN else outs[output.parameter].get()
            await self._write(function, output, written)
        return returned

    async def _write(self, function: Function, output: Output, value: Any) -> None:
        try:
            for body in binding.queue_bodies(value):
                await self._queues[output].send(encode(body, base64_encoded=self._base64))
        except (StorageFault, NotImplementedError, UnicodeDecodeError) as problem:
            log.error("%s: its output to %s was not written: %r", function.name, output.queue, problem)
            raise FunctionFailed(f"the output {output.parameter} was not written") from problem
