"""Readmission: an upload's quarantined rows are read again with the contract's rules on values waived."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from shared.domain import names
from shared.domain.facts import Fact, ReadmissionRefused, ReadmissionRequested
from shared.domain.tables.admission import check_rows
from shared.domain.tables.dialect import Header
from shared.ledger import Record
from shared.ports import Blob
from shared.procedures.admission import IN_MEMORY, check, store_part
from shared.procedures.data_decisions import withdrawal_of
from shared.services import Services


def readmit_rows(fact: ReadmissionRequested, services: Services) -> Iterable[Fact]:
    """Rows that still read as the contract's types join the next dataset version as an upload of their own.

    The others stay in quarantine: a word where a number must be, a target that is none of the contract's, and whatever
    could not be taken apart, since what its columns are nobody knows.
    """
    upload = services.ledger.find("upload", fact.upload)
    unfit = _unfit(upload, services)
    if upload is None or unfit:
        return [ReadmissionRefused(upload=fact.upload, reason=unfit)]
    folder = names.quarantine_folder(upload.values["name"], upload.values["etag"])
    report = services.files.content(names.QUARANTINE, f"{folder}{names.REPORT}")
    rejects = services.files.stat(names.QUARANTINE, f"{folder}{names.REJECTS}")
    known = json.loads(report) if report else {}
    obstacle = _obstacle(known, folder)
    if rejects is None or obstacle:
        return [ReadmissionRefused(upload=fact.upload, reason=obstacle)]
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as part_file,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as still_rejected,
    ):
        header = Header.from_json(known["header"])
        rows = _rows(rejects, header, services)
        admission = check_rows(rows, services.contracts, waived=True, header=header)
        if admission.contract is None:
            return [ReadmissionRefused(upload=fact.upload, reason=admission.problem)]
        checked = check(admission, part_file, still_rejected)
        if not checked.tally.records:
            reason = (
                "none of the rows in quarantine can be taken apart into its columns; mend them in the file, and drop it"
                " again"
            )
            return [ReadmissionRefused(upload=fact.upload, reason=reason)]
        if not checked.tally.accepted:
            return [ReadmissionRefused(upload=fact.upload, reason=checked.tally.refusal)]
        id_ = f"readmitted/{fact.upload}"
        return store_part(fact, id_, upload.values["name"], checked, services, readmitted_from=fact.upload)


def _unfit(upload: Record | None, services: Services) -> str:
    """Why nothing can be readmitted from the upload, whatever it left in quarantine; empty when something may be."""
    if upload is None:
        return "there is no such upload"
    if "etag" not in upload.values:
        return "it was itself readmitted: no row of it is in quarantine"
    withdrawn = withdrawal_of(upload.values.get("dataset", ""), upload.id, services)
    return f"the upload was withdrawn, by {withdrawn.by}: {withdrawn.reason}" if withdrawn else ""


def _obstacle(report: dict[str, Any], folder: str) -> str:
    """Why no row of a file can be let in; empty when one may be."""
    if "header" not in report or not report["rejected"]:
        return (
            "the file as a whole was refused, so no row of it is known to be one; mend it and drop it again"
        )
    if report["all_listed"]:
        return ""
    return (
        f"only the first {report['listed']} of its rejected rows are listed, and a part of them is not let in; mend the"
        f" file ({folder}{names.ORIGINAL} in quarantine) and drop it again"
    )


def _rows(rejects: Blob, header: Header, services: Services) -> Iterator[bytes]:
    """The quarantined rows that could be taken apart, each as it stands in the file. The others are not even there as
    they were: bytes that are no text are shown in another way."""
    rest = b""
    for chunk in services.files.read(rejects):
        *lines, rest = (rest + chunk).split(b"\n")
        found = map(json.loads, lines)
        raws = [row["raw"] for row in found if all(fault["column"] for fault in row["faults"])]
        yield "".join(raw + header.newline for raw in raws).encode()
