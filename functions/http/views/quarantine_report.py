"""Why rows of a file lie in quarantine: by rule, and the first rows with their faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from functions.http.views.records import Json, shown
from shared.domain import names
from shared.ledger import Record
from shared.ports import Blob
from shared.services import Services

MOST_FAULTS = 200


def quarantine_report(upload: Record, services: Services) -> Json | None:
    """What the upload left in quarantine; None when that is nothing."""
    report = _report(upload, services)
    if report is None:
        return None
    held = services.ledger.find("quarantine", upload.id)
    faults, more = _faults(upload, services)
    return {
        "upload": shown(upload),
        **({"decision": shown(held)} if held else {}),
        "violationsByRule": report.get("by_rule") or {report.get("reason", "the file as a whole"): 1},
        "violations": faults,
        "hasMore": more,
        "reportBlob": f"{names.QUARANTINE}/{_folder(upload)}{names.REPORT}",
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
