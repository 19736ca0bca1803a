"""The first rows of a scored batch for people, with what a spreadsheet would run (CSV injection) defused."""

from __future__ import annotations

import csv
import io
import re

from functions.http.problems import Problem
from functions.http.views.records import Json
from shared.domain import names
from shared.domain.tables.dialect import FileProblem, read_header
from shared.services import Services

HEAD_BYTES = 256 * 1024
"""Bytes of a scored file that are read for its first rows."""
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def first_rows(batch: str, most: int, services: Services) -> Json:
    """The output's columns and its first rows, at most so many; raises: Problem 404."""
    record = services.ledger.find("batch", batch)
    blob = services.files.stat(names.SCORED, names.scored_blob(batch)) if record else None
    if record is None or record.state != "scored" or blob is None:
        raise Problem(
            404, "There are no scored rows of such a batch (yet); /api/batches says how far each is."
        )
    data = services.files.read_range(blob, 0, min(blob.size, HEAD_BYTES))
    header, _ = read_header([data])
    if isinstance(header, FileProblem):
        raise Problem(404, "The output does not begin with rows that can be shown.")
    text = data[header.end :].decode(errors="replace")
    whole = text if blob.size <= HEAD_BYTES else text[: text.rfind("\n") + 1]
    rows = csv.reader(io.StringIO(whole, newline=""), delimiter=header.delimiter)
    shown = [{"cells": [defused(cell) for cell in row]} for row, _ in zip(rows, range(most), strict=False)]
    return {"columns": [defused(name) for name in header.names], "rows": shown}


def defused(cell: str) -> str:
    """The cell as text that no spreadsheet runs; a negative number is a number and stays one."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell
