"""Make the next version of the Azure ML dataset from everything that has gathered."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain import names
from shared.domain.datasets.gather_window import remaining
from shared.domain.datasets.manifest import Manifest, Part, following
from shared.domain.facts import (
    DatasetDue,
    DatasetRegistered,
    Fact,
    NothingNew,
    RetrainDue,
    RunDue,
    UploadArrived,
)
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.ports import Row
from shared.services import Services


@dataclass(frozen=True)
class Dataset:
    """A dataset's head (its newest version, and whether that is finished) and what has gathered since."""

    name: str
    head: Row | None
    gathered: list[Row]

    @property
    def version(self) -> int:
        return self.head.value["version"] if self.head else 0

    @property
    def registering(self) -> bool:
        return bool(self.head and self.head.value["state"] == "registering")


def register_dataset(fact: DatasetDue | RetrainDue, services: Services) -> Iterable[Fact]:
    """Closes the window if it is time, writes the manifest of its exact members, and registers it as a version.

    The head document is the fence: it moves to the new version before anything is written, so two workers cannot
    make the same version out of different uploads, and a worker that died is followed by one that finishes.
    """
    ledger = services.ledger
    gathered = sorted(ledger.documents(f"gathered-{fact.dataset}"), key=lambda row: row.changed)
    dataset = Dataset(fact.dataset, ledger.document("head", fact.dataset), gathered)
    if dataset.registering:
        return _finish_or_wait(dataset, fact, services)
    if not gathered:
        return [_retry(dataset, fact, services) or NothingNew(dataset=fact.dataset, cause=fact.key)]
    wait = timedelta(0) if isinstance(fact, RetrainDue) else _still_open(dataset, services)
    if wait > timedelta(0):
        return [_look_again(fact, math.ceil(wait.total_seconds()))]
    following_version = _next_manifest(dataset, services)
    if following_version is None:
        _empty_window(gathered, services)
        return [NothingNew(dataset=fact.dataset, cause=fact.key)]
    fence = {"version": following_version.version, "state": "registering", "by": fact.key}
    head = ledger.put("head", fact.dataset, fence, over=dataset.head)
    return _register(Dataset(fact.dataset, head, gathered), following_version, services)


def _still_open(dataset: Dataset, services: Services) -> timedelta:
    arriving = any(services.ledger.unfinished(older_than=timedelta(0), kind=UploadArrived))
    times = [row.changed for row in dataset.gathered]
    return remaining(times, services.now(), services.policy, more_coming=arriving)


def _look_again(fact: DatasetDue | RetrainDue, seconds: int) -> DatasetDue:
    return DatasetDue(dataset=fact.dataset, cause=names.digest(fact.key), after_seconds=max(1, seconds))


def _finish_or_wait(dataset: Dataset, fact: DatasetDue | RetrainDue, services: Services) -> Iterable[Fact]:
    """A version is being registered: by us before we died, by a worker now dead, or by one that lives."""
    head = dataset.head
    assert head is not None  # noqa: S101  (registering implies a head)
    abandoned = services.now() - head.changed > timedelta(seconds=services.policy.claim_seconds)
    if head.value["by"] != fact.key and not abandoned:
        return [_look_again(fact, 5)]
    text = services.files.content(names.DATASETS, names.manifest_blob(dataset.name, dataset.version))
    manifest = Manifest.from_json(text) if text else None
    manifest = manifest or _next_manifest(Dataset(dataset.name, _before(head), dataset.gathered), services)
    if manifest is None:
        raise LookupError(f"version {dataset.version} of {dataset.name} was begun, but its uploads are gone")
    return [*_register(dataset, manifest, services), _look_again(fact, 1)]


def _before(head: Row) -> Row | None:
    """The head as it was before the unfinished version."""
    version = head.value["version"] - 1
    if version == 0:
        return None
    return Row(
        partition=head.partition,
        row=head.row,
        etag=head.etag,
        changed=head.changed,
        value={"version": version, "state": "registered"},
    )


def _next_manifest(dataset: Dataset, services: Services) -> Manifest | None:
    contract = next(c for c in services.contracts if c.dataset == dataset.name)
    parts = [_part(row) for row in dataset.gathered]
    return following(_manifest(dataset, services), parts, dataset=dataset.name, contract=contract.to_json())


def _manifest(dataset: Dataset, services: Services) -> Manifest | None:
    if dataset.version == 0:
        return None
    name = names.manifest_blob(dataset.name, dataset.version)
    text = services.files.content(names.DATASETS, name)
    if text is None:
        raise LookupError(f"the manifest {name} is missing from the {names.DATASETS} container; restore it")
    return Manifest.from_json(text)


def _part(gathered: Row) -> Part:
    value = gathered.value
    return Part(
        file=f"{value['content_hash']}.parquet",
        rows=value["rows"],
        content_hash=value["content_hash"],
        sha256=value["part_sha256"],
        source={"container": names.INCOMING, "name": value["name"], "sha256": value["source_sha256"]}
        | {"etag": value["upload"].rsplit("/", 1)[-1]},
    )


def _register(dataset: Dataset, manifest: Manifest, services: Services) -> list[Fact]:
    ledger, head = services.ledger, dataset.head
    name, version = manifest.dataset, manifest.version
    hashes = {part.content_hash for part in manifest.parts}
    members = [row for row in dataset.gathered if row.value["content_hash"] in hashes]
    id_ = dataset_id(name, version)
    value = {"dataset": name, "version": version, "rows": manifest.rows}
    value["uploads"] = [row.value["upload"] for row in members]
    ledger.record([Change(kind="dataset", id=id_, state="registering", values=value)])
    services.files.write(names.DATASETS, names.manifest_blob(name, version), manifest.to_json())
    url = services.files.url(names.DATASETS, names.manifest_blob(name, version))
    services.workspace.register_dataset(name, version, url, _tags(manifest))
    ledger.record(
        Change(kind="upload", id=row.value["upload"], state="registered", values={"dataset_version": id_})
        for row in members
    )
    done = {"version": version, "state": "registered", "rows": manifest.rows}
    ledger.put("head", name, done, over=head)
    _empty_window(members, services)
    return [DatasetRegistered(dataset=name, version=version, rows=manifest.rows, uploads=len(members))]


def _tags(manifest: Manifest) -> dict[str, str]:
    return {
        "campanha.dataset": manifest.dataset,
        "campanha.rows": str(manifest.rows),
        "campanha.parts": str(len(manifest.parts)),
        "campanha.newest": manifest.parts[-1].source["name"][:250],
    }


def _empty_window(members: list[Row], services: Services) -> None:
    for row in members:
        services.ledger.remove(row)


def _retry(dataset: Dataset, fact: DatasetDue | RetrainDue, services: Services) -> Fact | None:
    """With nothing new, the retraining clock tries again a version whose run failed."""
    if not isinstance(fact, RetrainDue) or dataset.version == 0:
        return None
    record = services.ledger.find("dataset", dataset_id(dataset.name, dataset.version))
    if record is None or record.state != "failed":
        return None
    return RunDue(dataset=dataset.name, version=dataset.version, cause=fact.key)
