"""A file that is not to be had in the version a fact is about: why, truly, and never another file in its place."""

from __future__ import annotations

import pytest
from flow.world import World, bank_rows

from shared.domain.facts import BatchDue, BatchRefused, UploadArrived, UploadRejected
from shared.procedures.file_version import GONE_UNREAD, UNADDRESSABLE

NO_WAY_THERE = ("march/../may.csv", "../may.csv", "./may.csv", "march/.")


@pytest.mark.parametrize("name", NO_WAY_THERE)
def test_a_name_that_addresses_drop_is_said_to_be_one_and_is_asked_of_nobody(world: World, name: str) -> None:
    """Storage would be asked for another file: here there is one, even of the version asked for."""
    for container in ("incoming", "scoring"):
        world.files.write(container, name, bank_rows(5).encode())
    for container, fact in (("incoming", UploadArrived), ("scoring", BatchDue)):
        blob = world.files.stat(container, name)
        assert blob is not None
        world.tell(fact(name=name, etag=blob.etag))
    assert [fact.reason for fact in world.told(UploadRejected)] == [UNADDRESSABLE]
    assert [fact.reason for fact in world.told(BatchRefused)] == [UNADDRESSABLE]


@pytest.mark.parametrize("name", ["may..csv", "march/may.csv", "...", ".may.csv"])
def test_dots_elsewhere_in_a_name_are_letters_like_others(world: World, name: str) -> None:
    world.tell(world.drop(name, bank_rows(5)))
    assert world.told(UploadRejected) == []


def test_a_version_that_is_gone_is_said_to_be(world: World) -> None:
    world.tell(UploadArrived(name="may.csv", etag="0x1"), BatchDue(name="may.csv", etag="0x1"))
    reasons = [fact.reason for fact in (*world.told(UploadRejected), *world.told(BatchRefused))]
    assert reasons == [GONE_UNREAD] * 2
