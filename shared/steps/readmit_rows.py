"""Readmission: an upload's quarantined rows are read again with the contract's rules on values waived."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from shared.domain import names
from shared.domain.facts import Fact, ReadmissionRefused, ReadmissionRequested
from shared.domain.tables.admission import check_rows
from shared.ports import Blob
from shared.procedures.admission import IN_MEMORY, check, store_part
from shared.services import Services


def readmit_rows(fact: ReadmissionRequested, services: Services) -> Iterable[Fact]:
    """Rows that still read as the contract's types join the next dataset version as an upload of their own.

    The others stay in quarantine: a word where a number must be, or a target that is none of the contract's.
    """
    upload = services.ledger.find("upload", fact.upload)
    if upload is None:
        return [ReadmissionRefused(upload=fact.upload, reason="there is no such upload")]
    folder = names.quarantine_folder(upload.values["name"], upload.values["etag"])
    report = services.files.content(names.QUARANTINE, f"{folder}{names.REPORT}")
    rejects = services.files.stat(names.QUARANTINE, f"{folder}{names.REJECTS}")
    header = json.loads(report).get("header") if report else None
    if rejects is None or header is None:
        reason = (
            "the file as a whole was refused, so no row of it is known to be one; mend it and drop it again"
        )
        return [ReadmissionRefused(upload=fact.upload, reason=reason)]
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as part_file,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as still_rejected,
    ):
        admission = check_rows(_as_csv(header, rejects, services), services.contracts, waived=True)
        if admission.contract is None:
            return [ReadmissionRefused(upload=fact.upload, reason=admission.problem)]
        checked = check(admission, part_file, still_rejected)
        if not checked.tally.accepted:
            return [ReadmissionRefused(upload=fact.upload, reason=checked.tally.refusal)]
        id_ = f"readmitted/{fact.upload}"
        return store_part(fact, id_, upload.values["name"], checked, services, readmitted_from=fact.upload)


def _as_csv(header: dict[str, Any], rejects: Blob, services: Services) -> Iterator[bytes]:
    """The file again, made of its header and the quarantined lines."""
    line = io.StringIO()
    csv.writer(line, delimiter=header["delimiter"], lineterminator="\n").writerow(header["names"])
    yield line.getvalue().encode()
    rest = b""
    for chunk in services.files.read(rejects):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield b"".join(json.loads(text)["raw"].encode() + b"\n" for text in lines)
