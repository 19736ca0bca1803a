"""Overwritten files: which uploads a newer version of their file replaced, and which other files hold the same rows.

The order of a file's versions is that of their uploads' records: an upload is admitted only while its version is the
file's newest, so its record was made before there was the next version, and that one's after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from shared.domain import names
from shared.domain.datasets.manifest import Part
from shared.procedures.content_claim import CONTENT
from shared.services import Services

UNREAD = ("arrived", "rejected")
"""States of an upload that says nothing of its file's rows, or not yet."""


def replaced_uploads(parts: Sequence[Part], arrived: Iterable[str], services: Services) -> dict[str, str]:
    """The uploads among the parts that a newer one of the same file replaced, each with the newest.

    parts: of the dataset, and of the uploads that have joined since
    arrived: the files' names of those that have joined: what was kept before, by another setting, stays
    """
    if services.policy.overwritten_files == "add":
        return {}
    versions: dict[str, set[str]] = {name: set() for name in arrived}
    for part in parts:
        if part.source["name"] in versions:
            versions[part.source["name"]].add(part.file_version)
    found: dict[str, str] = {}
    for uploads in versions.values():
        if len(uploads) > 1:
            newest = max(uploads, key=lambda upload: _number(upload, services))
            found |= dict.fromkeys(uploads - {newest}, newest)
    return found


def heirs(
    dataset: str,
    going: Iterable[Part],
    parts: Sequence[Part],
    withdrawn: Collection[str],
    services: Services,
) -> dict[str, dict[str, str]]:
    """By content, where another file holds the very rows of a part that goes: that file, as a part's source.

    going: replaced or withdrawn; of all `parts`
    withdrawn: uploads that a person took out: they hold nothing
    """
    found = {}
    for part in going:
        if heir := _heir(dataset, part, parts, withdrawn, services):
            found[part.content_hash] = heir
    return found


def _heir(
    dataset: str, part: Part, parts: Sequence[Part], withdrawn: Collection[str], services: Services
) -> dict[str, str] | None:
    claim = services.ledger.documents.read(CONTENT, part.content_hash, within=dataset)
    if claim is None:
        return None
    for name, upload in claim.value.files.items():
        holds = name != part.source["name"] and upload not in withdrawn
        if holds and _still_holds(name, upload, parts, services):
            return _source(name, upload, services)
    # Which other files hold them is no longer written down. Of an overwritten one they are taken to be held; of one that
    # a person wants out they are not.
    taken_out = part.upload in withdrawn or part.file_version in withdrawn
    return dict(part.source) if claim.value.full and not taken_out else None


def _still_holds(name: str, upload: str, parts: Sequence[Part], services: Services) -> bool:
    """Whether the file's rows are still those of this upload; a newer version of which no row was taken changes none."""
    newest = services.ledger.records.led_to("file", f"{names.INCOMING}/{name}").get("upload", upload)
    record = None if newest == upload else services.ledger.find("upload", newest)
    if record is not None and record.state not in UNREAD:
        return False
    since = [part.file_version for part in parts if part.source["name"] == name]
    return all(_number(other, services) <= _number(upload, services) for other in since)


def _source(name: str, upload: str, services: Services) -> dict[str, str]:
    record = services.ledger.find("upload", upload)
    return source(name, upload, sha256=record.values.get("sha256", "") if record else "")


def source(name: str, upload: str, *, sha256: str) -> dict[str, str]:
    """Where a part's rows come from, as its manifest says it; the version is added there."""
    found = {"container": names.INCOMING, "name": name, "sha256": sha256}
    return {**found, "etag": upload.rsplit("/", 1)[-1], "upload": upload}


def _number(upload: str, services: Services) -> int:
    """An upload of which nothing is known came before all others."""
    found = services.ledger.records.number_of("upload", upload)
    return -1 if found is None else found
