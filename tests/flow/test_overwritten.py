"""Files that are dropped again under their name: what counts of them, in which dataset version, and what is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flow.world import DATASET, World, bank_rows

from shared.domain.datasets.manifest import Manifest
from shared.domain.facts import (
    NothingNew,
    ReadmissionRequested,
    UploadArrived,
    UploadDuplicated,
)
from shared.domain.names import digest
from shared.ledger import Versioned
from shared.procedures.content_claim import CONTENT, MOST_FILES
from shared.procedures.gather_window import GATHERED, gathered

A, B, C = bank_rows(30), bank_rows(40, start=100), bank_rows(20, start=500)


def manifest(world: World) -> Manifest:
    """Of the newest version."""
    version = max(version for _, version in world.workspace.datasets)
    text = world.files.content("datasets", f"{DATASET}/manifests/{version}.json")
    assert text is not None
    return Manifest.from_json(text)


def members(world: World) -> dict[str, int]:
    """Rows by the file they are from, of which there is one part each."""
    parts = manifest(world).parts
    found = {part.source["name"]: part.rows for part in parts}
    assert len(found) == len(parts)
    return found


def drop(world: World, name: str, text: str) -> UploadArrived:
    fact = world.drop(name, text)
    world.tell(fact)
    return fact


def values(world: World, upload: UploadArrived) -> dict[str, object]:
    record = world.ledger.find("upload", upload.key)
    assert record is not None
    return record.values


def test_the_rows_of_an_overwritten_file_are_replaced(world: World) -> None:
    old = drop(world, "may.csv", A)
    drop(world, "june.csv", C)
    new = drop(world, "may.csv", B)
    assert members(world) == {"june.csv": 20, "may.csv": 40}
    assert manifest(world).replaced == {old.key: new.key}
    assert (world.state("upload", old.key), values(world, old)["replaced_by"]) == ("replaced", new.key)
    assert values(world, old)["dataset_version"] == "bank:1"
    assert (world.state("upload", new.key), values(world, new)["dataset_version"]) == ("registered", "bank:3")
    version = world.ledger.find("dataset", "bank:3")
    assert version is not None
    assert (version.values["uploads"], version.values["replaced_uploads"]) == ([new.key], [old.key])
    assert version.values["rows"] == 60


def test_where_the_owner_wants_they_are_added(world: World) -> None:
    world.policy = replace(world.policy, overwritten_files="add")
    old, new = drop(world, "may.csv", A), drop(world, "may.csv", B)
    assert [part.rows for part in manifest(world).parts] == [30, 40]
    assert [world.state("upload", upload.key) for upload in (old, new)] == ["registered", "registered"]
    again = drop(world, "may.csv", A)
    assert world.state("upload", again.key) == "duplicate"


def test_a_change_of_the_setting_touches_only_files_that_come_after_it(world: World) -> None:
    world.policy = replace(world.policy, overwritten_files="add")
    drop(world, "may.csv", A)
    drop(world, "may.csv", B)
    world.policy = replace(world.policy, overwritten_files="replace")
    drop(world, "june.csv", C)
    assert manifest(world).rows == 90
    drop(world, "may.csv", bank_rows(7, start=900))
    assert members(world) == {"june.csv": 20, "may.csv": 7}


def test_a_file_overwritten_in_its_window_counts_once(world: World) -> None:
    old = world.drop("may.csv", A)
    world.deliver(old)
    new = world.drop("may.csv", B)
    world.tell(new)
    assert members(world) == {"may.csv": 40}
    assert (world.state("upload", old.key), values(world, old)["replaced_by"]) == ("replaced", new.key)
    assert len(world.pipeline.submissions) == 1


def test_a_file_overwritten_before_it_is_read_counts_once(world: World) -> None:
    old, new = world.drop("may.csv", A), world.drop("may.csv", B)
    world.tell(new, old)
    assert members(world) == {"may.csv": 40}
    assert (world.state("upload", old.key), world.state("upload", new.key)) == ("rejected", "registered")


def test_it_is_the_order_of_versions_that_counts_not_that_of_admission(world: World) -> None:
    """The worker of the older version is slow: it joins the window after the newer one."""
    old = world.drop("may.csv", A)
    waiting: list[UploadArrived] = []

    class Slow:
        """The table of the present, which lets the newer version in just before the older one joins."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def insert(self, partition: str, row: str, value: dict[str, Any]) -> Any:
            if partition.startswith("doc-gathered") and not waiting:
                waiting.append(world.drop("may.csv", B))
                world.deliver(waiting[0])
                world.pass_time(1)
            return self.inner.insert(partition, row, value)

    world.present = Slow(world.present)  # type: ignore[assignment]
    world.tell(old)
    assert members(world) == {"may.csv": 40}
    assert world.state("upload", old.key) == "replaced"


def test_a_version_of_which_no_row_is_taken_replaces_nothing(world: World) -> None:
    old = drop(world, "may.csv", A)
    bad = drop(world, "may.csv", "a;b\n1;2\n")
    drop(world, "june.csv", C)
    assert members(world) == {"may.csv": 30, "june.csv": 20}
    assert (world.state("upload", bad.key), world.state("upload", old.key)) == ("rejected", "registered")
    drop(world, "may.csv", B)
    assert members(world) == {"june.csv": 20, "may.csv": 40}


def test_what_was_replaced_can_come_back(world: World) -> None:
    """The hash of the first rows is known, and they are no part of the dataset any more."""
    first = drop(world, "may.csv", A)
    second = drop(world, "may.csv", B)
    third = drop(world, "may.csv", A)
    assert members(world) == {"may.csv": 30}
    states = [world.state("upload", upload.key) for upload in (first, second, third)]
    assert states == ["replaced", "replaced", "registered"]


def test_what_was_replaced_is_new_under_another_name(world: World) -> None:
    drop(world, "may.csv", A)
    drop(world, "may.csv", B)
    back = drop(world, "archive/may.csv", A)
    assert members(world) == {"may.csv": 40, "archive/may.csv": 30}
    assert world.state("upload", back.key) == "registered"


def test_the_same_bytes_again_change_nothing(world: World) -> None:
    first, again = drop(world, "may.csv", A), drop(world, "may.csv", A)
    assert world.state("upload", again.key) == "duplicate"
    assert world.state("upload", first.key) == "registered"
    assert [fact.first_upload for fact in world.told(UploadDuplicated)] == [first.key]
    drop(world, "may.csv", B)
    assert members(world) == {"may.csv": 40}


def test_rows_that_another_file_holds_too_stay_when_one_is_overwritten(world: World) -> None:
    """`latest.csv` is overwritten each month, and `may.csv` is the copy that is kept."""
    first = drop(world, "latest.csv", A)
    copy = drop(world, "may.csv", A)
    assert world.state("upload", copy.key) == "duplicate"
    june = drop(world, "latest.csv", B)
    assert members(world) == {"may.csv": 30, "latest.csv": 40}
    assert manifest(world).replaced == {first.key: june.key}
    (kept,) = (part for part in manifest(world).parts if part.source["name"] == "may.csv")
    assert kept.upload == copy.key
    assert kept.source["sha256"] == values(world, copy)["sha256"]
    drop(world, "may.csv", C)
    assert members(world) == {"latest.csv": 40, "may.csv": 20}


def test_a_copy_that_was_overwritten_itself_holds_nothing(world: World) -> None:
    drop(world, "latest.csv", A)
    drop(world, "may.csv", A)
    drop(world, "may.csv", C)
    assert members(world) == {"latest.csv": 30, "may.csv": 20}
    drop(world, "latest.csv", B)
    assert members(world) == {"may.csv": 20, "latest.csv": 40}


def test_a_copy_whose_newer_version_is_a_copy_of_another_holds_nothing(world: World) -> None:
    drop(world, "latest.csv", A)
    drop(world, "other.csv", C)
    drop(world, "may.csv", A)
    drop(world, "may.csv", C)
    drop(world, "latest.csv", B)
    assert members(world) == {"other.csv": 20, "latest.csv": 40}


def test_a_copy_whose_newer_version_is_broken_still_holds_its_rows(world: World) -> None:
    drop(world, "latest.csv", A)
    drop(world, "may.csv", A)
    drop(world, "may.csv", "a;b\n1;2\n")
    drop(world, "latest.csv", B)
    assert members(world) == {"may.csv": 30, "latest.csv": 40}


def test_a_copy_that_was_overwritten_and_then_broken_holds_what_it_was_overwritten_with(world: World) -> None:
    drop(world, "latest.csv", A)
    drop(world, "may.csv", A)
    drop(world, "may.csv", C)
    drop(world, "may.csv", "a;b\n1;2\n")
    drop(world, "latest.csv", B)
    assert members(world) == {"may.csv": 20, "latest.csv": 40}


def test_what_a_dead_worker_left_in_the_window_is_not_taken_in_again(world: World) -> None:
    first = world.drop("may.csv", A)
    world.deliver(first)
    (left,) = gathered(DATASET, world.services)
    world.tell()
    world.ledger.documents.write(GATHERED, digest(first.key), left.value, over=None, within=DATASET)
    second = drop(world, "june.csv", B)
    assert manifest(world).uploads == (second.key,)
    assert values(world, first)["dataset_version"] == "bank:1"


def test_a_file_that_becomes_a_copy_loses_its_own_rows(world: World) -> None:
    drop(world, "a.csv", A)
    own = drop(world, "b.csv", B)
    copy = drop(world, "b.csv", A)
    assert members(world) == {"a.csv": 30}
    assert (world.state("upload", own.key), world.state("upload", copy.key)) == ("replaced", "registered")
    drop(world, "a.csv", C)
    assert members(world) == {"b.csv": 30, "a.csv": 20}


def test_two_files_that_change_places_keep_both_contents(world: World) -> None:
    for name, text in (("a.csv", A), ("b.csv", B)):
        drop(world, name, text)
    world.tell(world.drop("a.csv", B), world.drop("b.csv", A))
    assert members(world) == {"a.csv": 40, "b.csv": 30}
    drop(world, "b.csv", C)
    assert members(world) == {"a.csv": 40, "b.csv": 20}


def test_rows_of_very_many_files_are_kept(world: World) -> None:
    """Which of them holds the rows is no longer written down: then they are taken to be held."""
    drop(world, "latest.csv", A)
    claim = next(iter(claims(world)))
    files = {f"{number}.csv": "gone" for number in range(MOST_FILES)}
    full = replace(claim.value, files=files)
    key = manifest(world).parts[0].content_hash
    world.ledger.documents.write(CONTENT, key, full, over=claim, within=DATASET)
    drop(world, "latest.csv", B)
    assert sorted(part.rows for part in manifest(world).parts) == [30, 40]


def claims(world: World) -> Iterator[Versioned[Any]]:
    for part in manifest(world).parts:
        found = world.ledger.documents.read(CONTENT, part.content_hash, within=DATASET)
        assert found is not None
        yield found


WITH_FAULT = A.replace("\n25;technician", "\n250;technician", 1)


def test_readmitted_rows_go_with_the_version_they_stood_in(world: World) -> None:
    old = drop(world, "may.csv", WITH_FAULT)
    world.tell(ReadmissionRequested(upload=old.key, operation="o"))
    assert [part.rows for part in manifest(world).parts] == [29, 1]
    drop(world, "may.csv", B)
    assert members(world) == {"may.csv": 40}
    assert world.state("upload", f"readmitted/{old.key}") == "replaced"


def test_rows_readmitted_too_late_replace_nothing(world: World) -> None:
    old = drop(world, "may.csv", WITH_FAULT)
    new = drop(world, "may.csv", B)
    world.tell(ReadmissionRequested(upload=old.key, operation="o"))
    assert members(world) == {"may.csv": 40}
    late = world.ledger.find("upload", f"readmitted/{old.key}")
    assert late is not None
    assert (late.state, late.values["replaced_by"]) == ("replaced", new.key)


def test_a_mended_file_takes_the_place_of_the_faulty_one(world: World) -> None:
    """Which is what the message about the faulty rows asks for."""
    faulty = drop(world, "may.csv", WITH_FAULT)
    mended = drop(world, "may.csv", A)
    assert members(world) == {"may.csv": 30}
    assert [world.state("upload", upload.key) for upload in (faulty, mended)] == ["replaced", "registered"]


def test_the_setting_for_repeats_is_part_of_the_version(world: World) -> None:
    drop(world, "may.csv", A)
    assert manifest(world).repeats == "once"
    world.policy = replace(world.policy, repeated_rows="each")
    drop(world, "june.csv", B)
    text = world.files.content("datasets", f"{DATASET}/manifests/2.json")
    assert text is not None
    assert json.loads(text)["repeats"] == "each"


def test_repeated_rows_are_told_with_the_upload_and_the_version(world: World) -> None:
    first, second = drop(world, "may.csv", A), drop(world, "june.csv", B)
    told = [{"upload": second.key, "rows": 12}]
    world.finish_run("bank-v1-a1")
    world.finish_run("bank-v2-a1", repeats=told, repeated_rows=12)
    assert values(world, second)["repeated_rows"] == 12
    assert "repeated_rows" not in values(world, first)
    version = world.ledger.find("dataset", "bank:2")
    assert version is not None
    assert version.values["repeated_rows"] == 12


@pytest.mark.parametrize("name", ["may.csv", "again.csv"])
def test_a_version_with_the_same_rows_is_none(world: World, name: str) -> None:
    drop(world, "may.csv", A)
    again = drop(world, name, A.replace(";", ","))
    assert world.state("upload", again.key) == "duplicate"
    assert world.told(NothingNew) == []
    assert len(world.workspace.datasets) == 1
