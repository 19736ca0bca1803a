"""The first rows of a scored batch for people, with what a spreadsheet would run (CSV injection) defused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from functions.http.problems import Problem
from functions.http.views.records import Json
from shared.domain import names
from shared.domain.tables.dialect import FileProblem, read_header
from shared.services import Services

HEAD_BYTES = 256 * 1024
"""Bytes of a scored file that are read for its first rows."""
BEGINNING = 1000
"""Characters shown of a row that is too long to be taken apart."""
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
    rows = islice(_rows(whole, header.delimiter), most)
    shown = [{"cells": [defused(cell) for cell in row]} for row in rows]
    return {"columns": [defused(name) for name in header.names], "rows": shown}


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """One that the csv module refuses (its cells have a limit, and a line that could not be taken apart is one cell,
    its unreadable bytes written out) is the beginning of its last line."""
    last = ""

    def lines() -> Iterator[str]:
        nonlocal last
        for line in io.StringIO(text, newline=""):
            last = line
            yield line

    rows = csv.reader(lines(), delimiter=delimiter)
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield [f"{last[:BEGINNING]} ..."]


def defused(cell: str) -> str:
    """The cell as text that no spreadsheet runs; a negative number is a number and stays one."""
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell
