"""Dataset registration: the gathered parts become the next immutable version, a manifest and an Azure ML data asset."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain import names
from shared.domain.datasets.gather_window import remaining
from shared.domain.datasets.manifest import Manifest, Withdrawn
from shared.domain.facts import (
    DatasetDue,
    DatasetRegistered,
    DriftDue,
    Fact,
    NothingNew,
    RetrainDue,
    RunDue,
    UploadAdmitted,
    UploadArrived,
)
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.errors import Conflict, Transient
from shared.ledger import Versioned
from shared.procedures.dataset_head import HEAD, Head
from shared.procedures.dataset_members import Members, members
from shared.procedures.gather_window import close_window, gathered, leave_window
from shared.procedures.released_model import RELEASED
from shared.services import Services

MOST_NAMED = 100
"""Uploads named in a version's record; its manifest names them all."""
ANOTHERS = (
    "the manifest {} in the container {} is another: another worker wrote it just now, or another ledger uses this"
    " storage; then set LEDGER_TABLE to that one, or give each a storage of its own"
)


@dataclass(frozen=True)
class Dataset:
    """A dataset's head (its newest version, and whether that is finished) and what has gathered since."""

    name: str
    head: Versioned[Head] | None
    gathered: Sequence[Versioned[UploadAdmitted]]

    @property
    def version(self) -> int:
        return self.head.value.version if self.head else 0

    @property
    def finished(self) -> int:
        """The newest version that is registered."""
        return self.head.value.finished if self.head else 0


def register_dataset(fact: DatasetDue | RetrainDue, services: Services) -> Iterable[Fact | Change]:
    """Closes the window if it is time, writes the manifest of its exact members, and registers it as a version. Where a
    person asked, its run is due whatever the budget says; where drift asks, however few rows are new.

    The head document is the fence: it moves to the new version before anything is written, so two workers cannot
    make the same version out of different uploads, and a worker that died is followed by one that finishes.
    """
    led_to = [*_registered_or_due(fact, services)]
    if isinstance(fact, RetrainDue) and (fact.asked or fact.drifted):
        led_to += [_asked_for(one, fact) for one in led_to if isinstance(one, DatasetRegistered)]
    return led_to


def _asked_for(registered: DatasetRegistered, fact: RetrainDue) -> RunDue:
    return RunDue(
        dataset=registered.dataset,
        version=registered.version,
        cause=fact.key,
        asked=fact.asked,
        drifted=fact.drifted,
    )


def _registered_or_due(fact: DatasetDue | RetrainDue, services: Services) -> Iterable[Fact | Change]:
    head = services.ledger.documents.read(HEAD, fact.dataset)
    dataset = Dataset(fact.dataset, head, gathered(fact.dataset, services))
    if dataset.finished != dataset.version:
        return _finish_or_wait(dataset, fact, services)
    if head is not None and head.value.by == fact.key:
        before = _unannounced(dataset, dataset.version - 1, services)
        return [*before, *_registered(dataset, dataset.version, services)]
    if not isinstance(fact, RetrainDue):  # which takes what there is, people's decisions alone perhaps
        if not dataset.gathered:
            close_window(fact.dataset, services)
            if gathered(fact.dataset, services):  # it joined just before, and so opened no window of its own
                return [_check_again(fact, 1)]
            return [NothingNew(dataset=fact.dataset, cause=fact.key)]
        wait = _still_open(dataset, services)
        if wait > timedelta(0):
            return [_check_again(fact, math.ceil(wait.total_seconds()))]
    return _closed(head, fact, services)


def _closed(
    head: Versioned[Head] | None, fact: DatasetDue | RetrainDue, services: Services
) -> Iterable[Fact | Change]:
    """What comes of the window, and of what people have decided since the newest version."""
    close_window(fact.dataset, services)
    dataset = Dataset(fact.dataset, head, gathered(fact.dataset, services))
    if not dataset.gathered and not dataset.finished:
        return [NothingNew(dataset=fact.dataset, cause=fact.key)]
    found = _members(dataset, services)
    manifest = found.next_version(services)
    if manifest is None:
        return _no_version(dataset, found, fact, services)
    fence = Head(version=manifest.version, state="registering", by=fact.key)
    unannounced = _unannounced(dataset, dataset.version, services)
    head = services.ledger.documents.write(HEAD, fact.dataset, fence, over=head)
    return [*unannounced, *_register(Dataset(fact.dataset, head, dataset.gathered), manifest, services)]


def _no_version(
    dataset: Dataset, found: Members, fact: DatasetDue | RetrainDue, services: Services
) -> list[Fact | Change]:
    """The next version would be the newest again, or have no row. Then the newest stays, and of one without rows the
    window goes on waiting, since it says what the version after it lacks."""
    if found.parts and not found.staying(services).parts:
        stays = f"version {dataset.version} stays the newest, and no run begins" if dataset.version else ""
        reason = f"no row of {dataset.name} is left, as its uploads were withdrawn"
        reason = f"{'; '.join(filter(None, (reason, stays)))}; drop a file with other rows"
        if not dataset.version:
            leave_window(dataset.gathered, services)
        return [NothingNew(dataset=dataset.name, cause=fact.key, reason=reason)]
    again = _retry(dataset, fact, services) or [NothingNew(dataset=dataset.name, cause=fact.key)]
    leave_window(dataset.gathered, services)
    return [*again, *_known_already(found)]


def _unannounced(dataset: Dataset, version: int, services: Services) -> list[Fact | Change]:
    """The version's outcome, when its worker died between registering and settling: who makes, or finishes, the version
    after it returns it in its place, or it would have no record, and its uploads would wait for ever."""
    if not version or services.ledger.find("dataset", dataset_id(dataset.name, version)) is not None:
        return []
    return _registered(dataset, version, services)


def _still_open(dataset: Dataset, services: Services) -> timedelta:
    arriving = services.ledger.outbox.counted().open[UploadArrived.__name__] > 0
    times = [upload.changed for upload in dataset.gathered]
    return remaining(times, services.now(), services.policy, more_coming=arriving)


def _check_again(fact: DatasetDue, seconds: int) -> DatasetDue:
    return DatasetDue(dataset=fact.dataset, cause=names.digest(fact.key), after_seconds=max(1, seconds))


def _finish_or_wait(
    dataset: Dataset, fact: DatasetDue | RetrainDue, services: Services
) -> Iterable[Fact | Change]:
    """A version is being registered: by us before we died, by a worker now dead, or by one that lives.

    raises: Transient where a retrain is due meanwhile: what a person has decided may be missing from that version
    """
    head = dataset.head
    assert head is not None  # noqa: S101  (registering implies a head)
    abandoned = services.now() - head.changed > timedelta(seconds=services.policy.claim_seconds)
    if head.value.by != fact.key and not abandoned:
        if isinstance(fact, RetrainDue):
            id_ = dataset_id(dataset.name, dataset.version)
            raise Transient(f"another worker registers {id_}; when it has, or is dead, the retrain is due")
        return [_check_again(fact, 5)]
    text = services.files.content(names.DATASETS, names.manifest_blob(dataset.name, dataset.version))
    manifest = Manifest.from_json(text) if text else _members(dataset, services).next_version(services)
    if text and manifest and not _is_of_this_ledger(manifest, dataset, services):
        raise Conflict(ANOTHERS.format(names.manifest_blob(dataset.name, dataset.version), names.DATASETS))
    if manifest is None:
        _take_back(dataset, services)
        return _after([], fact, services)
    before = _unannounced(dataset, dataset.version - 1, services)
    return _after([*before, *_register(dataset, manifest, services)], fact, services)


def _after(
    finished: list[Fact | Change], fact: DatasetDue | RetrainDue, services: Services
) -> Iterable[Fact | Change]:
    """What the fact is for goes on behind the version that had to be finished first."""
    if not isinstance(fact, RetrainDue):
        return [*finished, _check_again(fact, 1)]
    led_to = [one for one in _registered_or_due(fact, services) if one not in finished]
    return [*finished, *(one for one in led_to if not (finished and isinstance(one, NothingNew)))]


def _is_of_this_ledger(manifest: Manifest, dataset: Dataset, services: Services) -> bool:
    """Whether a worker of ours wrote it before it died: each upload that it adds waits here, or has a record here."""
    waiting = {one.value.upload for one in dataset.gathered}
    return all(upload in waiting or services.ledger.find("upload", upload) for upload in manifest.uploads)


def _take_back(dataset: Dataset, services: Services) -> None:
    """A version was begun and not written, and there is nothing left to make it of: its uploads were withdrawn since."""
    head = dataset.head
    assert head is not None  # noqa: S101  (it was begun)
    if not dataset.finished:
        services.ledger.documents.delete(HEAD, head)
        return
    rows = found.rows if (found := _members(dataset, services).previous) else 0
    before = Head(version=dataset.finished, state="registered", rows=rows)
    services.ledger.documents.write(HEAD, dataset.name, before, over=head)


def _members(dataset: Dataset, services: Services) -> Members:
    return members(dataset.name, dataset.head.value if dataset.head else None, dataset.gathered, services)


def _known_already(found: Members) -> list[Change]:
    """What is known of uploads whose rows the newest version has already, or that were replaced while they waited."""
    found = replace(
        found,
        joined=[one for one in found.joined if not {one.upload, one.file_version} & found.withdrawn.keys()],
    )
    version = found.previous.version if found.previous else 0
    gone = {
        one.upload: found.replaced[one.file_version]
        for one in found.joined
        if one.file_version in found.replaced
    }
    there = [one.upload for one in found.joined if one.upload not in gone]
    return _of_uploads(there, gone, dataset_id(found.dataset, version))


def _register(dataset: Dataset, manifest: Manifest, services: Services) -> list[Fact | Change]:
    name, version, head = manifest.dataset, manifest.version, dataset.head
    assert head is not None  # noqa: S101  (it was written as the fence)
    _write_once(manifest, services)
    url = services.files.url(names.DATASETS, names.manifest_blob(name, version))
    services.workspace.register_dataset(name, version, url, _tags(manifest))
    done = replace(head.value, state="registered", rows=manifest.rows)
    services.ledger.documents.write(HEAD, name, done, over=head)
    _leave_window(dataset, manifest, services)
    return _outcome(manifest, services)


def _write_once(manifest: Manifest, services: Services) -> None:
    """raises: Conflict when there is another manifest of that number: what it names was, or will be, learned from"""
    name = names.manifest_blob(manifest.dataset, manifest.version)
    try:
        services.files.create(names.DATASETS, name, manifest.to_json())
    except Conflict as cause:
        raise Conflict(ANOTHERS.format(name, names.DATASETS)) from cause


def _registered(dataset: Dataset, version: int, services: Services) -> list[Fact | Change]:
    """What registering the version led to; its worker may have died before its uploads left the window."""
    text = services.files.content(names.DATASETS, names.manifest_blob(dataset.name, version))
    if text is None:
        return []
    manifest = Manifest.from_json(text)
    _leave_window(dataset, manifest, services)
    return _outcome(manifest, services)


def _leave_window(dataset: Dataset, manifest: Manifest, services: Services) -> None:
    leave_window([one for one in dataset.gathered if one.value.upload in manifest.accounted], services)


def _drift_due(manifest: Manifest, services: Services) -> list[Fact]:
    """Where a model serves that new rows can be held against."""
    if not manifest.uploads or services.ledger.documents.read(RELEASED, manifest.dataset) is None:
        return []
    return [DriftDue(dataset=manifest.dataset, version=manifest.version)]


def _outcome(manifest: Manifest, services: Services) -> list[Fact | Change]:
    """The version, and what is known of the uploads that came in with it."""
    name, version = manifest.dataset, manifest.version
    id_, uploads = dataset_id(name, version), list(manifest.uploads)
    values = {"uploads": uploads[:MOST_NAMED]}
    values |= {"replaced_uploads": list(manifest.replaced)[:MOST_NAMED]} if manifest.replaced else {}
    taken_out = manifest.just_withdrawn
    values |= {"withdrawn_uploads": [one.upload for one in taken_out][:MOST_NAMED]} if taken_out else {}
    return [
        DatasetRegistered(dataset=name, version=version, rows=manifest.rows, uploads=len(uploads)),
        *_drift_due(manifest, services),
        Change(kind="dataset", id=id_, state="registered", values=values),
        *_of_uploads(uploads, manifest.replaced, id_),
        *(_withdrawn(one, id_) for one in taken_out),
    ]


def _of_uploads(registered: Iterable[str], replaced: Mapping[str, str], version: str) -> list[Change]:
    into = {"dataset_version": version}
    return [
        *(Change(kind="upload", id=one, state="registered", values=into) for one in registered),
        *(
            Change(kind="upload", id=one, state="replaced", values={"replaced_by": by, "gone_from": version})
            for one, by in replaced.items()
        ),
    ]


def _withdrawn(upload: Withdrawn, version: str) -> Change:
    """Of rows that were readmitted from a withdrawn upload nothing is known yet."""
    values = {"withdrawn_by": upload.by, "withdrawn_because": upload.reason, "gone_from": version}
    return Change(kind="upload", id=upload.upload, state="withdrawn", values=values)


def _tags(manifest: Manifest) -> dict[str, str]:
    return {
        "campanha.dataset": manifest.dataset,
        "campanha.rows": str(manifest.rows),
        "campanha.parts": str(len(manifest.parts)),
        "campanha.newest": manifest.parts[-1].source["name"][:250],
    }


def _retry(dataset: Dataset, fact: DatasetDue | RetrainDue, services: Services) -> Sequence[Fact | Change]:
    """With nothing new, the retraining clock tries again a version whose run failed; a person, or drift, one that waits, or
    has just been registered, too."""
    if not isinstance(fact, RetrainDue) or dataset.version == 0:
        return []
    record = services.ledger.find("dataset", dataset_id(dataset.name, dataset.version))
    pressing = fact.asked or fact.drifted
    if record is None:
        return _unannounced(dataset, dataset.version, services) if pressing else []
    if record.state not in ("failed", *(("waiting", "registered") if pressing else ())):
        return []
    again = RunDue(
        dataset=dataset.name,
        version=dataset.version,
        cause=fact.key,
        asked=fact.asked,
        drifted=fact.drifted,
    )
    return [again]
