"""Any bytes at all as a file: the outcome is a fact that the table names, whatever they are, and no exception."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest
from flow.world import HEADER, World, bank_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import flow
from shared.domain import names
from shared.domain.facts import (
    BatchDue,
    BatchDuplicated,
    BatchRefused,
    BatchScored,
    Fact,
    ReadmissionRefused,
    ReadmissionRequested,
    ReconcileDue,
    ScoringDue,
    UploadAdmitted,
    UploadDuplicated,
    UploadRejected,
)
from shared.domain.tables import dialect
from shared.errors import Transient

FINE = bank_rows(6)
MARK = "\ufeff"
CUTS = st.integers(0, len(FINE))
ODD = st.sampled_from(
    [
        MARK,
        '"',
        '""',
        ";",
        "\r",
        "\n",
        "\r\n",
        "\r\r\n",
        "\0",
        "\x1a",
        "\u2028",
        "\u200b",
        "é",
        "sep=;\n",
        " ",
        ",",
    ]
)


def spoilt(cuts: list[tuple[int, str]]) -> bytes:
    """A file of good rows with odd signs put in anywhere, its header included."""
    text = FINE
    for at, sign in cuts:
        text = text[:at] + sign + text[at:]
    return text.encode()


def spliced(at: int, data: bytes) -> bytes:
    return FINE[:at].encode() + data + FINE[at:].encode()


FILES = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=200).map(lambda data: f"{HEADER}\n".encode() + data),
    st.lists(st.tuples(CUTS, ODD), min_size=1, max_size=6).map(spoilt),
    st.tuples(CUTS, st.binary(min_size=1, max_size=4)).map(lambda cut: spliced(*cut)),
    st.sampled_from(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "utf-7"]).map(FINE.encode),
    st.permutations(HEADER.split(";")).map(lambda header: FINE.replace(HEADER, ";".join(header)).encode()),
)  # fmt: skip


def with_a_model() -> World:
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    return world


def outcome(world: World, data: bytes) -> Fact:
    """Of a drop to train on."""
    first, *_ = flow.handle(world.drop("any.csv", data), world.services)
    return first


def scored(world: World, data: bytes) -> list[Fact]:
    """What becomes of a drop to score."""
    world.files.write(names.SCORING, "any.csv", data)
    blob = world.files.stat(names.SCORING, "any.csv")
    assert blob is not None
    batch = names.batch_id("any.csv", blob.etag)
    world.tell(BatchDue(name="any.csv", etag=blob.etag))
    told = [fact for kind in (BatchScored, BatchDuplicated, BatchRefused) for fact in world.told(kind)]
    return [fact for fact in told if fact.batch == batch]


TRAINS, SCORES, IN_SHARDS = World(), with_a_model(), with_a_model()
IN_SHARDS.policy = replace(IN_SHARDS.policy, shard_bytes=120)


@settings(max_examples=300, deadline=None)
@given(FILES)
def test_any_bytes_that_are_dropped_to_train_on_are_admitted_or_refused(data: bytes) -> None:
    fact = outcome(TRAINS, data)
    assert isinstance(fact, UploadAdmitted | UploadDuplicated | UploadRejected)
    if isinstance(fact, UploadRejected):
        assert fact.reason
        assert not fact.reason.startswith("this file makes the reader fail")


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_any_bytes_that_are_dropped_to_score_are_scored_or_refused(data: bytes) -> None:
    [fact] = scored(SCORES, data)
    if isinstance(fact, BatchRefused):
        assert fact.reason
        assert not fact.reason.startswith("this file makes the reader fail")


@settings(max_examples=100, deadline=None)
@given(FILES)
def test_in_shards_of_a_line_or_two_they_are_as_well(data: bytes) -> None:
    [fact] = scored(IN_SHARDS, data)
    if isinstance(fact, BatchRefused):
        assert fact.reason
        assert not fact.reason.startswith("this file makes the reader fail")


@settings(max_examples=100, deadline=None)
@given(FILES)
def test_what_of_them_is_put_aside_can_be_readmitted_or_it_is_said_why_not(data: bytes) -> None:
    dropped = TRAINS.drop("any.csv", data)
    flow.handle(dropped, TRAINS.services)
    fact, *_ = flow.handle(ReadmissionRequested(upload=dropped.key, operation="o"), TRAINS.services)
    assert isinstance(fact, UploadAdmitted | UploadDuplicated | ReadmissionRefused)


MARKS = {
    "two before the first name": MARK + MARK + FINE,
    "two before a quoted name": MARK + MARK + FINE.replace("age;", '"age";', 1),
    "before another name": FINE.replace("job", f"{MARK}job", 1),
    "before another name in quotes": FINE.replace("job", f'{MARK}"job"', 1),
    "inside the quotes": FINE.replace("age;job", f'"{MARK}age";"{MARK}job"', 1),
    "after a blank": FINE.replace("job", f" {MARK} job", 1),
    "after a name": FINE.replace("job", f"job{MARK}", 1),
    "a line of its own": f"{MARK}\n{MARK}{FINE}",
    "a zero-width space": FINE.replace("job", "\u200bjob", 1),
}


@pytest.mark.parametrize("text", MARKS.values(), ids=MARKS)
def test_marks_nobody_sees_are_no_part_of_a_name(text: str) -> None:
    fact = outcome(World(), text.encode())
    assert isinstance(fact, UploadAdmitted), fact
    assert (fact.rows, fact.rejected) == (6, 0)
    [done] = scored(with_a_model(), text.encode())
    assert isinstance(done, BatchScored), done
    assert done.rows == 6


@pytest.mark.parametrize("at", ["admission.read_header", "admission.RowCheck", "columnar.read_plain"])
def test_what_the_reader_did_not_foresee_ends_the_file_with_a_reason(at: str) -> None:
    world = World()
    dropped = world.drop("may.csv", FINE + "1;2\n")
    with mock.patch(f"shared.domain.tables.{at}", side_effect=KeyError("a client's name")):
        world.tell(dropped)
    [fact] = world.told(UploadRejected)
    assert fact.reason.startswith("this file makes the reader fail (KeyError at ")
    assert "client" not in fact.reason
    assert world.state("quarantine", dropped.key) == "held"
    assert world.files.stat(
        names.QUARANTINE, names.quarantine_folder("may.csv", dropped.etag) + names.ORIGINAL
    )


@pytest.mark.parametrize("at", ["shard_plan.read_header", "shard_plan.match", "shard_rows.read_plain"])
def test_nor_does_a_batch_hang_over_it(at: str) -> None:
    world = with_a_model()
    with mock.patch(f"shared.domain.batches.{at}", side_effect=IndexError("a client's name")):
        [fact] = scored(world, FINE.encode())
    assert isinstance(fact, BatchRefused)
    assert fact.reason.startswith("this file makes the reader fail (IndexError at ")
    assert world.state("batch", fact.batch) == "refused"


def test_a_file_the_reader_fails_on_keeps_no_other_from_being_found() -> None:
    world = with_a_model()
    for name in ("a.csv", "b.csv"):
        world.files.write(names.SCORING, name, FINE.encode())
    genuine = dialect.read_header
    with mock.patch(
        "shared.steps.find_batches.read_header", side_effect=[KeyError("x"), genuine([FINE.encode()])]
    ):
        found = flow.handle(ScoringDue(tick="1"), world.services)
    assert [fact.name for fact in found if isinstance(fact, BatchDue)] == ["a.csv", "b.csv"]


@pytest.mark.parametrize("problem", [Transient("no answer"), OSError("disk full"), MemoryError()])
def test_what_is_not_the_files_doing_is_tried_again(problem: Exception) -> None:
    world = World()
    dropped = world.drop("may.csv", FINE)
    with mock.patch.object(world.files, "read", side_effect=problem), pytest.raises(type(problem)):
        flow.handle(dropped, world.services)
    assert not world.told(UploadRejected)
    world.pass_time(600)
    world.tell(ReconcileDue(tick="1"))
    assert world.told(UploadAdmitted)
