"""Outcomes come back: a file of what calls brought is joined to the batch that was scored, each row once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.facts import Fact, OutcomesArrived, OutcomesJoined, OutcomesRefused
from shared.domain.kinds.kind import Change
from shared.domain.tables.csv_reader import Block, read_blocks
from shared.domain.tables.dialect import FileProblem, Header, read_header
from shared.domain.tables.unreadable import UnreadableFile, content_faults
from shared.errors import Refused
from shared.ports import Blob
from shared.procedures.batch_outcomes import Member, note_answers
from shared.procedures.file_version import file_version
from shared.procedures.sealed_batch import SealedBatch, read_sealed
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.outcomes.outcome_file import OutcomeFile


def join_outcomes(fact: OutcomesArrived, services: Services) -> Iterable[Fact | Change]:
    """Reads one version of the file, finds the row of each line, and adds up what is known of the batch.

    A line that says nothing of a row is told with its column, value and rule, in quarantine, and costs no other line. A
    file of which no line can be used is refused with the reason.
    raises: Superseded when the blob was overwritten while being read; Conflict, to be done again
    """
    from shared.domain.outcomes.outcome_file import WrongFile

    found = file_version(names.OUTCOMES, fact.name, fact.etag, services)
    if isinstance(found, str):
        return [_refused(fact, found)]
    try:
        with content_faults():
            told, sealed = _read(found, services)
        rows = _rows(told, sealed, services)
        _quarantine(fact, told, services)
        if not told.answers:
            raise WrongFile(_nothing(told))
        answers = list(told.answers.values())
        columns = ([one.deposit for one in answers], [one.called for one in answers])
        figures, known_at = note_answers(_member(fact, found), (rows, *columns), sealed, services)
    except (WrongFile, UnreadableFile, Refused) as fault:
        return [_refused(fact, str(fault))]
    joined = OutcomesJoined(
        outcome=fact.outcome,
        name=fact.name,
        batch=told.batch,
        dataset=sealed.plan.cut.contract.dataset,
        version=sealed.plan.version,
        rows=len(answers),
        rejected=told.rejected,
        blank=told.blank,
        repeated=told.repeated,
    )
    order = Change.order_at(known_at)
    return [joined, Change(kind="batch", id=told.batch, values={"outcomes": figures}, order=order)]


def _refused(fact: OutcomesArrived, reason: str) -> Fact:
    return OutcomesRefused(outcome=fact.outcome, name=fact.name, reason=reason[:1000])


def _member(fact: OutcomesArrived, blob: Blob) -> Member:
    return Member(outcome=fact.outcome, name=fact.name, modified=blob.modified.isoformat(), sha256="")


def _read(blob: Blob, services: Services) -> tuple[OutcomeFile, SealedBatch]:
    """Every line, and the batch that it is of; raises: WrongFile"""
    from shared.domain.outcomes.outcome_file import OutcomeFile, WrongFile, batch_of

    header, rest = read_header(services.files.read(blob))
    if isinstance(header, FileProblem):
        raise WrongFile(header.message)
    blocks = read_blocks(rest, header)
    first = next(blocks, None)
    sealed = _sealed(batch_of(blob.name, header, first), services)
    told = OutcomeFile.of(header, sealed.plan)
    for block in _all(first, blocks):
        told.add(_without_header(block, header))
    return told, sealed


def _all(first: Block | None, others: Iterator[Block]) -> Iterator[Block]:
    return chain([first] if first else [], others)


def _without_header(block: Block, header: Header) -> Block:
    """A header that stands among the lines, where files were joined, is none of them."""
    if any(header.is_again(cells) for cells in block.rows):
        kept = [at for at, cells in enumerate(block.rows) if not header.is_again(cells)]
        block.rows, block.lines = [block.rows[at] for at in kept], [block.lines[at] for at in kept]
    return block


def _sealed(batch: str, services: Services) -> SealedBatch:
    """raises: WrongFile when there are no scores of such a batch"""
    from shared.domain.outcomes.outcome_file import WrongFile

    record = services.ledger.find("batch", batch)
    if record is None:
        raise WrongFile(f"there is no batch {batch[:100]!r}; `./dev batches` lists them")
    if record.state == "duplicate":
        raise WrongFile(
            f"batch {batch} is a duplicate of {record.values['same_as']}, which has the scores: drop it for that one"
        )
    if record.state != "scored":
        raise WrongFile(
            f"batch {batch} has no scores (it is {record.state}); drop the file again when it has"
        )
    return read_sealed(batch, services)


def _rows(told: OutcomeFile, sealed: SealedBatch, services: Services) -> Any:
    """By answer the number of its row; answers of no row, or of several, become faults."""
    from shared.domain.outcomes.row_match import RowMatch

    keys = list(told.answers)
    match = RowMatch(keys, told.key, numbered=told.numbered)
    for shard in sealed.shards(match.columns, services):
        match.add(shard.first, shard.rows, shard.table)
    for key, found in zip(keys, match.hits.tolist(), strict=True):
        if found != 1:
            told.reject(told.unmatched(key, found))
            del told.answers[key]
    return match.rows[match.hits == 1]


def _quarantine(fact: OutcomesArrived, told: OutcomeFile, services: Services) -> None:
    if told.faults:
        faults = sorted(told.faults, key=lambda fault: fault.line)
        lines = "".join(json.dumps(fault.to_json(), ensure_ascii=False) + "\n" for fault in faults)
        services.files.write(names.QUARANTINE, names.outcome_faults_blob(fact.outcome), lines.encode())


def _nothing(told: OutcomeFile) -> str:
    if not told.faults:
        return "no line says what came of a call: each has an empty answer, or there is none"
    first = min(told.faults, key=lambda fault: fault.line)
    return f"none of its {told.rejected} lines can be used; the first: {first.message}"
