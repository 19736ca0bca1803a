"""Quarantine as it grows and shrinks: a limit to what is listed, long names, and versions that settle older ones."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flow.world import HEADER, POLICY, World, bank_rows

from shared import flow
from shared.domain import names
from shared.domain.facts import (
    BatchDue,
    QuarantineDecided,
    ReadmissionRefused,
    ReadmissionRequested,
    ReconcileDue,
    ScoringDue,
    UploadAdmitted,
    UploadRejected,
)
from shared.domain.tables import admission as reading
from shared.procedures import admission


def _capitals(rows: int) -> str:
    """Rows of which only the first is as the contract says."""
    text = bank_rows(rows)
    head, _, rest = text.partition("\n")
    first, _, others = rest.partition("\n")
    return f"{head}\n{first}\n{others.replace('technician', 'Technician')}"


def _blob(world: World, fact: UploadAdmitted | UploadRejected, etag: str, name: str) -> bytes | None:
    return world.files.content(names.QUARANTINE, names.quarantine_folder(fact.name, etag) + name)


@pytest.mark.parametrize("limit", ["MOST_REJECTS", "MOST_REJECT_BYTES"])
def test_the_first_rejected_rows_are_listed_and_all_are_counted(
    world: World, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, limit, 5)
    dropped = world.drop("may.csv", _capitals(31))
    world.tell(dropped, ReadmissionRequested(upload=dropped.key, operation="o1"))
    [fact] = world.told(UploadAdmitted)
    assert (fact.rows, fact.rejected) == (1, 30)
    listed = (_blob(world, fact, dropped.etag, names.REJECTS) or b"").splitlines()
    assert len(listed) == (5 if limit == "MOST_REJECTS" else 1)
    report = json.loads(_blob(world, fact, dropped.etag, names.REPORT) or b"")
    assert (report["rejected"], report["listed"], sum(report["by_rule"].values())) == (30, len(listed), 30)
    assert _blob(world, fact, dropped.etag, names.ORIGINAL) == _capitals(31).encode()
    [kept] = world.told(ReadmissionRefused)
    assert f"only the first {len(listed)} of its rejected rows are listed" in kept.reason
    assert world.state("quarantine", dropped.key) == "held"


def test_a_hopeless_file_is_not_read_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HOPELESS", 20)
    world.files.chunk_size = 100
    text = bank_rows(4000).replace("technician", "Technician")
    dropped = world.drop("may.csv", text)
    world.tell(dropped, ReadmissionRequested(upload=dropped.key, operation="o1"))
    [fact] = world.told(UploadRejected)
    assert fact.reason.startswith("none of the first ")
    assert fact.reason.endswith("; the rest was not read")
    assert 20 <= fact.rejected < 2000
    report = json.loads(_blob(world, fact, dropped.etag, names.REPORT) or b"")
    assert report["source_sha256"] == fact.source_sha256
    assert report["bytes"] == len(text)
    assert _blob(world, fact, dropped.etag, names.ORIGINAL) == text.encode()
    assert world.told(ReadmissionRefused)


def test_a_file_with_one_good_row_is_read_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HOPELESS", 20)
    world.tell(world.drop("may.csv", _capitals(4000)))
    assert [(fact.rows, fact.rejected) for fact in world.told(UploadAdmitted)] == [(1, 3999)]


@pytest.mark.parametrize("name", ["a" * 1020 + ".csv", "f/" * 500 + "may.csv", "é" * 1000])
def test_a_long_name_has_a_quarantine_folder_that_storage_keeps(world: World, name: str) -> None:
    dropped = world.drop(name, "a;b\n1;2\n")
    world.tell(dropped)
    quarantined = [blob.name for blob in world.files.list(names.QUARANTINE)]
    assert len(quarantined) == 2
    assert max(map(len, quarantined)) <= 1024
    assert not any(part.endswith(".") for blob in quarantined for part in blob.split("/"))
    assert names.quarantine_folder(name, "1") != names.quarantine_folder(name[:-1] + "b", "1")


TAKEN = {
    "may.csv": True, "2026/may.csv": True, "clients": True, "may.CSV": True, "temporary.csv": True,
    "may.csv.tmp": False, "2026/may.csv.filepart": False, "may.csv.part": False, "2026/_SUCCESS": False,
    "_committed_12": False, ".may.csv.swp": False, "2026/.hidden": False,
}  # fmt: skip


@pytest.mark.parametrize(("name", "taken"), TAKEN.items())
def test_markers_and_files_on_their_way_are_not_taken_in(world: World, name: str, taken: bool) -> None:
    world.tell(world.drop("first.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.drop(name, bank_rows(3, start=100))
    world.files.write(names.SCORING, name, bank_rows(3).encode())
    world.pass_time(600)
    due = [
        *flow.handle(ReconcileDue(tick="1"), world.services),
        *flow.handle(ScoringDue(tick="1"), world.services),
    ]
    found = {type(fact).__name__ for fact in due if getattr(fact, "name", "") == name}
    assert found == ({"UploadArrived", "BatchDue"} if taken else set())


def test_a_container_can_take_in_one_pattern_alone() -> None:
    world = World(policy=replace(POLICY, scoring_names="clients/*.csv, *.txt, !old*"))
    world.tell(world.drop("first.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    for name in ("clients/a.csv", "a.csv", "a.txt", "old.txt"):
        world.files.write(names.SCORING, name, bank_rows(3).encode())
    due = flow.handle(ScoringDue(tick="1"), world.services)
    assert sorted(fact.name for fact in due if isinstance(fact, BatchDue)) == ["a.txt", "clients/a.csv"]


def test_a_mended_version_settles_what_the_older_left_in_quarantine(world: World) -> None:
    broken = world.drop("may.csv", "a;b\n1;2\n")
    world.tell(broken)
    still_broken = world.drop("may.csv", bank_rows(5) + "1;2\n")
    world.tell(still_broken)
    assert (world.state("quarantine", broken.key), world.state("quarantine", still_broken.key)) == (
        "replaced",
        "held",
    )
    mended = world.drop("may.csv", bank_rows(6))
    world.tell(mended)
    record = world.ledger.find("quarantine", still_broken.key)
    assert record is not None
    assert (record.state, record.values["replaced_by"]) == ("replaced", mended.key)


def test_it_settles_nothing_of_another_file_nor_what_somebody_decided(world: World) -> None:
    other, decided = world.drop("april.csv", "a;b\n1;2\n"), world.drop("may.csv", "a;b\n1;2\n")
    world.tell(other, decided)
    world.tell(
        QuarantineDecided(upload=decided.key, decision="discarded", by="key:operator", reason="a test")
    )
    world.tell(world.drop("may.csv", bank_rows(6)))
    assert world.state("quarantine", other.key) == "held"
    assert world.state("quarantine", decided.key) == "discarded"


def test_where_files_of_a_name_are_added_each_keeps_its_own() -> None:
    world = World(policy=replace(POLICY, overwritten_files="add"))
    broken = world.drop("may.csv", HEADER + "\n1;2\n")
    world.tell(broken)
    world.tell(world.drop("may.csv", bank_rows(6)))
    assert world.state("quarantine", broken.key) == "held"
