"""S6: whatever a file is called, what is derived from its name stays where it belongs, and is read back as it was."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from flow.world import World, bank_rows
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.domain import names
from shared.domain.facts import UploadArrived
from shared.flow import handle
from tests.http.asking import app_over, client_of

NASTY = [
    "../../datasets/bank/manifests/1.json", "..", ".", "/etc/passwd", "C:\\x.csv", "\\\\host\\share", "%2e%2e/%2e%2e/x",
    "a%00b", "a\0b", "a\u202eb", "x.", "x ", "x" * 1024, "\N{PILE OF POO}.csv", "a/./b", "a//b", "CON", "a\r\nb", "\ufeffa",
    "e\u0301", "\ud7ff", "~", "upload/other.csv/0x1", "a?b#c&d=e", "'; DROP TABLE x; --", "${jndi:ldap://x}", "{{7*7}}",
]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(NASTY), st.text(min_size=1, max_size=200), st.text("./\\%2e~", min_size=1, max_size=20)
)
UTF8 = TEXT.filter(lambda name: name.isprintable() or True).map(
    lambda name: name.encode("utf-8", "replace").decode()
)


@settings(max_examples=400, deadline=None)
@given(UTF8, st.text("0123456789ABCDEFx", min_size=1, max_size=20))
@example("../../x", "0x1")
def test_what_is_derived_from_a_name_stays_in_its_place(name: str, etag: str) -> None:
    batch = names.batch_id(name, etag)
    assert re.fullmatch(r"[\w-]{0,40}-[0-9a-f]{8}", batch)
    for blob in (
        names.scored_blob(batch), names.batch_plan_blob(batch), names.call_list_blob(batch),
        names.outcome_faults_blob(names.outcome_id(name, etag)),
    ):  # fmt: skip
        parts = PurePosixPath(blob).parts
        assert ".." not in parts
        assert not blob.startswith("/")
    assert re.fullmatch(r".*/[0-9a-f]{8}/", names.quarantine_folder(name, etag), re.DOTALL)
    assert len(names.quarantine_folder(name, etag)) < 1024


@settings(max_examples=400, deadline=None)
@given(UTF8, UTF8)
def test_two_names_never_share_a_place(one: str, other: str) -> None:
    if one != other:
        assert names.quarantine_folder(one, "0x1") != names.quarantine_folder(other, "0x1")
        assert UploadArrived(name=one, etag="0x1").key != UploadArrived(name=other, etag="0x1").key
        assert names.batch_id(one, "0x1") != names.batch_id(other, "0x1")


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_a_file_of_any_name_writes_nothing_outside_its_folders(name: str) -> None:
    world = World()
    fact = world.drop(name, bank_rows(3) + "faulty;row\n")
    handle(fact, world.services)
    reader = client_of(app_over(world))
    (shown,) = reader.get("/api/uploads").json()["value"]
    assert shown["name"] == name
    for container in (names.DATASETS, names.QUARANTINE, names.SCORED):
        for blob in world.files.list(container):
            folder = (
                names.parts_folder("bank")
                if container == names.DATASETS
                else names.quarantine_folder(name, fact.etag)
            )
            assert blob.name.startswith(folder)
