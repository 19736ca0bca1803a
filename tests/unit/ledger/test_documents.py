"""Documents: typed, written only over the version that was read, each kind where it is placement."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from unit.ledger.interrupted import Interrupted
from unit.ledger.processes import Processes

from shared.errors import Conflict
from shared.ledger import Document
from shared.ledger.documents import MOST_WRITES, Placement


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A value of a test's document."""

    count: int
    names: list[str]


PLACEMENTS: tuple[Placement, ...] = ("standing", "current", "past")


@pytest.fixture
def processes() -> Processes:
    return Processes()


def document(placement: Placement, *, shown: bool = False) -> Document[Seen]:
    return Document(name="seen", type=Seen, placement=placement, shown=shown)


@dataclass(frozen=True, kw_only=True)
class SeenLater(Seen):
    """As a later version of the app has it."""

    more: int = 7


def test_a_field_that_a_newer_version_wrote_is_passed_over(processes: Processes) -> None:
    """Both work on one ledger while the newer one is rolled out, and the older one alone after a rollback."""
    newer = Document(name="seen", type=SeenLater, placement="standing")
    value = SeenLater(count=1, names=["a"], more=8)
    processes.ledger().documents.write(newer, "a", value, over=None)
    read = processes.ledger().documents.read(document("standing"), "a")
    assert read is not None
    assert read.value == Seen(count=1, names=["a"])


@pytest.mark.parametrize("within", ["", "may"])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_document_comes_back_typed_and_only_from_where_it_is(
    processes: Processes, placement: Placement, within: str
) -> None:
    value = Seen(count=1, names=["ção", "b"])
    processes.ledger().documents.write(document(placement), "a", value, over=None, within=within)
    read = processes.ledger().documents.read(document(placement), "a", within=within)
    assert read is not None
    assert (read.value, read.changed) == (value, processes.time)
    for other in PLACEMENTS:
        if other != placement:
            assert processes.ledger().documents.read(document(other), "a", within=within) is None
    assert processes.ledger().documents.read(document(placement), "b", within=within) is None


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_document_is_written_only_over_what_was_read(processes: Processes, placement: Placement) -> None:
    documents = processes.ledger().documents
    first = documents.write(document(placement), "a", Seen(count=1, names=[]), over=None)
    second = documents.write(document(placement), "a", Seen(count=2, names=[]), over=first)
    for stale in (None, first):
        with pytest.raises(Conflict):
            documents.write(document(placement), "a", Seen(count=9, names=[]), over=stale)
    documents.write(document(placement), "a", Seen(count=3, names=[]), over=second)
    read = processes.ledger().documents.read(document(placement), "a")
    assert read is not None
    assert read.value.count == 3


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_all_parts_come_in_order_and_none_of_another_document(
    processes: Processes, placement: Placement
) -> None:
    documents = processes.ledger().documents
    for number, part in enumerate(("b", "a", "c")):
        documents.write(document(placement), part, Seen(count=number, names=[]), over=None)
    for name in ("see", "seen-too", "seen2"):
        other = Document(name=name, type=Seen, placement=placement)
        documents.write(other, "a", Seen(count=9, names=[]), over=None, within="elsewhere")
    assert [version.value.count for version in documents.read_all(document(placement))] == [1, 0, 2]


def test_standing_documents_are_read_together_with_all_that_stands(processes: Processes) -> None:
    processes.ledger().documents.write(document("standing"), "a", Seen(count=1, names=[]), over=None)
    present = processes.ledger().present()
    assert present.document(document("standing"), "a") == Seen(count=1, names=[])
    assert present.document(document("standing"), "b") is None


@pytest.mark.parametrize("count", [0, 1, 2, MOST_WRITES, MOST_WRITES + 1])
@pytest.mark.parametrize("taken", ["none", "one", "all"])
def test_documents_go_whatever_became_of_them(processes: Processes, count: int, taken: str) -> None:
    """Some were taken away already, and one was written since; one that is not named stays."""
    documents = processes.ledger().documents
    kind = document("current")
    stays = documents.write(kind, "stays", Seen(count=0, names=[]), over=None)
    versions = [documents.write(kind, str(n), Seen(count=n, names=[]), over=None) for n in range(count)]
    if versions:
        documents.write(kind, "0", Seen(count=9, names=[]), over=versions[0])
    gone = {"none": 0, "one": 1, "all": count}[taken]
    for version in versions[:gone]:
        processes.present.delete(version.row)
    processes.ledger().documents.delete(kind, *versions)
    assert processes.ledger().documents.read_all(kind) == [stays]


def test_many_documents_go_in_few_calls(processes: Processes) -> None:
    documents = processes.ledger().documents
    kind = document("current")
    versions = [documents.write(kind, str(n), Seen(count=n, names=[]), over=None) for n in range(150)]
    counted = Interrupted(processes.present)
    processes.ledger(present=counted).documents.delete(kind, *versions)
    assert dict(counted.calls) == {"commit": 2}
