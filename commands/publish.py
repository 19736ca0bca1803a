"""Publish the pipelines to the workspace: components, batch endpoints, deployments; again is no harm.

Options not listed here are handed to `python -m pipelines.publish`, which can publish to Azure too.
"""

from __future__ import annotations

import os
import subprocess
import sys

from commands.arguments import parser, running
from commands.settings import no_proxy, sdk_settings
from commands.stack import ROOT


def main(arguments: list[str]) -> int:
    given, more = parser("publish", __doc__).parse_known_args(arguments)
    stack = running(given.state, "storage", "workspace")
    command = [sys.executable, "-m", "pipelines.publish", *more]
    storage = {"CAMPANHA_STORAGE": stack.connection_string}
    environment = {**os.environ, **sdk_settings(stack), **storage, **no_proxy()}
    return subprocess.call(command, cwd=ROOT, env=environment)
