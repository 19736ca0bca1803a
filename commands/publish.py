"""Publish the pipelines to the workspace: components, batch endpoints, deployments; again is no harm.

Options not listed here are handed to `python -m pipelines.publish`, which can publish to Azure too.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from commands import ROOT
from commands.stack.access import data_address
from commands.stack.arguments import parser, running
from commands.stack.errors import StackError
from commands.stack.settings import SERVICES, no_proxy, published_pipeline_url, sdk_settings
from commands.stack.state import Stack
from pipelines.publish import WHEN_TOLD
from shared.resources.identities import DEPLOYER

COMMAND = (sys.executable, "-m", "pipelines.publish")


def main(arguments: list[str]) -> int:
    given, more = parser("publish", __doc__).parse_known_args(arguments)
    stack = running(given.state, "storage", "workspace")
    code = published(stack, more)
    if code == 0:
        print(
            f"also a v1 published pipeline: {published_pipeline_url(stack)}\n"
            "  (the app uses it after ./dev up --set PIPELINE_KIND=published-pipeline)"
        )
    return code


def published(stack: Stack, options: Sequence[str] = (), *, out: TextIO | None = None) -> int:
    """Publish what this checkout has; the exit code. out: where it says what it made, stdout by default"""
    return subprocess.call([*COMMAND, *options], cwd=ROOT, env=environment(stack), stdout=out)


@dataclass
class Publishing:
    """Publishing in a process beside this one: it loads the SDK while the stack starts, and who needs one pipeline need
    not wait for the others."""

    process: subprocess.Popen[str]

    @classmethod
    def prepare(cls) -> Publishing:
        """It publishes nothing before it is told where to."""
        command = [sys.executable, "-u", *COMMAND[1:], WHEN_TOLD]
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True))

    def begin(self, stack: Stack) -> None:
        """The workspace of the stack serves by now."""
        assert self.process.stdin is not None  # noqa: S101  (it is a pipe)
        with (
            self.process.stdin as told,
            contextlib.suppress(BrokenPipeError),
        ):  # `until` says that it has ended
            print(json.dumps(environment(stack)), file=told)

    def until(self, endpoint: str, say: Callable[[str], None] = print) -> None:
        """Says what is made until the endpoint starts its pipeline; raises: StackError when it comes to an end before"""
        for line in self._lines():
            say(line.rstrip())
            if line.startswith(f"default deployment {endpoint}/"):
                threading.Thread(target=self._rest, daemon=True).start()
                return
        raise StackError(f"the pipeline of {endpoint} could not be published")

    def finish(self) -> None:
        """Waits for the others; raises: StackError when one could not be published"""
        if self.process.wait():
            raise StackError("not all pipelines could be published; ./dev publish says why")

    def _lines(self) -> Iterator[str]:
        assert self.process.stdout is not None  # noqa: S101  (it is a pipe)
        return iter(self.process.stdout.readline, "")  # a generator over it would close it when it is left

    def _rest(self) -> None:
        """Reads what it still says, or it would wait for a reader."""
        for _ in self._lines():
            pass


def environment(stack: Stack) -> dict[str, str]:
    """What tells the SDKs, and what publishes, of the stack; as whoever deploys."""
    if stack.roles:
        addresses = {name: data_address(stack, name) for name in SERVICES}
        storage = {f"CAMPANHA_STORAGE__{name}ServiceUri": address for name, address in addresses.items()}
        storage["CAMPANHA_STORAGE"] = ""
    else:
        storage = {"CAMPANHA_STORAGE": stack.connection_string}
    return {**os.environ, **sdk_settings(stack, DEPLOYER), **storage, **no_proxy()}
