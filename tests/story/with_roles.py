"""All that identities do in Azure, once, on the embedded one with roles; which calls they made, and what each needs.

python -m tests.story.with_roles    # records in tests/infrastructure/asked.json a call for each assignment
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.client.status_api import Client
from commands.publish import environment
from commands.stack.access import book, data_address, identity_id
from commands.stack.state import Stack
from localazure.access.access import Book, Way
from localazure.access.policy import Need
from shared.domain.facts import ShardDue
from shared.resources import assignments, identities
from shared.resources.assignments import ASSIGNMENTS, Assignment
from shared.resources.identities import Identity
from shared.resources.storage import BLOB_EVENTS, EVENT_DEAD_LETTERS, RUN_EVENTS
from tests.story.running import Running, bank, running, without_answer

RECORDED = Path(__file__).parents[1] / "infrastructure" / "asked.json"
SETTINGS = {
    "ENGINE_BYTES": "100000",
    "SHARD_BYTES": "150000",
    "EXPERIMENT_DAILY_SECONDS": "20",
    "RELEASE_APPROVAL": "required",
}
"""A file of clients that a run scores, an experiment that is over soon, and releases that wait for a person."""
WHY = {"reason": "the story with roles"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that an identity made, with what it needs: all of one of the ways."""

    identity: str
    name: str
    ways: tuple[Way, ...]

    @classmethod
    def parse(cls, told: dict[str, Any]) -> Call:
        ways = tuple(tuple(Need(*need) for need in way) for way in told["ways"])
        return cls(identity=told["identity"], name=told["call"], ways=ways)

    def told(self) -> dict[str, Any]:
        ways = [[[need.action, need.resource, need.is_data] for need in way] for way in self.ways]
        return {"identity": self.identity, "call": self.name, "ways": ways}


def asked(stack: Stack) -> list[Call]:
    """What all parts of a stack were asked for so far."""
    lines = [line for file in stack.state.glob("asked-*.jsonl") for line in file.read_text().splitlines()]
    return [Call.parse(json.loads(line)) for line in lines]


def refused(calls: Iterable[Call], stack: Stack, *, without: Assignment | None = None) -> list[Call]:
    """Those that would be refused if all were assigned but one."""
    assigned = [each for each in ASSIGNMENTS if each is not without]
    policy = Book.parse(book(stack, assigned)).policy
    return [call for call in calls if policy.missing(call.identity, call.ways)]


def everything(story: Running) -> None:
    """What the apps, the cluster, endpoints, topics and the deployer do, each of it at least once."""
    header, rows = bank()
    clients = without_answer([header, *rows])
    _deployment(story.stack)
    client = Client.of(story.stack)
    story.drop("incoming", "all.csv", [header, *rows])
    _decided_by_people(story, client, "all.csv")
    model = story.model_of("all.csv")["model"]
    assert model["state"] == "released", model
    story.drop("scoring", "few.csv", clients[:50])
    few = story.batch_of("few.csv")
    story.drop("scoring", "many.csv", clients * 2)
    assert story.batch_of("many.csv")["state"] == "scored"
    _looking_around(client, model["id"], few["id"])
    _tried_again(story, client)
    _lost_events(story, client, model["id"].partition(":")[0], [header, *rows[:300]])


def _deployment(stack: Stack) -> None:
    """The hook after a deployment, by whoever deploys; its endpoints are others than the app's, which makes its own."""
    given = {"ENDPOINT_PREFIX": "other", "ENDPOINT_IDENTITY": identity_id(stack, identities.ENDPOINT)}
    done = subprocess.run(
        [sys.executable, "-m", "commands", "azure", "after", "--minutes", "3"],
        cwd=stack.root, env={**environment(stack), **given}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    _kept_package(stack)


KEEPING = """
import sys
from pathlib import Path
from azure.storage.blob import BlobServiceClient
from commands.deployment.kept_packages import KeptPackages
from commands.deployment.patience import Patience
from commands.packaging.archive import sha256
from commands.packaging.manifest import Manifest
from shared.adapters.sign_in import credential
package = Path(sys.argv[2])
package.write_bytes(b"a package")
kept = KeptPackages(BlobServiceClient(sys.argv[1], credential=credential()), Patience(minutes=1))
manifest = Manifest(release="1", sha256=sha256(package), size=9, python="3.13", commit="", changed=(), functions={})
kept.keep(manifest, package)
kept.note(lambda history: history.begun(manifest, "now"))
with kept.fetched(manifest.sha256):
    kept.forget()
"""


def _kept_package(stack: Stack) -> None:
    """What `./dev release deploy` leaves, by whoever deploys: a package, by digest, and the history."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", KEEPING, data_address(stack, "blob"), f"{folder}/package.zip"],
            cwd=stack.root, env=environment(stack), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def _decided_by_people(story: Running, client: Client, file: str) -> None:
    """A release is rejected, requested once more, and approved by another person; `work` does what the API takes in."""

    def model(state: str) -> dict[str, Any] | None:
        found: dict[str, Any] = story.get(f"lineage/incoming/{file}").get("model", {})
        return found if found.get("state") == state else None

    held = story.until(lambda: model("awaiting-approval"), "a release that waits", seconds=300)
    path = f"models/{held['id'].replace(':', '/')}"
    client.act(f"{path}/reject", WHY)
    story.until(lambda: model("rolled-back"), "the end of the release", seconds=60)
    client.act(f"{path}/promote", WHY)
    story.until(lambda: model("awaiting-approval"), "its second release", seconds=120)
    Client.of(story.stack, "admin").act(f"{path}/approve", WHY)


def _tried_again(story: Running, client: Client) -> None:
    """A shard that was given up, of a batch that nobody planned, is retried."""
    story.send("shards", ShardDue(batch="nobody-00000000", number=0).to_message())
    [failure] = story.until(
        lambda: client.listed("failures", most=1), "a shard that is given up", seconds=120
    )
    client.act(f"failures/{failure['id']}/retry", WHY)


def _looking_around(client: Client, model: str, batch: str) -> None:
    """What people ask the API for, and an action."""
    assert client.get("health")["status"] == "pass"
    assert client.get(f"models/{model.replace(':', '/')}/card")
    assert client.get(f"batches/{batch}/rows")
    aside = client.get("quarantine")["value"][0]["name"]
    assert client.get(f"quarantine/{aside}")
    client.act("batches", {"name": "few.csv"})


def _lost_events(story: Running, client: Client, dataset: str, lines: list[bytes]) -> None:
    """A topic that may not put its events into the queue lays them down as dead letters."""
    with without(story.stack, _one(identities.STORAGE_TOPIC, assignments.QUEUE, BLOB_EVENTS.name)):
        before = len(story.blobs(EVENT_DEAD_LETTERS))
        story.drop("incoming", "unheard.csv", lines)
        story.until(
            lambda: len(story.blobs(EVENT_DEAD_LETTERS)) > before, "a dead letter of storage", seconds=60
        )
    with without(story.stack, _one(identities.WORKSPACE_TOPIC, assignments.QUEUE, RUN_EVENTS.name)):
        before = len(story.blobs(EVENT_DEAD_LETTERS))
        client.act(f"datasets/{dataset}/experiment")
        story.until(
            lambda: len(story.blobs(EVENT_DEAD_LETTERS)) > before, "a dead letter of a run", seconds=120
        )
    story.until(lambda: story.blobs("recipes"), "what an experiment found", seconds=240)


def _one(identity: Identity, scope: str, on: str) -> Assignment:
    [found] = [each for each in ASSIGNMENTS if (each.identity, each.scope, each.on) == (identity, scope, on)]
    return found


@contextmanager
def without(stack: Stack, assignment: Assignment) -> Iterator[None]:
    """It is taken away from what runs meanwhile."""
    _assign(stack, [each for each in ASSIGNMENTS if each is not assignment])
    try:
        yield
    finally:
        _assign(stack, ASSIGNMENTS)


def _assign(stack: Stack, assigned: Iterable[Assignment]) -> None:
    beside = stack.access_file.with_suffix(".beside")
    beside.write_text(json.dumps(book(stack, assigned)), encoding="utf-8")
    os.replace(beside, stack.access_file)


def main() -> None:
    """For each assignment the first call, by name, that it alone allows."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), roles=True, **SETTINGS) as story:
        everything(story)
        calls = sorted(set(asked(story.stack)), key=lambda call: (call.identity, call.name, str(call.ways)))
        found = []
        for each in ASSIGNMENTS:
            one = refused(calls, story.stack, without=each)
            print(f"{each}: {one[0].name if one else 'NOTHING is refused without it'}")
            found += one[:1]
    lines = ",\n".join(json.dumps(call.told()) for call in dict.fromkeys(found))
    RECORDED.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
