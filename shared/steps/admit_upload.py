"""Hold a dropped file against the data contract: good rows become a typed part, the others go to quarantine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from shared.domain import names
from shared.domain.admission import Admission, Tally, check_rows
from shared.domain.contract import Contract
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
    tally: Tally
    part: Part
    part_file: IO[bytes]
    rejects_file: IO[bytes]


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
    if admission.contract is None:
        return [_quarantine_whole(fact, blob, admission.problem, services)]
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as part_file,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects_file,
    ):
        checked = _check(admission, admission.contract, part_file, rejects_file)
        if checked.tally.refusal:
            return [_quarantine_whole(fact, blob, checked.tally.refusal, services)]
        return [_keep(fact, checked, services)]


def _check(
    admission: Admission, contract: Contract, part_file: IO[bytes], rejects_file: IO[bytes]
) -> Checked:
    with PartWriter(contract, part_file) as writer:
        for batch in admission.batches():
            if batch.rows:
                writer.add(batch.columns)
            for reject in batch.rejects:
                rejects_file.write(json.dumps(reject.to_json(), ensure_ascii=False).encode() + b"\n")
    return Checked(contract, admission.tally, writer.part, part_file, rejects_file)


def _keep(fact: UploadArrived, checked: Checked, services: Services) -> Fact:
    """Writes part and quarantine; both names follow from their content, so writing twice is writing once."""
    tally, dataset = checked.tally, checked.contract.dataset
    if tally.rejected:
        folder = names.quarantine_folder(fact.name, fact.etag)
        checked.rejects_file.seek(0)
        services.files.write(names.QUARANTINE, f"{folder}rejects.jsonl", checked.rejects_file)
        services.files.write(names.QUARANTINE, f"{folder}report.json", _report(fact, tally.to_json()))
    first = _first_with(tally.content_hash, dataset, fact, services)
    if first != fact.key:
        return UploadKnown(
            upload=fact.key, name=fact.name, dataset=dataset, rows=tally.accepted, first_upload=first
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


def _first_with(content_hash: str, dataset: str, fact: UploadArrived, services: Services) -> str:
    """The upload that brought these rows first: this one, unless another was before it."""
    try:
        services.ledger.put(f"content-{dataset}", content_hash, {"upload": fact.key}, over=None)
    except Conflict:
        known = services.ledger.document(f"content-{dataset}", content_hash)
        return str(known.value["upload"]) if known else fact.key
    return fact.key


def _quarantine_whole(fact: UploadArrived, blob: Blob, reason: str, services: Services) -> Fact:
    """Copies the file aside, whole, with the reason beside it."""
    folder = names.quarantine_folder(fact.name, fact.etag)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as copy:
        for chunk in services.files.read(blob):
            copy.write(chunk)
        copy.seek(0)
        services.files.write(names.QUARANTINE, f"{folder}original.csv", copy)
    report = {"reason": reason, "bytes": blob.size}
    services.files.write(names.QUARANTINE, f"{folder}report.json", _report(fact, report))
    return UploadRejected(upload=fact.key, name=fact.name, reason=reason[:1000])


def _report(fact: UploadArrived, body: dict[str, Any]) -> bytes:
    return json.dumps({"name": fact.name, "etag": fact.etag, **body}, indent=1, ensure_ascii=False).encode()
