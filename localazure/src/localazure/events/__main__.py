"""Event Grid on one port of 127.0.0.1: topics to publish to, delivery to storage queues and webhooks."""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from localazure import strict
from localazure.access.access import Access, BadAccess
from localazure.certificates import server_context
from localazure.ending import Ending
from localazure.events.broker import Broker
from localazure.events.faults import BadFaults, Chance, Faults, unkind
from localazure.events.journal import Journal
from localazure.events.patience import Patience
from localazure.events.server import EventServer
from localazure.events.storage_services import StorageServices
from localazure.events.storage_topic import StorageTopic
from localazure.events.subscriptions import STORAGE_TOPIC, BadSubscription, read
from localazure.locks import at_most, only_one
from localazure.private import private_folder

PORT = 7100
SEED = 1
"""Of what `--strict` draws, unless another is given: a failure can be met again."""
TURN_SECONDS = 20.0
"""How long a start waits for an Event Grid that still has the folder: it may be finishing its last deliveries."""
RESOURCE_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/localazure"
ACCOUNT = "/providers/Microsoft.Storage/storageAccounts/devstoreaccount1"
EXAMPLE = """\
The file of --subscriptions is a list of {"name", "topic", "properties"}, the properties being those of
Microsoft.EventGrid/eventSubscriptions in ARM and Bicep; or, short:
  [{"name": "uploads", "topic": "storage", "queue": "blob-events",
    "event_types": ["Microsoft.Storage.BlobCreated"],
    "subject_begins_with": "/blobServices/default/containers/incoming/"}]
The topic "storage" is the storage account's; others are made by publishing to http://.../topics/NAME/api/events.
"""


class InUse(Exception):
    """Two would deliver each other's events."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 2 when the arguments do not do."""
    given = _arguments(arguments)
    try:
        entries = read(given.subscriptions) if given.subscriptions else []
        chosen = {field.name: getattr(given, field.name) for field in fields(Faults)}
        seed = SEED if given.strict and given.seed is None else given.seed
        kindly = {name: value for name, value in chosen.items() if value is not None}
        chance = Chance(Faults().changed(unkind(given.strict)).changed(kindly), seed)
    except (BadSubscription, BadFaults) as problem:
        print(f"events: {problem}", file=sys.stderr)
        return 2
    ending = Ending().on_signals()
    crashed = threading.Event()
    threading.excepthook = lambda told: _tell_crash(told, crashed, ending)
    folder: Path = given.state / "events"
    in_use = InUse(f"another `localazure events` has {folder}: end that one, or choose another --state")
    try:
        private_folder(folder)
        with only_one(folder / "lock", check=at_most(TURN_SECONDS, in_use)):
            _serve(given, entries, chance, ending)
    except ValueError as problem:
        print(f"events: --storage is no connection string: {problem}", file=sys.stderr)
        return 2
    except (BadAccess, InUse) as problem:
        print(f"events: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"events: port {given.port} of 127.0.0.1 cannot be taken: {problem}", file=sys.stderr)
        return 2
    return int(crashed.is_set())


def _tell_crash(told: threading.ExceptHookArgs, crashed: threading.Event, ending: Ending) -> None:
    """A thread that delivers nothing any more must not look as if it did: everything ends with it."""
    traceback.print_exception(told.exc_type, told.exc_value, told.exc_traceback)
    crashed.set()
    ending.ask()


def _serve(given: argparse.Namespace, entries: list[dict[str, Any]], chance: Chance, ending: Ending) -> None:
    systems = {STORAGE_TOPIC: given.resource_group + ACCOUNT, **dict(given.system_topic)}
    folder = given.state / "events"
    late = partial(strict.late_seconds, given.strict)
    access = Access(given.access, "events", late_seconds=late) if given.access else None
    server = EventServer(
        given.listen_port or given.port,
        public_port=given.port,
        key=given.key or _kept_key(folder / "topic.key"),
        systems=systems,
        access=access,
        tls=server_context(given.state / "tls") if access else None,
    )
    journal = Journal(folder / "journal.sqlite")
    broker = Broker(
        journal,
        storage=StorageServices(given.storage, access, trusted=given.state / "tls" / "ca.pem"),
        chance=chance,
        patience=Patience(retry_scale=given.retry_scale, life_scale=given.life_scale),
        url=server.url,
        topic_id=lambda name: _topic_id(name, systems, given.resource_group),
    )
    server.broker = broker
    broker.start(entries)  # before it answers: what it takes must find who is subscribed
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    topic = StorageTopic(
        given.access_log or given.state / "storage" / "access.log",
        journal=journal,
        broker=broker,
        connection_string=given.storage,
        resource=systems[STORAGE_TOPIC],
        endpoint=access.book.endpoints["blob"] if access else None,
    )
    topic.start()
    print(f"ready: events {server.url}", flush=True)
    ending.wait()
    topic.stop()
    server.shutdown()
    if broker.stop():
        journal.close()
    else:  # a webhook has half a minute to answer; what it does not take now comes again after the next start
        print("events: left a delivery behind that took too long", file=sys.stderr, flush=True)
        os._exit(0)


def _topic_id(name: str, systems: Mapping[str, str], resource_group: str) -> str:
    return systems.get(name) or f"{resource_group}/providers/Microsoft.EventGrid/topics/{name}"


def _kept_key(file: Path) -> str:
    """The key of the topics, made at the first start."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as written:
            written.write(base64.b64encode(secrets.token_bytes(32)).decode())
    return file.read_text(encoding="utf-8").strip()


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=RESOURCE_ID")
    return name, value


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="localazure events", description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--state", type=Path, default=Path(".localazure"), help="folder of the embedded Azure's "
                        "state (default: .localazure)")  # fmt: skip
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}")
    parser.add_argument(
        "--listen-port", type=int, metavar="PORT", help="where something else has --port, and passes on"
    )
    parser.add_argument("--storage", default="UseDevelopmentStorage=true", metavar="CONNECTION_STRING",
                        help="the storage account (default: UseDevelopmentStorage=true)")  # fmt: skip
    parser.add_argument("--subscriptions", type=Path, metavar="FILE", help="JSON: who gets which events; others "
                        "can be made by PUT /subscriptions/NAME")  # fmt: skip
    parser.add_argument("--access-log", type=Path, help="Azurite's (default: STATE/storage/access.log)")
    parser.add_argument("--key", help="key of every topic (default: made once, in STATE/events/topic.key)")
    parser.add_argument("--resource-group", default=RESOURCE_GROUP, help="resource id that topics are under")
    parser.add_argument("--system-topic", type=_pair, action="append", default=[], metavar="NAME=RESOURCE_ID",
                        help="a topic on which a service speaks, and the resource its events come from")  # fmt: skip
    parser.add_argument("--access", type=Path, metavar="FILE", help="identities, roles and their assignments: custom "
                        "topics take tokens only, over https, and topics deliver as themselves")  # fmt: skip
    parser.add_argument("--retry-scale", type=float, default=1.0, metavar="NUMBER", help="how long waits between "
                        "attempts are, beside Azure's 10 s to 12 h (0.01: 10 s become 0.1 s)")  # fmt: skip
    parser.add_argument("--life-scale", type=float, default=1.0, metavar="NUMBER", help="how long events live, "
                        "beside Azure's 24 h or what a subscription says")  # fmt: skip
    chaos = parser.add_argument_group("faults", "probabilities from 0 to 1; also settable by POST /faults")
    for field in fields(Faults):
        name = field.name.replace("_", "-")
        chaos.add_argument(f"--{name}", type=float, help=f"default: {field.default:g}", metavar="NUMBER")
    strict.add_option(parser)
    chaos.add_argument("--seed", type=int, help="draw the same faults each time")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
