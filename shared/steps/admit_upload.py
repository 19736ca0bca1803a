"""Hold a dropped file against the data contract: good rows become a typed part, the others go to quarantine."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from shared.domain import names
from shared.domain.admission import Admission, Tally, check_rows
from shared.domain.contract import Contract
from shared.domain.dialect import Header
from shared.domain.facts import Fact, UploadAdmitted, UploadArrived, UploadKnown, UploadRejected
from shared.domain.parts import Part, PartWriter
from shared.errors import Conflict
from shared.ports import Blob
from shared.services import Services

IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a part, or of a quarantine report, held in memory before they go to a temporary file."""


@dataclass(frozen=True)
class Checked:
    """A file that was read to its end."""

    contract: Contract
    header: Header
    tally: Tally
    part: Part
    part_file: IO[bytes]
    rejects_file: IO[bytes]

    @property
    def report(self) -> dict[str, Any]:
        """What became of the rows, and how to read those put aside."""
        return {**self.tally.to_json(), "header": self.header.to_json(), "dataset": self.contract.dataset}


def admit_upload(fact: UploadArrived, services: Services) -> Iterable[Fact]:
    """Reads one immutable version of the file, once and in a stream, and accounts for every row of it.

    raises: Superseded when the blob was overwritten while being read; its newer version has its own event
    """
    blob = services.files.stat(names.INCOMING, fact.name)
    if blob is None or blob.etag != fact.etag:
        reason = (
            "the file was deleted or overwritten before it could be read; the newer version is read instead"
        )
        return [UploadRejected(upload=fact.key, name=fact.name, reason=reason)]
    admission = check_rows(services.files.read(blob), services.contracts)
    if admission.contract is None or admission.header is None:
        return [_quarantine_whole(fact, blob, {"reason": admission.problem}, services)]
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as part_file,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects_file,
    ):
        checked = _check(admission, part_file, rejects_file)
        _put_rejects_aside(fact, checked, services)
        if checked.tally.refusal:
            report = {"reason": checked.tally.refusal, **checked.report}
            return [_quarantine_whole(fact, blob, report, services)]
        return [_keep(fact, checked, services)]


def _check(admission: Admission, part_file: IO[bytes], rejects_file: IO[bytes]) -> Checked:
    contract, header = admission.contract, admission.header
    assert contract is not None and header is not None  # noqa: S101, PT018  (the caller has looked)
    with PartWriter(contract, part_file) as writer:
        for batch in admission.batches():
            if batch.rows:
                writer.add(batch.columns)
            for reject in batch.rejects:
                rejects_file.write(json.dumps(reject.to_json(), ensure_ascii=False).encode() + b"\n")
    return Checked(contract, header, admission.tally, writer.part, part_file, rejects_file)


def _keep(fact: UploadArrived, checked: Checked, services: Services) -> Fact:
    """Writes the part; its name follows from its content, so writing twice is writing once."""
    tally, dataset = checked.tally, checked.contract.dataset
    first = _first_with(tally.content_hash, dataset, fact, services)
    if first != fact.key:
        return UploadKnown(
            upload=fact.key,
            name=fact.name,
            dataset=dataset,
            rows=tally.accepted,
            first_upload=first,
            rejected=tally.rejected,
            source_sha256=tally.source_sha256,
        )
    checked.part_file.seek(0)
    blob = names.part_blob(dataset, tally.content_hash)
    services.files.write(names.DATASETS, blob, checked.part_file)
    return UploadAdmitted(
        upload=fact.key,
        name=fact.name,
        dataset=dataset,
        content_hash=tally.content_hash,
        rows=tally.accepted,
        rejected=tally.rejected,
        source_sha256=tally.source_sha256,
        part_sha256=checked.part.sha256,
    )


def _put_rejects_aside(fact: UploadArrived, checked: Checked, services: Services) -> None:
    if not checked.tally.rejected:
        return
    folder = names.quarantine_folder(fact.name, fact.etag)
    checked.rejects_file.seek(0)
    services.files.write(names.QUARANTINE, f"{folder}{names.REJECTS}", checked.rejects_file)
    services.files.write(names.QUARANTINE, f"{folder}{names.REPORT}", _report(fact, checked.report))


def _first_with(content_hash: str, dataset: str, fact: UploadArrived, services: Services) -> str:
    """The upload that brought these rows first: this one, unless another was before it."""
    try:
        services.ledger.put(f"content-{dataset}", content_hash, {"upload": fact.key}, over=None)
    except Conflict:
        known = services.ledger.document(f"content-{dataset}", content_hash)
        return str(known.value["upload"]) if known else fact.key
    return fact.key


def _quarantine_whole(fact: UploadArrived, blob: Blob, report: dict[str, Any], services: Services) -> Fact:
    """Copies the file aside, whole, with the reason beside it."""
    folder = names.quarantine_folder(fact.name, fact.etag)
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as copy:
        for chunk in services.files.read(blob):
            copy.write(chunk)
            digest.update(chunk)
        copy.seek(0)
        services.files.write(names.QUARANTINE, f"{folder}{names.ORIGINAL}", copy)
    report = {"bytes": blob.size, "source_sha256": digest.hexdigest(), **report}
    services.files.write(names.QUARANTINE, f"{folder}{names.REPORT}", _report(fact, report))
    return UploadRejected(
        upload=fact.key,
        name=fact.name,
        reason=report["reason"][:1000],
        source_sha256=digest.hexdigest(),
        rejected=report.get("rejected", 0),
        dataset=report.get("dataset", ""),
    )


def _report(fact: UploadArrived, body: dict[str, Any]) -> bytes:
    return json.dumps({"name": fact.name, "etag": fact.etag, **body}, indent=1, ensure_ascii=False).encode()
