"""The scored output: the file's own lines with the model's answers appended, as CSV and as Parquet."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shared.domain.batches.shard_plan import ADDED
from shared.domain.batches.shard_rows import ShardRows
from shared.domain.models.answers import DECILES, Answers
from shared.domain.tables.dialect import Header
from shared.domain.tables.mended import Mended, told


@dataclass(frozen=True, kw_only=True)
class ScoredRows:
    """Some consecutive records and what was answered to those that are good."""

    read: ShardRows
    answers: Answers
    model_version: str

    def places(self) -> Any:
        """By record: the place of its answer; null where there is none."""
        good = self.read.good
        places = np.cumsum(good, dtype=np.int32) - 1
        return pa.array(places, mask=~good) if not good.all() else pa.array(places)

    def problems(self) -> dict[int, str]:
        """By record without a score: why."""
        unanswered = self.answers.problems
        if not unanswered:
            return self.read.problems
        rows = np.flatnonzero(self.read.good)
        return {**self.read.problems, **{int(rows[at]): problem for at, problem in unanswered.items()}}


def with_answers(read: Sequence[ShardRows], answers: Answers, model_version: str) -> list[ScoredRows]:
    """Each stretch with its answers. answers: those to the good records of all, in order"""
    pieces, done = [], 0
    for piece in read:
        rows = piece.features.num_rows
        pieces.append(
            ScoredRows(read=piece, answers=answers.stretch(done, rows), model_version=model_version)
        )
        done += rows
    return pieces


@dataclass(frozen=True, kw_only=True)
class ScoredShard:
    """A shard's output, and the counts and hashes that describe it."""

    lines: bytes
    """Its part of the CSV."""
    table: bytes
    """Its Parquet file."""
    facts: dict[str, Any]
    """Number, rows, those refused, those of them that fit the contract, bytes and hashes, and the scored rows in each
    tenth of the scores at training."""


def write_shard(pieces: Iterable[ScoredRows], header: Header, *, number: int, source: bytes) -> ScoredShard:
    """The one way a shard comes out, whoever scored it: its lines, unchanged but for what is added at their ends, and
    the same rows as a Parquet file, the file's own columns as the texts they are.

    pieces: each is let go before the next is taken; number: 0 carries the header
    source: its bytes of the file
    """
    lines: list[bytes | memoryview] = [] if number else [_head(header)]
    schema, out = _schema(header), pa.BufferOutputStream()
    rows, refused, unanswered, deciles = 0, 0, 0, [0] * DECILES
    mended: Mended = Counter()
    with pq.ParquetWriter(out, schema, compression="snappy") as writer:
        for piece in pieces:
            lines += [_body(piece, header), header.line_end.encode()]
            writer.write_table(pa.Table.from_batches([_batch(piece, schema)]))
            rows, refused = rows + len(piece.read), refused + len(piece.problems())
            unanswered += len(piece.answers.problems)
            mended += piece.read.mended
            deciles = [sum(both) for both in zip(deciles, piece.answers.decile_counts(), strict=True)]
        if not rows:
            writer.write_table(schema.empty_table())
    table, text = bytes(out.getvalue()), b"".join(lines)
    facts = {
        "number": number,
        "rows": rows,
        "refused": refused,
        "unanswered": unanswered,
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "csv_bytes": len(text),
        "csv_sha256": hashlib.sha256(text).hexdigest(),
        "parquet_sha256": hashlib.sha256(table).hexdigest(),
        "deciles": deciles,
        "mended": told(mended),
    }
    return ScoredShard(lines=text, table=table, facts=facts)


def _head(header: Header) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=header.delimiter, lineterminator=header.line_end)
    writer.writerow([*header.names, *ADDED])
    return (("\ufeff" if header.bom else "") + text.getvalue()).encode()


def _body(piece: ScoredRows, header: Header) -> memoryview:
    places = piece.places()
    probability = pc.take(pc.cast(piece.answers.probability, pa.string()), places)
    joined = pc.binary_join_element_wise(
        piece.read.rows.lines,
        probability.cast(pa.binary()),
        _endings(piece, places, header),
        header.delimiter.encode(),
        null_handling="replace",
        null_replacement=b"",
    )
    start, end = np.frombuffer(joined.buffers()[1], dtype=np.int32)[
        [joined.offset, joined.offset + len(joined)]
    ]
    return memoryview(joined.buffers()[2])[int(start) : int(end)]


def _endings(piece: ScoredRows, places: Any, header: Header) -> Any:
    """By record: decile, decision, model version and problem as they are written; few different ones."""
    problems = piece.problems()
    version, names = piece.model_version, piece.answers.decision_names
    scored = [[str(decile), name, version, ""] for name in names for decile in range(1, DECILES + 1)]
    failed = [["", "", "" if at in piece.read.problems else version, text] for at, text in problems.items()]
    endings = pa.array([_line(cells, header) for cells in scored + failed], type=pa.binary())
    which = piece.answers.decision.astype(np.int32) * DECILES + piece.answers.decile - 1
    chosen = pc.fill_null(pc.take(pa.array(which), places), 0).to_numpy(zero_copy_only=False).copy()
    chosen[list(problems)] = len(scored) + np.arange(len(problems))
    return pc.take(endings, pa.array(chosen))


def _line(cells: Sequence[str], header: Header) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=header.delimiter, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n").encode()


def _schema(header: Header) -> Any:
    few = pa.dictionary(pa.int32(), pa.string())
    added = [pa.float64(), pa.int8(), few, few, few]
    return pa.schema([*((name, few) for name in header.names), *zip(ADDED, added, strict=True)])


def _batch(piece: ScoredRows, schema: Any) -> Any:
    places, problems, answers = piece.places(), piece.problems(), piece.answers
    decision = pa.DictionaryArray.from_arrays(
        pa.array(answers.decision, pa.int32()), pa.array(answers.decision_names, pa.string())
    )
    answered = pc.is_valid(places).to_numpy(zero_copy_only=False)
    version = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(places), np.int32), mask=~answered),
        pa.array([piece.model_version], pa.string()),
    )
    scored = pa.array(~np.isnan(answers.scores()))
    added = [
        pc.take(answers.probability, places),
        pc.take(pc.if_else(scored, pa.array(answers.decile), None), places),
        pc.take(pc.if_else(scored, decision, None), places),
        version,
        _reasons(problems, len(places)),
    ]
    return pa.record_batch([*piece.read.rows.cells.columns, *added], schema=schema)


def _reasons(problems: dict[int, str], rows: int) -> Any:
    """By record: why it has no score. Each reason is stored once: where a dictionary holds a text twice, Arrow writes
    the second one's place in the file out of uninitialized memory (26.0.1)."""
    texts = {text: place for place, text in enumerate(dict.fromkeys(problems.values()))}
    which, sound = np.zeros(rows, np.int32), np.ones(rows, np.bool_)
    for at, text in problems.items():
        which[at], sound[at] = texts[text], False
    return pa.DictionaryArray.from_arrays(pa.array(which, mask=sound), pa.array(list(texts), pa.string()))
