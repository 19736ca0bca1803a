"""Make calls of the embedded Azure fail: throttled, late, lost after the effect, by rate or by count. See `--help`.

It needs `./dev up --faults`.
"""

from __future__ import annotations

from commands.stack.arguments import default_state
from localazure.faults.command import run


def main(arguments: list[str]) -> int:
    return run(arguments, program="./dev faults", state=default_state())
