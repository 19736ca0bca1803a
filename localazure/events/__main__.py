"""`python -m localazure.events`: Event Grid on one port of 127.0.0.1, delivering to storage queues."""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import signal
import sys
import threading
from dataclasses import fields
from pathlib import Path

from localazure.events.delivery import Broker, QueueSender
from localazure.events.faults import BadFaults, Chance, Faults
from localazure.events.journal import Journal
from localazure.events.server import EventServer
from localazure.events.storage_topic import StorageTopic
from localazure.events.subscriptions import BadSubscriptions, read

RESOURCE_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/campanha"
ACCOUNT = "/providers/Microsoft.Storage/storageAccounts/devstoreaccount1"


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; 2 when the arguments do not do."""
    given = _arguments()
    try:
        subscriptions = read(given.subscriptions)
        chosen = {field.name: getattr(given, field.name) for field in fields(Faults)}
        chance = Chance(Faults().changed(chosen), given.seed)
    except (BadSubscriptions, BadFaults) as problem:
        print(f"events: {problem}", file=sys.stderr)
        return 2
    asked_to_stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: asked_to_stop.set())
    folder = given.state / "events"
    journal = Journal(folder / "journal.sqlite")
    broker = Broker(journal, subscriptions, chance, QueueSender(given.storage))
    key = given.key or _kept_key(folder / "topic.key")
    server = EventServer(given.port, broker=broker, key=key, resource_group=given.resource_group)
    broker.start()
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    topic = StorageTopic(
        given.access_log or given.state / "storage" / "access.log",
        journal=journal,
        broker=broker,
        connection_string=given.storage,
        resource=given.resource_group + ACCOUNT,
    )
    topic.start()
    print(f"ready: events http://127.0.0.1:{server.server_port}", flush=True)
    asked_to_stop.wait()
    topic.stop()
    server.shutdown()
    broker.stop()
    journal.close()
    return 0


def _kept_key(file: Path) -> str:
    """The key of the topics, made at the first start."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as written:
            written.write(base64.b64encode(secrets.token_bytes(32)).decode())
    return file.read_text(encoding="utf-8").strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localazure.events", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the embedded Azure's state")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--storage", required=True, help="connection string of the storage account")
    parser.add_argument("--subscriptions", type=Path, required=True, help="JSON file: who gets which events")
    parser.add_argument("--access-log", type=Path, help="Azurite's (default: STATE/storage/access.log)")
    parser.add_argument("--key", help="key of every topic (default: made once, in STATE/events/topic.key)")
    parser.add_argument("--resource-group", default=RESOURCE_GROUP, help="resource id that topics are under")
    chaos = parser.add_argument_group("faults", "probabilities from 0 to 1; also settable by POST /faults")
    for field in fields(Faults):
        name = field.name.replace("_", "-")
        chaos.add_argument(f"--{name}", type=float, default=field.default, metavar="NUMBER")
    chaos.add_argument("--seed", type=int, help="draw the same faults each time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
