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

from shared.domain.batches.control_group import COLUMNS as OF_CONTROL
from shared.domain.batches.control_group import CONTROL, MODEL, ControlGroup
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
    """Number, rows, those refused, those of them that fit the contract, bytes and hashes, the scored rows in each tenth of
    the scores at training, and, where there is a control group, those in it."""


def write_shard(
    pieces: Iterable[ScoredRows],
    header: Header,
    *,
    number: int,
    source: bytes,
    control: ControlGroup | None = None,
) -> ScoredShard:
    """The one way a shard comes out, whoever scored it: its lines, unchanged but for what is added at their ends, and
    the same rows as a Parquet file, the file's own columns as the texts they are.

    pieces: each is let go before the next is taken; number: 0 carries the header
    source: its bytes of the file; control: which of its rows chance draws, if any
    """
    lines: list[bytes | memoryview] = (
        [] if number else [head(header, ADDED + OF_CONTROL if control else ADDED)]
    )
    schema, out = _schema(header, with_groups=control is not None), pa.BufferOutputStream()
    drawn, rows, refused, unanswered, deciles = 0, 0, 0, 0, [0] * DECILES
    mended: Mended = Counter()
    with pq.ParquetWriter(out, schema, compression="snappy") as writer:
        for piece in pieces:
            groups = _groups(piece, control, number, rows) if control else None
            lines += [_body(piece, header, groups), header.line_end.encode()]
            writer.write_table(pa.Table.from_batches([_batch(piece, schema, groups)]))
            drawn += groups.count(CONTROL) if groups else 0
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
        **({"control": drawn} if control else {}),
    }
    return ScoredShard(lines=text, table=table, facts=facts)


def head(header: Header, added: Sequence[str]) -> bytes:
    """The output's header line. added: its columns after those of the file"""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=header.delimiter, lineterminator=header.line_end)
    writer.writerow([*header.names, *added])
    return (("\ufeff" if header.bom else "") + text.getvalue()).encode()


@dataclass(frozen=True, kw_only=True)
class _Groups:
    """By record the group that it is in; null where it has no score, and so is in none."""

    codes: Any
    """Arrow array of places in `names`."""
    names: tuple[str, ...]
    propensities: tuple[float, ...]
    """By group."""

    def count(self, group: str) -> int:
        return int(pc.sum(pc.equal(self.codes, self.names.index(group))).as_py() or 0)

    def columns(self) -> list[Any]:
        """Those of `OF_CONTROL`."""
        group = pa.DictionaryArray.from_arrays(self.codes, pa.array(self.names))
        return [group, pc.take(pa.array(self.propensities), self.codes)]

    def texts(self, header: Header) -> Any:
        """As they are written."""
        pairs = zip(self.names, self.propensities, strict=True)
        lines = [_line([name, f"{propensity:g}"], header) for name, propensity in pairs]
        lines.append(_line(["", ""], header))
        return pc.take(pa.array(lines, pa.binary()), pc.fill_null(self.codes, len(self.names)))


def _groups(piece: ScoredRows, control: ControlGroup, shard: int, first: int) -> _Groups:
    places = piece.places()
    scored = pc.is_valid(pc.take(piece.answers.probability, places)).to_numpy(zero_copy_only=False)
    drawn = control.drawn(shard, first, len(places))
    names = (MODEL, CONTROL)
    return _Groups(
        codes=pa.array(drawn.astype(np.int32), mask=~scored),
        names=names,
        propensities=tuple(map(control.propensity, names)),
    )


def _body(piece: ScoredRows, header: Header, groups: _Groups | None) -> memoryview:
    places = piece.places()
    probability = pc.take(pc.cast(piece.answers.probability, pa.string()), places)
    joined = pc.binary_join_element_wise(
        piece.read.rows.lines,
        probability.cast(pa.binary()),
        _endings(piece, places, header),
        *([groups.texts(header)] if groups else []),
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


def _schema(header: Header, *, with_groups: bool = False) -> Any:
    few = pa.dictionary(pa.int32(), pa.string())
    added = [pa.float64(), pa.int8(), few, few, few]
    columns = [*((name, few) for name in header.names), *zip(ADDED, added, strict=True)]
    columns += zip(OF_CONTROL, [few, pa.float64()], strict=True) if with_groups else []
    return pa.schema(columns)


def _batch(piece: ScoredRows, schema: Any, groups: _Groups | None = None) -> Any:
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
        *(groups.columns() if groups else []),
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
