"""A record that cannot be shown says so, and fails no answer that holds others."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from flow.recorded import put_on_record
from flow.world import World

from shared.domain.facts import UploadArrived
from shared.domain.kinds.kind import Change
from shared.kinds import BY_NAME, KINDS, changes
from shared.ledger import history
from tests.http.asking import VERSION, Client

GOOD = UploadArrived(name="good.csv", etag="1")


@pytest.fixture(params=[57, None, ["a"], {"a": 1}, True], ids=str)
def odd(request: pytest.FixtureRequest, world: World) -> Any:
    """What stands in an upload's record where its name should."""
    put_on_record(world.ledger, changes(GOOD))
    change = Change(
        kind="upload", id="upload/odd/1", state="arrived", values={"name": request.param, "etag": "1"}
    )
    pointed = Change(kind="file", id="incoming/odd", values={"upload": "upload/odd/1"})
    put_on_record(world.ledger, [change, pointed])
    return request.param


@pytest.mark.parametrize(
    "path", ["/api/uploads", "/api/status", "/api/uploads/odd", "/api/lineage/incoming/odd"]
)
def test_no_answer_fails(odd: Any, reader: Client, path: str) -> None:
    assert reader.get(path, params=VERSION).status_code == 200


def test_the_others_are_listed_and_it_says_what_it_is(odd: Any, reader: Client) -> None:
    listed = reader.get("/api/uploads", params=VERSION).json()["value"]
    assert [record["id"] for record in listed] == ["upload/odd/1", GOOD.key]
    assert "unreadable" not in listed[1]
    if odd is not None:
        assert listed[0]["unreadable"].startswith("what it holds is not what a")
        assert isinstance(listed[0]["name"], str)


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.name not in ("operation", "work")])
def test_whatever_a_record_of_any_kind_holds_its_list_is_answered(
    world: World, reader: Client, kind: str
) -> None:
    of = BY_NAME[kind]
    for number, value in enumerate([57, "text", ["a"], {"a": [1]}, None]):
        values = {part.name: value for part in of.parts}
        odd = Change(kind=kind, id=f"a:{number}", state=of.states[0].name, values=values)
        with mock.patch.object(history, "events", return_value=[]):
            world.ledger.records.apply([odd], cause="a test")
    answer = reader.get(f"/api/{of.plural}", params=VERSION)
    assert answer.status_code == 200
    assert len(answer.json()["value"]) == 5
