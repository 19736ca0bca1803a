"""Blob, queue and table storage on three ports of 127.0.0.1: Azurite, supervised."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from localazure import strict
from localazure.access.access import Access, BadAccess
from localazure.certificates import server_context
from localazure.ending import Ending
from localazure.storage import front
from localazure.storage.account import Ports, signature
from localazure.storage.node import SetupFailed
from localazure.storage.supervisor import Azurite, StartFailed

EPILOG = """\
On the default ports the connection string is UseDevelopmentStorage=true. STATE/storage/access.log names every
finished request; localazure.events makes Event Grid's events of it.
"""
MOST_STARTS, MOST_STARTS_SECONDS = 3, 60.0
"""An Azurite that ends by itself more often than this is not started again."""
AZURITE_PORTS = {"blob": 10010, "queue": 10011, "table": 10012}
OPEN_FOR = timedelta(days=3650)
"""How long the signature lasts by which the fronts pass requests on: nobody else has it."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, and start Azurite again when it was killed; 1 when that does not help."""
    given = _arguments(arguments)
    ending = Ending().on_signals()
    ports = Ports(blob=given.blob_port, queue=given.queue_port, table=given.table_port)
    started = deque[float](maxlen=MOST_STARTS)
    try:
        azurite = _azurite(given, ports)
        while not ending.wait(0):
            if len(started) == MOST_STARTS and time.monotonic() - started[0] < MOST_STARTS_SECONDS:
                raise StartFailed(
                    f"Azurite has ended by itself {MOST_STARTS} times in a row.\n{azurite.said()}"
                )
            azurite.start()
            started.append(time.monotonic())
            print(
                f"ready: storage {'https' if given.access else 'http'}://127.0.0.1:{ports.blob}", flush=True
            )
            while not azurite.ended() and not ending.wait(0.2):
                pass
            if azurite.ended():
                print(f"Azurite ended by itself and is started again.\n{azurite.said()}", file=sys.stderr)
            azurite.stop()
    except (SetupFailed, StartFailed, BadAccess, OSError) as problem:
        print(f"Storage does not run: {problem}", file=sys.stderr)
        return 1
    return 0


def _azurite(given: argparse.Namespace, ports: Ports) -> Azurite:
    """On the ports themselves; behind the fronts that serve there when roles are checked.

    raises: BadAccess; OSError when a front's port is taken
    """
    if given.access is None:
        return Azurite(state=given.state, ports=ports, in_memory=given.in_memory)
    access = Access(given.access, "storage", late_seconds=partial(strict.late_seconds, given.strict))
    accounts = tuple(access.book.accounts)
    behind = Ports(**{name: getattr(given, f"azurite_{name}_port") for name in ("blob", "queue", "table")})
    expires = (datetime.now(UTC) + OPEN_FOR).strftime("%Y-%m-%dT%H:%M:%SZ")
    front.serve(
        ports, behind, access=access, tls=server_context(given.state / "tls"),
        signatures={name: signature(name, expires) for name in accounts},
    )  # fmt: skip
    return Azurite(state=given.state, ports=behind, in_memory=given.in_memory, accounts=accounts)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localazure storage", description=__doc__, epilog=EPILOG)
    parser.add_argument("--state", type=Path, default=Path(".localazure"), help="folder of the embedded Azure's "
                        "state (default: .localazure)")  # fmt: skip
    for field in fields(Ports):
        parser.add_argument(
            f"--{field.name}-port", type=int, default=field.default, help=f"default: {field.default}"
        )
    strict.add_option(parser)
    roles = parser.add_argument_group("roles", "with --access, the ports speak https and take tokens only")
    roles.add_argument("--access", type=Path, metavar="FILE", help="identities, roles and their assignments")
    for name, port in AZURITE_PORTS.items():
        roles.add_argument(
            f"--azurite-{name}-port", type=int, default=port, metavar="PORT",
            help=f"where Azurite itself listens then (default: {port})",
        )  # fmt: skip
    parser.add_argument("--in-memory", action="store_true", help="keep nothing on disk (tests)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
