"""Stop the app and the embedded Azure, in order. What they know stays on disk for the next `./dev up`."""

from __future__ import annotations

import time

from commands.stack import supervisor
from commands.stack.arguments import parser
from commands.stack.parts import PARTS
from commands.stack.state import Stack


def main(arguments: list[str]) -> int:
    stack = Stack(parser("down", __doc__).parse_args(arguments).state)
    running = [name for name in PARTS if stack.process(name)]
    if not running:
        print(f"Nothing runs in {stack.state}.")
        return 0
    started = time.monotonic()
    killed = supervisor.down(stack)
    print(f"Stopped {', '.join(reversed(running))} in {time.monotonic() - started:.1f} s.")
    if killed:
        print(f"Had to kill {', '.join(killed)}: the end of the logs in {stack.log('x').parent} may say why.")
    return 0
