"""The pictures that the API draws: of what, for whom, and how a browser gets them."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from flow.engine import release
from flow.test_lists_of_clients import learned
from flow.world import World, bank_rows

from shared.domain.facts import ScoringDue
from tests.http.asking import VERSION, Client, app_over, client_of


@pytest.fixture
def reader(world: World) -> Client:
    """Of a world in which an upload and a batch were held against what the model that serves learned."""
    world.policy = replace(world.policy, implausible_lists="score")
    world.tell(world.drop("first.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    release(world, 1)
    world.workspace.documents["bank", 1]["profile"] = learned()
    world.tell(world.drop("june.csv", bank_rows(200, start=1000)))
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(60).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    world.tell(ScoringDue(tick="1"))
    return client_of(app_over(world))


def _labels(drawn: bytes) -> list[str]:
    root = ElementTree.fromstring(drawn)  # noqa: S314  (we drew it)
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    return [text.text or "" for text in texts if text.get("text-anchor") == "end"]


def test_an_uploads_drift_is_drawn_as_its_record_has_it(reader: Client) -> None:
    record = reader.get("/api/uploads/june.csv").json()
    answer = reader.get("/api/uploads/june.csv/drift-picture")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert _labels(answer.content) == ["the scores", *(column["column"] for column in record["columnDrift"])]
    assert b"june.csv and what model 1 learned" in answer.content


def test_it_is_polled_like_anything_else_and_may_load_nothing(reader: Client) -> None:
    answer = reader.get("/api/uploads/june.csv/drift-picture")
    held = {"if-none-match": answer.headers["etag"]}
    assert reader.get("/api/uploads/june.csv/drift-picture", headers=held).status_code == 304
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert b"<script" not in answer.content


def test_a_batchs_drift_is_drawn_too(reader: Client) -> None:
    (batch,) = reader.get("/api/batches").json()["value"]
    answer = reader.get(f"/api/batches/{batch['id']}/drift-picture")
    assert answer.status_code == 200
    assert _labels(answer.content)[0] == "the scores"
    assert b"clients.csv" in answer.content


@pytest.mark.parametrize("path", ["uploads/first.csv", "uploads/other.csv", "batches/other-12345678"])
def test_where_nothing_was_measured_there_is_no_picture(reader: Client, path: str) -> None:
    assert reader.get(f"/api/{path}/drift-picture").status_code == 404


def test_an_older_version_of_a_file_is_named_by_its_id(world: World, reader: Client) -> None:
    older = str(world.ledger.records.led_to("file", "incoming/june.csv")["upload"])
    world.tell(world.drop("june.csv", "a;b\n1;2\n"))
    assert reader.get("/api/uploads/june.csv/drift-picture").status_code == 404, "no row of the newest fits"
    params = {**VERSION, "upload": older}
    assert reader.get("/api/uploads/june.csv/drift-picture", params=params).status_code == 200


def test_a_doubt_is_drawn_with_what_was_expected_what_came_and_what_is_plausible(
    world: World, reader: Client
) -> None:
    doubt = {"version": 2, "kind": "label rate", "reason": "190 of 200 rows are positive <b>"}
    figures = {"measure": "share of positives", "came": 0.95, "expected": 0.12, "plausible_high": 0.8}
    told = {"version": 2, "kind": "labels inverted", "reason": "the wrong way round"}
    world.finish_run("bank-v2-a1", doubts=[{**doubt, **figures, "plausible_low": 0.01}, told])
    status = reader.get("/api/status").json()
    assert status["attentionCount"] == 1
    assert [
        one["id"]
        for one in reader.get("/api/datasets", params={**VERSION, "state": "doubted"}).json()["value"]
    ] == ["bank:2"]
    drawn = reader.get("/api/datasets/bank/2/doubt-picture").content
    assert _labels(drawn) == ["share of positives"], "the other has no figures, and is said in words"
    assert drawn.count(b'class="limit"') == 2
    assert drawn.count(b'class="expected"') == 1
    assert b"the wrong way round" in drawn
    assert b"<b>" not in drawn
    assert b"--trust --reason WHY" in drawn
    assert reader.get("/api/datasets/bank/1/doubt-picture").status_code == 404


def test_nobody_sees_it_without_a_key(world: World, reader: Client) -> None:
    assert (
        client_of(app_over(world), scope=None).get("/api/uploads/june.csv/drift-picture").status_code == 401
    )
