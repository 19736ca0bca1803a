"""Blob, queue and table storage on three ports of 127.0.0.1: Azurite, supervised."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from dataclasses import fields
from pathlib import Path

from localazure.ending import Ending
from localazure.storage.account import Ports
from localazure.storage.node import SetupFailed
from localazure.storage.supervisor import Azurite, StartFailed

EPILOG = """\
On the default ports the connection string is UseDevelopmentStorage=true. STATE/storage/access.log names every
finished request; localazure.events makes Event Grid's events of it.
"""
MOST_STARTS, MOST_STARTS_SECONDS = 3, 60.0
"""An Azurite that ends by itself more often than this is not started again."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, and start Azurite again when it was killed; 1 when that does not help."""
    given = _arguments(arguments)
    ending = Ending().on_signals()
    ports = Ports(blob=given.blob_port, queue=given.queue_port, table=given.table_port)
    azurite = Azurite(state=given.state, ports=ports, in_memory=given.in_memory)
    started = deque[float](maxlen=MOST_STARTS)
    try:
        while not ending.wait(0):
            if len(started) == MOST_STARTS and time.monotonic() - started[0] < MOST_STARTS_SECONDS:
                raise StartFailed(
                    f"Azurite has ended by itself {MOST_STARTS} times in a row.\n{azurite.said()}"
                )
            azurite.start()
            started.append(time.monotonic())
            print(f"ready: storage http://127.0.0.1:{ports.blob}", flush=True)
            while not azurite.ended() and not ending.wait(0.2):
                pass
            if azurite.ended():
                print(f"Azurite ended by itself and is started again.\n{azurite.said()}", file=sys.stderr)
            azurite.stop()
    except (SetupFailed, StartFailed, OSError) as problem:
        print(f"Storage does not run: {problem}", file=sys.stderr)
        return 1
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localazure storage", description=__doc__, epilog=EPILOG)
    parser.add_argument("--state", type=Path, default=Path(".localazure"), help="folder of the embedded Azure's "
                        "state (default: .localazure)")  # fmt: skip
    for field in fields(Ports):
        parser.add_argument(
            f"--{field.name}-port", type=int, default=field.default, help=f"default: {field.default}"
        )
    parser.add_argument("--in-memory", action="store_true", help="keep nothing on disk (tests)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
