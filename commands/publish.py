"""Publish the pipelines to the workspace: components, batch endpoints, deployments; again is no harm.

Options not listed here are handed to `python -m pipelines.publish`, which can publish to Azure too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TextIO

from commands import ROOT
from commands.stack.arguments import parser, running
from commands.stack.settings import no_proxy, published_pipeline_url, sdk_settings
from commands.stack.state import Stack


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
    command = [sys.executable, "-m", "pipelines.publish", *options]
    storage = {"CAMPANHA_STORAGE": stack.connection_string}
    environment = {**os.environ, **sdk_settings(stack), **storage, **no_proxy()}
    return subprocess.call(command, cwd=ROOT, env=environment, stdout=out)
