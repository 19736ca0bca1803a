"""Runs a function on its trigger's value and writes its outputs, after which the call has succeeded."""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func

from localazure.host import binding
from localazure.host.binding import Incoming, Unreadable
from localazure.host.binding_data import Data, NoValue
from localazure.host.errors import HostError
from localazure.host.function import RETURN, Function, Input, Output, data_type
from localazure.host.invoke import FunctionFailed, Invoker, RetryContext, TraceContext
from localazure.host.outlets import Outlets
from localazure.host.storage import StorageFault
from localazure.host.wire import Reply

log = logging.getLogger("localazure.host.runner")


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

    def __init__(self, invoker: Invoker, outlets: Outlets) -> None:
        self._invoker, self._outlets = invoker, outlets

    async def run(
        self,
        function: Function,
        value: Incoming,
        *,
        data: Data | None = None,
        retry: RetryContext | None = None,
        trace: TraceContext | None = None,
    ) -> Reply:
        """The response of an HTTP function; of others, an empty one that nobody reads. raises: FunctionFailed, also
        when an input or output fails.

        `data` fills in the `{names}` of its other bindings; `trace` is the caller's.
        """
        data = data or {}
        given = self._given(function, value)
        inputs = {one.parameter: await self._read(function, one, data) for one in function.inputs}
        bound = [output.parameter for output in function.outputs] + [function.response or RETURN]
        outs = {name: Out() for name in bound if name != RETURN}
        arguments = {function.parameter: given, **inputs, **outs}
        returned = await self._invoker.call(function, arguments, retry=retry, trace=trace)
        reply = self._reply(function, returned, outs)
        for output in function.outputs:
            is_return = output.parameter == RETURN
            value_set = returned if is_return else outs[output.parameter].get()
            if (
                is_return or value_set is not None
            ):  # what is never set is not written; a return has to be something
                await self._write(function, output, value_set, data)
        return reply

    def _given(self, function: Function, value: Incoming) -> Any:
        plain = function.parameter in function.plain
        try:
            return value.decoded(plain=plain, data_type=data_type(function.trigger))
        except Unreadable as problem:
            log.error("%s: its trigger's value was not read: %s", function.name, problem)
            raise FunctionFailed(f"the parameter {function.parameter} could not be given") from problem

    def _reply(self, function: Function, returned: Any, outs: dict[str, Out]) -> Reply:
        """No response is 204 where a parameter takes it and was not set, or there is no HTTP output at all."""
        name = function.response
        told = returned if name == RETURN else outs[name].get() if name else None
        if told is None and name != RETURN:
            return Reply(status=204)
        try:
            return binding.http_reply(told)
        except Unreadable as problem:
            log.error(
                "%s returned a %s, which is no response: %s", function.name, type(told).__name__, problem
            )
            raise FunctionFailed("it gave no response") from problem

    async def _read(self, function: Function, one: Input, data: Data) -> Any:
        try:
            return await self._outlets.read(function, one, data)
        except (StorageFault, HostError, NoValue, Unreadable) as problem:
            log.error("%s: its input %s was not read: %s", function.name, one.parameter, problem)
            raise FunctionFailed(f"the input {one.parameter} was not read") from problem

    async def _write(self, function: Function, output: Output, value: Any, data: Data) -> None:
        try:
            await self._outlets.write(function, output, value, data)
        except (StorageFault, HostError, NoValue, Unreadable, UnicodeDecodeError) as problem:
            log.error("%s: its output to %s was not written: %r", function.name, output.target, problem)
            raise FunctionFailed(f"the output {output.parameter} was not written") from problem
