"""`localazure faults`: add, list and clear faults of what was started with --faults; `serve` is the front itself."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from localazure.ending import Ending
from localazure.faults.command import run
from localazure.faults.control import ControlServer, written
from localazure.faults.front import Front, FrontServer
from localazure.faults.kinds import FRONTS
from localazure.faults.orders import Orders
from localazure.private import private_folder


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["serve"]:
        return _serve(given[1:])
    return run(given, program="localazure faults", state=Path(".localazure"))


def _serve(arguments: list[str]) -> int:
    """Until SIGTERM or Ctrl-C; 1 when a port is taken."""
    made = argparse.ArgumentParser(
        prog="localazure faults serve", description="The fronts, and the control address."
    )
    made.add_argument("--state", type=Path, default=Path(".localazure"))
    made.add_argument("--control-port", type=int, required=True)
    made.add_argument("--front", type=_front, action="append", default=[], metavar="NAME=PORT:BEHIND[:tls]",
                      help=f"one of {', '.join(FRONTS)}: where it is to be found, and where it listens itself")  # fmt: skip
    given = made.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    ending = Ending().on_signals()
    orders = Orders()
    try:
        private_folder(given.state, may_be_anothers=True)
        fronts = [FrontServer(front, orders, given.state / "tls") for front in given.front]
        control = ControlServer(given.control_port, orders, written(given.state, given.control_port))
    except OSError as problem:
        print(f"faults: a port is taken or a folder cannot be written: {problem}", file=sys.stderr)
        return 1
    for front in fronts:
        front.start()
    control.start()
    print(f"ready: faults http://127.0.0.1:{given.control_port}", flush=True)
    ending.wait()
    return 0


def _front(text: str) -> Front:
    name, _, ports = text.partition("=")
    port, _, rest = ports.partition(":")
    behind, _, tls = rest.partition(":")
    if name not in FRONTS or not (port.isdecimal() and behind.isdecimal()) or tls not in ("", "tls"):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PORT:BEHIND[:tls], of {', '.join(FRONTS)}")
    return Front(name=name, port=int(port), behind=int(behind), secure=bool(tls))


if __name__ == "__main__":
    sys.exit(main())
