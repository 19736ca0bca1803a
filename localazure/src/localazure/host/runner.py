"""Runs a function on its trigger's value and writes its outputs, after which the call has succeeded."""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func

from localazure.host.binding_data import Data, NoValue
from localazure.host.errors import HostError
from localazure.host.function import Function, Input, Output
from localazure.host.invoke import FunctionFailed, Invoker, RetryContext
from localazure.host.outlets import Outlets
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

    def __init__(self, invoker: Invoker, outlets: Outlets) -> None:
        self._invoker, self._outlets = invoker, outlets

    async def run(
        self, function: Function, value: Any, *, data: Data | None = None, retry: RetryContext | None = None
    ) -> Any:
        """What the function returns; raises FunctionFailed, also when an input or output fails.

        `data` fills in the `{names}` of its other bindings.
        """
        data = data or {}
        inputs = {one.parameter: await self._read(function, one, data) for one in function.inputs}
        outs = {output.parameter: Out() for output in function.outputs if output.parameter != RETURN}
        arguments = {function.parameter: value, **inputs, **outs}
        returned = await self._invoker.call(function, arguments, retry=retry)
        for output in function.outputs:
            written = returned if output.parameter == RETURN else outs[output.parameter].get()
            await self._write(function, output, written, data)
        return returned

    async def _read(self, function: Function, one: Input, data: Data) -> Any:
        try:
            return await self._outlets.read(function, one, data)
        except (StorageFault, HostError, NoValue) as problem:
            log.error("%s: its input %s was not read: %s", function.name, one.parameter, problem)
            raise FunctionFailed(f"the input {one.parameter} was not read") from problem

    async def _write(self, function: Function, output: Output, value: Any, data: Data) -> None:
        try:
            await self._outlets.write(function, output, value, data)
        except (StorageFault, HostError, NoValue, NotImplementedError, UnicodeDecodeError) as problem:
            log.error("%s: its output to %s was not written: %r", function.name, output.target, problem)
            raise FunctionFailed(f"the output {output.parameter} was not written") from problem
