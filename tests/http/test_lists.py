"""Lists: filtered, in pages that stay as they are while new things come, at a bounded cost."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi import FastAPI
from flow.recorded import put_on_record
from flow.world import World, bank_rows

from functions.http.auth.scopes import Scope
from functions.http.views import pagination
from shared.domain.facts import Fact, UploadAdmitted, UploadArrived, UploadRejected
from shared.kinds import BY_PLURAL, changes
from tests.http.asking import HOST, VERSION, Answer, Client, client_of


def _said(world: World, *facts: Fact) -> None:
    """A minute later it is on record."""
    world.pass_time(60)
    for fact in facts:
        put_on_record(world.ledger, changes(fact))


def _admitted(upload: UploadArrived, dataset: str) -> UploadAdmitted:
    return UploadAdmitted(
        upload=upload.key, name=upload.name, dataset=dataset, rows=3, rejected=0, content_hash=f"c-{upload.name}",
        source_sha256=f"s-{upload.name}", part_sha256=f"p-{upload.name}",
    )  # fmt: skip


@pytest.fixture
def uploads(world: World) -> World:
    """Seven files, of two datasets and of none, a minute apart."""
    for number in range(7):
        upload = UploadArrived(name=f"{number}.csv", etag="1")
        _said(world, upload)
        if number % 3 == 0:
            _said(world, _admitted(upload, "bank"))
        elif number % 3 == 1:
            _said(world, _admitted(upload, "loans"))
        else:
            _said(world, UploadRejected(upload=upload.key, name=upload.name, reason="no"))
    return world


def _names(answer: Answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["name"].removesuffix(".csv") for item in answer.json()["value"]]


def _asked(client: Client, path: str = "/api/uploads", **params: Any) -> Answer:
    return client.get(path, params={**VERSION, **params})


def _next(client: Client, answer: Answer) -> Answer:
    """The page its nextLink leads to."""
    where = urlsplit(answer.json()["nextLink"])
    assert (where.scheme, where.netloc) == ("http", HOST)
    return client.get(where.path, params=dict(parse_qsl(where.query)))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"state": "admitted"}, "6 4 3 1 0"),
        ({"state": "rejected"}, "5 2"),
        ({"dataset": "bank"}, "6 3 0"),
        ({"dataset": "bank", "state": "rejected"}, ""),
        ({"dataset": "nothing"}, ""),
    ],
)
def test_lists_are_filtered(uploads: World, reader: Client, wanted: dict[str, str], found: str) -> None:
    answer = _asked(reader, **wanted)
    assert _names(answer) == found.split()
    assert "nextLink" not in answer.json()


def test_lists_are_filtered_by_when_things_began_and_when_they_changed(
    uploads: World, reader: Client
) -> None:
    fourth = reader.get("/api/uploads/4.csv").json()
    assert _names(_asked(reader, since=fourth["createdAt"])) == ["6", "5", "4"]
    assert _names(_asked(reader, updatedSince=fourth["createdAt"])) == ["6", "5", "4"]
    assert _names(_asked(reader, updatedSince=fourth["lastModifiedAt"])) == ["6", "5", "4"]
    _said(uploads, _admitted(UploadArrived(name="2.csv", etag="1"), "bank"))  # late news of an old one
    assert _names(_asked(reader, updatedSince=fourth["lastModifiedAt"])) == ["6", "5", "4", "2"]
    assert _names(_asked(reader, since="2999-01-01T00:00:00Z")) == []


def test_a_time_without_a_zone_is_utc(uploads: World, reader: Client) -> None:
    moment = reader.get("/api/uploads/4.csv").json()["createdAt"]
    assert moment.endswith("+00:00")
    assert _names(_asked(reader, since=moment.removesuffix("+00:00"))) == ["6", "5", "4"]


@pytest.mark.parametrize(
    "path", [f"/api/{plural}" for plural in BY_PLURAL if plural not in ("operations", "work")]
)
def test_a_state_a_kind_never_has_is_refused(reader: Client, path: str) -> None:
    answer = _asked(reader, path, state="lost")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert answer.json()["errors"][0]["location"] == "query.state"


@pytest.mark.parametrize(
    "wrong", [{"maxpagesize": 0}, {"maxpagesize": 201}, {"after": -1}, {"after": "x"}, {"since": "yesterday"}]
)
def test_a_filter_that_is_none_is_refused(reader: Client, wrong: dict[str, Any]) -> None:
    assert _asked(reader, **wrong).status_code == 400


def test_pages_follow_each_other_though_new_things_come(uploads: World, reader: Client) -> None:
    first = _asked(reader, maxpagesize=3)
    assert _names(first) == ["6", "5", "4"]
    _said(uploads, UploadArrived(name="7.csv", etag="1"))
    second = _next(reader, first)
    assert _names(second) == ["3", "2", "1"]
    third = _next(reader, second)
    assert _names(third) == ["0"]
    assert "nextLink" not in third.json()


def test_a_filter_goes_on_to_the_next_page(uploads: World, reader: Client) -> None:
    first = _asked(reader, dataset="bank", maxpagesize=2)
    assert _names(first) == ["6", "3"]
    assert _names(_next(reader, first)) == ["0"]


def test_a_page_looks_at_so_many_and_no_more(
    uploads: World, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is wanted, and lies further back than a page looks: an empty page says where to go on."""
    monkeypatch.setattr(pagination, "SCANNED", 4)
    wanted = {"updatedSince": "2000-01-01T00:00:00Z", "state": "admitted", "dataset": "loans"}
    first = _asked(reader, **wanted)
    assert _names(first) == ["4"]
    second = _next(reader, first)
    assert _names(second) == ["1"]
    for _ in range(2):
        if "nextLink" not in second.json():
            return
        second = _next(reader, second)
        assert _names(second) == []
    raise AssertionError("the pages never end")


# --- what became of a file --------------------------------------------------------------------------------


@pytest.fixture
def told(world: World) -> World:
    """May's calls became model 1, which scored clients; the same rows came again under another name."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("may again.csv", bank_rows(30)))
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    return world


@pytest.fixture
def scored(told: World, api: FastAPI) -> World:
    operator = client_of(api, scope=Scope.OPERATOR)
    assert operator.post("/api/batches", body={"name": "clients.csv"}).status_code == 202
    told.tell(*told.bus.take())
    return told


def test_a_file_is_traced_by_its_name_its_hash_and_its_contents(scored: World, reader: Client) -> None:
    upload = reader.get("/api/uploads/may.csv").json()
    for asked in (
        "may.csv",
        "incoming/may.csv",
        upload["sha256"],
        upload["sha256"].upper(),
        upload["contentHash"],
    ):
        way = _asked(reader, f"/api/lineage/{asked}").json()
        first = way.get("firstUpload", way["upload"])
        assert first["name"] == "may.csv"
        assert (way["dataset"]["id"], way["run"]["id"], way["model"]["id"]) == (
            "bank:1",
            "bank-v1-a1",
            "bank:1",
        )
        assert way["deployment"]["id"] == "campanha-bank/model-1"
        assert [batch["name"] for batch in way["batches"]] == ["clients.csv"]


def test_a_copy_is_traced_to_what_it_is_a_copy_of(scored: World, reader: Client) -> None:
    way = _asked(reader, "/api/lineage/may again.csv").json()
    assert way["upload"]["state"] == "duplicate"
    assert way["firstUpload"]["name"] == "may.csv"
    assert way["model"]["id"] == "bank:1"


def test_a_scored_file_is_traced_back_to_what_its_model_was_trained_on(scored: World, reader: Client) -> None:
    for asked in ("clients.csv", "scoring/clients.csv"):
        way = _asked(reader, f"/api/lineage/{asked}").json()
        assert way["batch"]["name"] == "clients.csv"
        assert (way["model"]["id"], way["run"]["id"]) == ("bank:1", "bank-v1-a1")
        assert [upload["name"] for upload in way["uploads"]] == ["may.csv"]
        assert "upload" not in way


@pytest.mark.parametrize("asked", ["nothing.csv", "0" * 64, "incoming/", "scoring/may.csv"])
def test_what_was_never_seen_has_no_way(scored: World, reader: Client, asked: str) -> None:
    assert _asked(reader, f"/api/lineage/{asked}").status_code == 404
