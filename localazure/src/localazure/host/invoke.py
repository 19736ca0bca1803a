"""Calls functions, sync ones in threads; logs each call, its time, and what it raised."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import secrets
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import azure.functions as func

from localazure.host.function import Function

log = logging.getLogger("localazure.host.invoke")
HERE = str(Path(__file__).parent)
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")

current: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("invocation", default=("host", ""))
"""The function and the invocation id that the running code belongs to; the log shows them on every line."""


class FunctionFailed(Exception):
    """The app's function raised or took too long; it has been logged."""


@dataclass(frozen=True)
class TraceContext(func._abc.TraceContext):
    """What W3C's trace context says of this call, under the names the worker has, the older ones too."""

    trace_parent: str = ""
    trace_state: str = ""

    @classmethod
    def begun(cls, headers: Mapping[str, str] | None = None) -> TraceContext:
        """A span of its own; in the trace of the caller whose request had `headers`, if it names one."""
        told = headers or {}
        caller = _TRACE_PARENT.fullmatch(told.get("traceparent", ""))
        trace, flags = (caller[1], caller[2]) if caller else (secrets.token_hex(16), "00")
        state = told.get("tracestate", "") if caller else ""
        return cls(f"00-{trace}-{secrets.token_hex(8)}-{flags}", state)

    @property
    def attributes(self) -> dict[str, str]:
        return {}

    @property
    def Traceparent(self) -> str:
        return self.trace_parent

    @property
    def Tracestate(self) -> str:
        return self.trace_state

    @property
    def Attributes(self) -> dict[str, str]:
        return self.attributes


@dataclass(frozen=True)
class RetryContext(func._abc.RetryContext):
    """How often this call was tried before by a retry policy."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: Any = None


@dataclass(frozen=True)
class Context(func.Context):
    """What a function gets for its `context` parameter."""

    invocation_id: str = ""
    function_name: str = ""
    function_directory: str = ""
    retry_context: RetryContext = RetryContext()
    trace_context: TraceContext = TraceContext()
    thread_local_storage: Any = None


class Invoker:
    """Runs functions and knows which run now."""

    def __init__(
        self,
        *,
        threads: int | None,
        timeout: float | None,
        folder: Path,
        told: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        """told: of each call that has ended, as `Telemetry.called` takes it"""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._timeout = timeout
        self._folder, self._tell = folder, told
        self.outstanding: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.abandoned = 0
        """Threads that outlasted functionTimeout: Python cannot end them, so they run on."""

    async def call(
        self,
        function: Function,
        arguments: Mapping[str, Any],
        *,
        retry: RetryContext | None = None,
        trace: TraceContext | None = None,
    ) -> Any:
        """What the function returns; raises FunctionFailed, after logging, whatever it raised."""
        invocation = str(uuid.uuid4())
        self.outstanding.add(invocation)
        self._idle.clear()
        token = current.set((function.name, invocation))
        started = time.monotonic()
        log.info("%s started (%s)", function.name, invocation)
        failed = True
        try:
            returned = await self._within_time(
                function, self._arguments(function, arguments, invocation, retry, trace)
            )
        except FunctionFailed as failure:
            log.error("%s failed (%s, %s): %s", function.name, invocation, _took(started), failure)
            raise
        else:
            log.info("%s succeeded (%s, %s)", function.name, invocation, _took(started))
            failed = False
            return returned
        finally:
            self._tell(function.name, invocation, time.monotonic() - started, failed=failed)
            current.reset(token)
            self.outstanding.discard(invocation)
            if not self.outstanding:
                self._idle.set()

    async def until_idle(self) -> None:
        """Return when nothing runs."""
        await self._idle.wait()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _arguments(
        self,
        function: Function,
        arguments: Mapping[str, Any],
        invocation: str,
        retry: RetryContext | None,
        trace: TraceContext | None,
    ) -> dict[str, Any]:
        if not function.wants_context:
            return dict(arguments)
        context = Context(
            invocation_id=invocation,
            function_name=function.name,
            function_directory=str(self._folder),
            retry_context=retry or RetryContext(),
            trace_context=trace or TraceContext.begun(),
            thread_local_storage=threading.local(),
        )
        return {**arguments, "context": context}

    async def _within_time(self, function: Function, arguments: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                if function.is_async:
                    returned = await _caught_async(function, arguments)
                else:
                    context = contextvars.copy_context()
                    returned = await asyncio.get_running_loop().run_in_executor(
                        self._pool, context.run, _caught, function.call, arguments
                    )
        except TimeoutError:
            self.abandoned += not function.is_async
            raise FunctionFailed(f"not done within functionTimeout ({self._timeout:g} s)") from None
        if returned is not None and not function.may_return:
            raise FunctionFailed(
                f"returned {type(returned).__name__}, but nothing takes it: a function without a $return"
                " binding must return None"
            )
        return returned


async def _caught_async(function: Function, arguments: dict[str, Any]) -> Any:
    try:
        return await function.call(**arguments)
    except asyncio.CancelledError as problem:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # Nobody has cancelled the call: it is that of a task of the app's own. Let through, it would end the listener.
        raise FunctionFailed(_told(problem)) from problem
    except (Exception, SystemExit) as problem:
        raise FunctionFailed(_told(problem)) from problem


def _caught(call: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return call(**arguments)
    except (Exception, SystemExit, asyncio.CancelledError) as problem:
        raise FunctionFailed(_told(problem)) from problem


def _told(problem: BaseException) -> str:
    """The traceback from the app's first frame on."""
    trace: TracebackType | None = problem.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(HERE):
        trace = trace.tb_next
    lines = traceback.format_exception(type(problem), problem, trace)
    return f"{type(problem).__name__}\n{''.join(lines).rstrip()}"


def _took(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"
