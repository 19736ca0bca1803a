"""Admission: a dropped file validated against its contract; good rows become a typed part, others go to quarantine."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from typing import Any

from shared.domain import names
from shared.domain.facts import Fact, UploadArrived, UploadRejected
from shared.domain.json_text import in_lines
from shared.domain.kinds.kind import Change
from shared.domain.tables.admission import check_rows
from shared.domain.tables.unreadable import UnreadableFile, content_faults
from shared.ports import Blob
from shared.procedures.admission import IN_MEMORY, Checked, check, store_part
from shared.procedures.file_version import file_version
from shared.services import Services


def admit_upload(fact: UploadArrived, services: Services) -> Iterable[Fact | Change]:
    """Reads one immutable version of the file, once and in a stream, and accounts for every row of it.

    raises: Superseded when the blob was overwritten while being read; its newer version has its own event
    """
    found = file_version(names.INCOMING, fact.name, fact.etag, services)
    if isinstance(found, str):
        return [UploadRejected(upload=fact.key, name=fact.name, reason=found)]
    return [*_admitted(fact, found, services), *_replaces(fact, services)]


def _admitted(fact: UploadArrived, blob: Blob, services: Services) -> list[Fact]:
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as part_file,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects_file,
    ):
        try:
            with content_faults():
                admission = check_rows(services.files.read(blob), services.contracts)
                checked = None if admission.problem else check(admission, part_file, rejects_file)
        except UnreadableFile as fault:
            return [_quarantine_whole(fact, blob, {"reason": str(fault)}, services)]
        if checked is None:
            return [_quarantine_whole(fact, blob, {"reason": admission.problem}, services)]
        _quarantine_rejects(fact, checked, services)
        if checked.tally.refusal:
            report = {"reason": checked.tally.refusal, **checked.report}
            return [_quarantine_whole(fact, blob, report, services)]
        if not checked.all_listed:  # or the others would be nowhere once the sender deletes the file
            _copy(fact, blob, services)
        return store_part(fact, fact.key, fact.name, checked, services)


def _replaces(fact: UploadArrived, services: Services) -> Iterable[Change]:
    """What an older version of the file left in quarantine is settled by this one, whatever becomes of it."""
    if services.policy.overwritten_files == "add":
        return
    older = services.ledger.records.led_to("held", f"{names.INCOMING}/{fact.name}").get(
        "quarantine", fact.key
    )
    held = services.ledger.find("quarantine", older) if older != fact.key else None
    if held is not None and held.state == "held":
        yield Change(kind="quarantine", id=older, state="replaced", values={"replaced_by": fact.key})


def _quarantine_rejects(fact: UploadArrived, checked: Checked, services: Services) -> None:
    if not checked.tally.rejected:
        return
    folder = names.quarantine_folder(fact.name, fact.etag)
    checked.rejects_file.seek(0)
    services.files.write(names.QUARANTINE, f"{folder}{names.REJECTS}", checked.rejects_file)
    services.files.write(names.QUARANTINE, f"{folder}{names.REPORT}", _report(fact, checked.report, services))


def _quarantine_whole(fact: UploadArrived, blob: Blob, report: dict[str, Any], services: Services) -> Fact:
    """Copies the whole file into quarantine, with the reason beside it: no row of it is used."""
    folder = names.quarantine_folder(fact.name, fact.etag)
    sha256 = _copy(fact, blob, services)
    report = {**report, "bytes": blob.size, "source_sha256": sha256}
    services.files.write(names.QUARANTINE, f"{folder}{names.REPORT}", _report(fact, report, services))
    return UploadRejected(
        upload=fact.key,
        name=fact.name,
        reason=report["reason"][:1000],
        source_sha256=sha256,
        rejected=report.get("rejected", 0),
        dataset=report.get("dataset", ""),
    )


def _copy(fact: UploadArrived, blob: Blob, services: Services) -> str:
    """Puts the file into quarantine as it is; the SHA-256 of its bytes."""
    folder, digest = names.quarantine_folder(fact.name, fact.etag), hashlib.sha256()
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as copy:
        for chunk in services.files.read(blob):
            copy.write(chunk)
            digest.update(chunk)
        copy.seek(0)
        services.files.write(names.QUARANTINE, f"{folder}{names.ORIGINAL}", copy)
    return digest.hexdigest()


def _report(fact: UploadArrived, body: dict[str, Any], services: Services) -> bytes:
    about = {"name": fact.name, "etag": fact.etag, "release": services.release}
    return in_lines({**about, **body}, ensure_ascii=False)
