"""Admission of rows: a file validated to its end, and its good rows stored as an immutable Parquet part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import IO, Any

from shared.domain import names
from shared.domain.datasets.part_writer import Part, PartWriter
from shared.domain.facts import Fact, UploadAdmitted, UploadDuplicated
from shared.domain.tables.admission import Admission, Tally
from shared.domain.tables.contract import Contract
from shared.domain.tables.dialect import Header
from shared.errors import Transient
from shared.procedures.content_claim import ContentClaim, claim_content
from shared.procedures.dataset_members import read_members
from shared.procedures.gather_window import join_window
from shared.services import Services

IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a part, or of a quarantine report, held in memory before they go to a temporary file."""

MOST_REJECTS = 10_000
MOST_REJECT_BYTES = 32 * 1024 * 1024
"""Rejected rows that are listed with their faults, and the bytes of that list: each takes several times the room it has
in the file. All are counted."""


@dataclass(frozen=True)
class Checked:
    """A file that was read to its end."""

    contract: Contract
    header: Header
    tally: Tally
    part: Part
    part_file: IO[bytes]
    rejects_file: IO[bytes]
    listed: int
    """Of the rejected rows, how many stand in the file of the rejects: the first ones."""

    @property
    def all_listed(self) -> bool:
        return self.listed == self.tally.rejected and not self.tally.cut_short

    @property
    def report(self) -> dict[str, Any]:
        """The quarantine report: what became of the rows, and the dialect to read the rejected ones with."""
        counts = {**self.tally.to_json(), "listed": self.listed, "all_listed": self.all_listed}
        return {**counts, "header": self.header.to_json(), "dataset": self.contract.dataset}


def check(admission: Admission, part_file: IO[bytes], rejects_file: IO[bytes]) -> Checked:
    """Reads every row; the good ones go to the part's file, the first of the others to that of the rejects, a line each."""
    contract, header = admission.contract, admission.header
    assert contract is not None and header is not None  # noqa: S101, PT018  (the caller checked)
    listed, size = 0, 0
    with PartWriter(contract, part_file) as writer:
        for batch in admission.batches():
            if batch.rows:
                writer.add(batch.columns)
            for reject in batch.rejects:
                if listed == MOST_REJECTS or size >= MOST_REJECT_BYTES:
                    break
                line = json.dumps(reject.to_json(), ensure_ascii=False).encode() + b"\n"
                listed, size = listed + 1, size + len(line)
                rejects_file.write(line)
    return Checked(contract, header, admission.tally, writer.part, part_file, rejects_file, listed)


def store_part(
    fact: Fact, upload: str, name: str, checked: Checked, services: Services, *, readmitted_from: str = ""
) -> list[Fact]:
    """Writes the part, then claims its content, then joins the gather window.

    In this order: each of the three is idempotent, and rows are taken for known only once they lie in a part. A part is
    never written over, since manifests name its bytes: those of the same rows are others by another release of pyarrow.

    fact: whose step this is
    raises: Transient while another worker admits the very same rows
    """
    tally, dataset = checked.tally, checked.contract.dataset
    rejected = (
        0 if readmitted_from else tally.rejected
    )  # theirs are in quarantine under the first upload's name
    checked.part_file.seek(0)
    part = names.part_blob(dataset, tally.content_hash)
    is_new = services.files.write_once(names.DATASETS, part, checked.part_file)
    mine, version = ContentClaim(upload=upload, by=fact.key), readmitted_from or upload
    first = claim_content(tally.content_hash, dataset, mine, name, services)
    if first != upload and not read_members(dataset, services).hold(
        tally.content_hash, name=name, upload=version
    ):
        first = claim_content(tally.content_hash, dataset, mine, name, services, anew=True)
    if first != upload:
        known = UploadDuplicated(
            upload=upload,
            name=name,
            dataset=dataset,
            rows=tally.accepted,
            first_upload=first,
            rejected=rejected,
            source_sha256=tally.source_sha256,
            readmitted_from=readmitted_from,
            mended=tally.mended,
        )
        return [known]
    admitted = UploadAdmitted(
        upload=upload,
        name=name,
        dataset=dataset,
        content_hash=tally.content_hash,
        rows=tally.accepted,
        rejected=rejected,
        source_sha256=tally.source_sha256,
        part_sha256=checked.part.sha256 if is_new else _sha256_of(part, services),
        readmitted_from=readmitted_from,
        mended=tally.mended,
    )
    return [admitted, *join_window(admitted, services)]


def _sha256_of(part: str, services: Services) -> str:
    """Of the part that is there. raises: Transient when it is there no more"""
    there = services.files.stat(names.DATASETS, part)
    if there is None:
        raise Transient(f"{names.DATASETS}/{part} was there and is gone; its rows are admitted again")
    found = hashlib.sha256()
    for chunk in services.files.read(there):
        found.update(chunk)
    return found.hexdigest()
