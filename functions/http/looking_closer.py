"""Rows for people: what lies in quarantine and why, and the first rows of a scored batch."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query

from functions.http.depends import Wired
from functions.http.file_versions import UploadId, upload_of
from functions.http.problems import Problem
from functions.http.reads import Name
from functions.http.shown import shown
from shared.domain import names
from shared.domain.dialect import FileProblem, read_header
from shared.ledger import Record
from shared.ports import Blob
from shared.services import Services

routes = APIRouter()

MOST_FAULTS = 200
LOOKED_AT = 256 * 1024
"""Bytes of a scored file that are read for its first rows."""
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@routes.get("/api/quarantine/{name:path}")
def quarantined(name: Name, services: Wired, of: UploadId = None) -> dict[str, Any]:
    """Why rows of this file were put aside: by rule, and the first rows with their faults."""
    upload = upload_of(name, of, services.ledger)
    report = _report(upload, services) if upload else None
    if upload is None or report is None:
        raise Problem(404, "Nothing of such a file is in quarantine; /api/quarantine lists what is.")
    held = services.ledger.find("quarantine", upload.id)
    faults, more = _faults(upload, services)
    return {
        "upload": shown(upload),
        "decision": shown(held) if held else None,
        "summary": report.get("by_rule") or {report.get("reason", "the file as a whole"): 1},
        "rows": faults,
        "more": more,
        "report": f"{names.QUARANTINE}/{_folder(upload)}{names.REPORT}",
    }


def _folder(upload: Record) -> str:
    return names.quarantine_folder(upload.values["name"], upload.values.get("etag", ""))


def _report(upload: Record, services: Services) -> dict[str, Any] | None:
    text = services.files.content(names.QUARANTINE, f"{_folder(upload)}{names.REPORT}")
    return json.loads(text) if text else None


def _faults(upload: Record, services: Services) -> tuple[list[dict[str, Any]], bool]:
    """The first faults, one for each rule a row breaks, and whether there are more."""
    blob = services.files.stat(names.QUARANTINE, f"{_folder(upload)}{names.REJECTS}")
    faults: list[dict[str, Any]] = []
    for line in _lines(blob, services) if blob else ():
        reject = json.loads(line)
        for fault in reject["faults"]:
            value = fault["value"] or ("" if fault["column"] else reject["raw"][:200])
            faults.append({"line": reject["line"], **fault, "value": value})
        if len(faults) > MOST_FAULTS:
            return faults[:MOST_FAULTS], True
    return faults, False


def _lines(blob: Blob, services: Services) -> Iterator[bytes]:
    rest = b""
    for chunk in services.files.read(blob):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


@routes.get("/api/batches/{batch}/rows")
def batch_rows(
    batch: Name, services: Wired, maxpagesize: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """The first rows of a scored batch, for people to look at: what a spreadsheet would take for a formula is
    defused. Programs read the output itself, which is as it is."""
    record = services.ledger.find("batch", batch)
    blob = services.files.stat(names.SCORED, names.scored_blob(batch)) if record else None
    if record is None or record.state != "scored" or blob is None:
        raise Problem(
            404, "There are no scored rows of such a batch (yet); /api/batches says how far each is."
        )
    data = services.files.read_range(blob, 0, min(blob.size, LOOKED_AT))
    header, _ = read_header([data])
    if isinstance(header, FileProblem):
        raise Problem(404, "The output does not begin with rows that can be shown.")
    text = data[header.end :].decode(errors="replace")
    whole = text if blob.size <= LOOKED_AT else text[: text.rfind("\n") + 1]
    rows = csv.reader(io.StringIO(whole, newline=""), delimiter=header.delimiter)
    value = [[defused(cell) for cell in row] for row, _ in zip(rows, range(maxpagesize), strict=False)]
    return {"columns": [defused(name) for name in header.names], "value": value}


def defused(cell: str) -> str:
    """The cell as text that no spreadsheet runs; a negative number is a number and stays one."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell
