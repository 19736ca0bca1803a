"""Blob, queue and table storage on three ports of 127.0.0.1: Azurite, supervised."""

from __future__ import annotations

import argparse
import sys
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


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 when Azurite could not start or ended by itself."""
    given = _arguments(arguments)
    ending = Ending().on_signals()
    ports = Ports(blob=given.blob_port, queue=given.queue_port, table=given.table_port)
    azurite = Azurite(state=given.state, ports=ports, in_memory=given.in_memory)
    try:
        azurite.start()
    except (SetupFailed, StartFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"ready: storage http://127.0.0.1:{ports.blob}", flush=True)
    while not (by_itself := azurite.ended()) and not ending.wait(0.2):
        pass
    azurite.stop()
    if by_itself:
        print("Azurite ended by itself; see azurite.err beside the access log.", file=sys.stderr)
    return int(by_itself)


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
