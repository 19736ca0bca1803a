"""What is known of a batch's outcomes, file after file: each row's newest answer, joined to its score, and the figures.

Each file's answers lie in a blob of their own, for good; which files count, and in which order, is one document. So a file
is joined once however often its step is done, and two at a time lose nothing.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.batches.control_group import CONTROL
from shared.errors import Conflict, Refused, Transient
from shared.ledger import Document, Versioned
from shared.procedures.admission import IN_MEMORY
from shared.procedures.sealed_batch import SealedBatch, SealedShard
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.outcomes.performance import Performance


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of outcomes that counts."""

    outcome: str
    name: str
    modified: str
    """By storage's clock: of two files that speak of one row, the newer one counts."""
    sha256: str
    """Of its blob of answers."""


@dataclass(frozen=True, kw_only=True)
class BatchOutcomes:
    """The files of one batch."""

    members: list[dict[str, Any]]


OUTCOMES = Document(name="batch-outcomes", type=BatchOutcomes)
"""By batch."""
MOST_FILES = 200
"""Of one batch: a row of the ledger has 1 MB, and names have up to 1,024 characters."""
TRIES = 20
"""Files that come at one moment are joined one after another."""


def note_answers(
    member: Member, answers: tuple[Any, Any, Any], sealed: SealedBatch, services: Services
) -> tuple[dict[str, Any], datetime]:
    """From now on the file's answers count; the figures of all files together, the values of `kinds.batch.Outcomes`, and
    since when they are those of all files.

    A newer version of a file replaces the older one, by the setting that says so of uploads.
    answers: of its rows the number, whether a deposit came of it, and whether it was called; arrays, equally long
    raises: Refused when there are too many files; Conflict, to be done again
    """
    batch = sealed.plan.batch
    table = _answer_table(*answers)
    services.files.write(names.SCORED, names.answers_blob(batch, member.outcome), table)
    member = Member(**{**asdict(member), "sha256": hashlib.sha256(table).hexdigest()})
    for _ in range(TRIES):
        held = _with(member, batch, services)
        figures = _figures(held.value, sealed, services)
        now = services.ledger.documents.read(OUTCOMES, batch)
        if now is not None and now.value == held.value:  # or the figures are those of fewer files than count
            return figures, now.changed
    raise Conflict(f"the outcomes of batch {batch} changed {TRIES} times under our hands")


def _with(member: Member, batch: str, services: Services) -> Versioned[BatchOutcomes]:
    documents = services.ledger.documents
    held = documents.read(OUTCOMES, batch)
    members = [Member(**one) for one in held.value.members] if held else []
    if any(one.outcome == member.outcome for one in members) and held:
        return held
    newer = [one for one in members if one.name == member.name and one.modified > member.modified]
    if services.policy.overwritten_files == "replace":
        if newer and held:
            return held
        members = [one for one in members if one.name != member.name]
    if len(members) >= MOST_FILES:
        raise Refused(
            f"batch {batch} has {MOST_FILES} files of outcomes, the most there can be; join some of them"
        )
    members = sorted([*members, member], key=lambda one: (one.modified, one.outcome))
    value = BatchOutcomes(members=[asdict(one) for one in members])
    return documents.write(OUTCOMES, batch, value, over=held)


def _answer_table(rows: Any, deposit: Any, called: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    columns = {"row": pa.array(rows), "deposit": pa.array(deposit), "called": pa.array(called)}
    pq.write_table(pa.table(columns), out, compression="snappy")
    return bytes(out.getvalue())


class _Answers:
    """By row of the batch its newest answer: four bytes each."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self.source = np.full(rows + 1, -1, dtype=np.int16)
        """Which file said it; -1: none did."""
        self.deposit = np.zeros(rows + 1, dtype=np.bool_)
        self.called = np.zeros(rows + 1, dtype=np.bool_)
        self.corrected = 0

    def add(self, source: int, table: Any) -> None:
        """table: of `_answer_table`"""
        rows, deposit, called = (column.to_numpy() for column in table.columns)
        self.corrected += int((self.source[rows] >= 0).sum())
        self.source[rows], self.deposit[rows], self.called[rows] = source, deposit, called


def _figures(outcomes: BatchOutcomes, sealed: SealedBatch, services: Services) -> dict[str, Any]:
    """Joins all that is known to the scores, writes it, and adds it up."""
    from shared.domain.outcomes.performance import Performance

    policy, plan = services.policy, sealed.plan
    members = [Member(**one) for one in outcomes.members]
    known = _known(members, sealed, services)

    def sums() -> Performance:
        return Performance(call_cost=policy.call_cost, deposit_value=policy.deposit_value)

    whole, of_control = sums(), sums() if plan.control else None
    digest = names.digest(json.dumps([one.sha256 for one in members]))
    blob, rows = names.joined_blob(plan.batch, digest), 0
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        for joined in _joined(members, known, sealed, services, file):
            rows += joined.num_rows
            _add_up(joined, whole, of_control)
        file.seek(0)
        services.files.write(names.SCORED, blob, file)
    return {
        "files": len(members),
        "rows": rows,
        "corrected_rows": known.corrected,
        "expected": whole.expected(),
        "realised": whole.realised(),
        "calibration_error": whole.calibration_error(),
        "control": of_control.realised() if of_control and of_control.rows else None,
        "deciles": whole.deciles(),
        "joined": f"{names.SCORED}/{blob}",
    }


def _known(members: list[Member], sealed: SealedBatch, services: Services) -> _Answers:
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = _Answers(sealed.manifest["rows"])
    for number, member in enumerate(members):
        data = services.files.content(names.SCORED, names.answers_blob(sealed.plan.batch, member.outcome))
        if data is None:
            raise Transient(f"the answers of {names.OUTCOMES}/{member.name} are gone; drop the file again")
        known.add(number, pq.read_table(pa.BufferReader(data)))
    return known


def _joined(
    members: list[Member], known: _Answers, sealed: SealedBatch, services: Services, file: Any
) -> Iterator[Any]:
    """Shard by shard the rows of which an outcome is known, as they are written into the file."""
    import pyarrow.parquet as pq

    from shared.domain.outcomes.outcome_file import key_columns

    plan = sealed.plan
    added = [name for name in plan.cut.added if name != "problem"]
    through = [name for name in key_columns(plan) if name not in (*OF_JOINED, *added)]
    writer: Any = None
    try:
        for shard in sealed.shards([*through, *added], services):
            joined = _of_shard(shard, members, known)
            writer = writer or pq.ParquetWriter(file, joined.schema, compression="snappy")
            writer.write_table(joined)
            yield joined
    finally:
        if writer:
            writer.close()


OF_JOINED = (names.ROW, "deposit", "called", "outcome")
"""The columns of the joined rows before those of the scored ones: the row's number, what came of it, whether it was called,
and the file that said so."""


def _of_shard(shard: SealedShard, members: list[Member], known: _Answers) -> Any:
    import numpy as np
    import pyarrow as pa

    source = known.source[shard.first : shard.first + shard.rows]
    at = np.flatnonzero(source >= 0)
    rows = shard.first + at
    files = pa.array([one.outcome for one in members], pa.string())
    told = [
        pa.array(rows, pa.int64()),
        pa.array(known.deposit[rows]),
        pa.array(known.called[rows]),
        files.take(pa.array(source[at])),
    ]
    texts = shard.table.take(pa.array(at))
    columns = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in texts.columns
    ]
    return pa.table([*told, *columns], names=[*OF_JOINED, *texts.column_names])


def _add_up(joined: Any, whole: Performance, of_control: Performance | None) -> None:
    import pyarrow.compute as pc

    from shared.domain.outcomes.performance import Known

    scored = joined.filter(pc.is_valid(joined.column("probability")))
    some = Known(
        probability=scored.column("probability").to_numpy(),
        decile=scored.column("decile").to_numpy(),
        deposit=scored.column("deposit").to_numpy(),
        called=scored.column("called").to_numpy(),
    )
    whole.add(some)
    if of_control:
        of_control.add(some.where(pc.equal(scored.column("group"), CONTROL).to_numpy()))
