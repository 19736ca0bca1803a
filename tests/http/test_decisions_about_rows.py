"""Withdrawing an upload and trusting a version over HTTP: what is answered, who learned from the rows, what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flow.world import World, bank_rows

from shared.domain.facts import ScoringDue, UploadArrived
from tests.http.asking import VERSION, Answer, Client

WHY = {"reason": "the labels of another campaign"}
RETRAIN = "./dev runs --retrain bank (POST /api/datasets/bank/retrain) trains anew now"


@pytest.fixture
def lived(world: World) -> dict[str, UploadArrived]:
    """Three versions; the model of the second answers, and has scored a batch."""
    dropped = {}
    for version, name in enumerate(("may.csv", "june.csv", "july.csv"), start=1):
        dropped[name] = world.drop(name, bank_rows(30, start=version * 1000))
        world.tell(dropped[name])
        world.finish_run(f"bank-v{version}-a1", worse=version == 3)
        if version == 2:
            clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(9).splitlines()) + "\n"
            world.files.write("scoring", "clients.csv", clients.encode())
            world.tell(ScoringDue(tick="1"))
    return dropped


def done(world: World, client: Client, answer: Answer) -> dict[str, Any]:
    """The operation once everything it led to is done."""
    assert answer.status_code == 202, answer.content
    world.tell(*world.bus.take())
    told: dict[str, Any] = client.get(f"/api/operations/{answer.json()['id']}").json()
    return told


def at(client: Client, link: str) -> dict[str, Any]:
    """What a link leads to."""
    where = urlsplit(link)
    told: dict[str, Any] = client.get(where.path, params=VERSION | dict(parse_qsl(where.query))).json()
    return told


def test_a_withdrawal_says_what_learned_from_the_rows_and_how_to_train_without_them(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    ended = done(world, operator, operator.post("/api/uploads/may.csv/withdraw", body=WHY))
    learned = f"/api/models?upload={lived['may.csv'].key.replace('/', '%2F')}"
    assert (ended["status"], ended["detail"]) == (
        "Succeeded",
        "dataset versions bank:1 to bank:3 have its rows, and model 2, which answers now, was trained on one of them;"
        f" {learned} lists the models, each with the batches it scored; {RETRAIN}",
    )
    upload = operator.get(ended["resourceLocation"]).json()
    assert (upload["state"], upload["withdrawnBy"], upload["withdrawnBecause"]) == (
        "withdrawn",
        "key:operator",
        WHY["reason"],
    )
    assert upload["links"]["models"] == learned
    models = at(operator, learned)["value"]
    assert [(one["id"], one["state"]) for one in models] == [
        ("bank:3", "refused"),
        ("bank:2", "released"),
        ("bank:1", "previous"),
    ]
    (batch,) = at(operator, models[1]["links"]["batches"])["value"]
    assert (batch["name"], batch["state"]) == ("clients.csv", "scored")


def test_what_learned_from_it_ends_with_the_version_without_it(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    answer = operator.post("/api/uploads/june.csv/withdraw", body=WHY, params={**VERSION, "retrain": "true"})
    assert done(world, operator, answer)["status"] == "Running"
    world.finish_run("bank-v4-a1")
    assert operator.get(f"/api/operations/{answer.json()['id']}").json()["status"] == "Succeeded"
    upload = operator.get("/api/uploads/june.csv").json()
    assert (upload["datasetVersion"], upload["goneFrom"]) == ("bank:2", "bank:4")
    asked = {**VERSION, "upload": lived["june.csv"].key}
    for what in ("models", "datasets"):
        found = operator.get(f"/api/{what}", params=asked).json()["value"]
        assert [one["id"] for one in found] == ["bank:3", "bank:2"], what
    assert operator.get("/api/datasets/bank/4").json()["withdrawnUploads"] == [lived["june.csv"].key]


def test_the_list_of_what_learned_from_an_upload_is_in_pages_and_ends_where_its_rows_began(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    asked = {**VERSION, "upload": lived["june.csv"].key, "maxpagesize": 1}
    first = operator.get("/api/models", params=asked).json()
    assert [one["id"] for one in first["value"]] == ["bank:3"]
    second = at(operator, first["nextLink"])
    assert [one["id"] for one in second["value"]] == ["bank:2"]
    last = at(operator, second["nextLink"])
    assert (last["value"], "nextLink" in last) == ([], False)
    assert (
        operator.get("/api/models", params={**VERSION, "upload": "upload/nobody.csv/1"}).json()["value"] == []
    )


def test_of_a_copy_it_says_who_holds_the_rows_too(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    world.tell(world.drop("copy.csv", bank_rows(30, start=1000)))
    ended = done(world, operator, operator.post("/api/uploads/may.csv/withdraw", body=WHY))
    assert "copy.csv holds the very same rows, so that they stay: withdraw it too" in ended["detail"]
    assert operator.get("/api/uploads/may.csv").json()["heldBy"] == "copy.csv"


@pytest.mark.parametrize("at_once", [False, True])
def test_without_the_only_upload_nothing_is_trained(world: World, operator: Client, at_once: bool) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    asked = {**VERSION, "retrain": "true"} if at_once else None
    ended = done(world, operator, operator.post("/api/uploads/may.csv/withdraw", body=WHY, params=asked))
    assert operator.get("/api/uploads/may.csv").json()["state"] == "withdrawn"
    if at_once:
        assert ended["status"] == "Failed"
        assert ended["error"]["message"].startswith("no row of bank is left, as its uploads were withdrawn")
    else:
        assert ended["status"] == "Succeeded"
        assert "no other row of bank is left: its last version stays the newest" in ended["detail"]
        assert RETRAIN not in ended["detail"]


def test_what_cannot_be_withdrawn_is_refused_before_anything_is_done(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    world.tell(world.drop("odd.csv", "a;b\n1;2\n"))
    path = "/api/uploads/{}/withdraw"
    assert operator.post(path.format("nobody.csv"), body=WHY).status_code == 404
    refused = operator.post(path.format("odd.csv"), body=WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "NotAdmitted")
    assert "it lies in quarantine as a whole" in refused.json()["detail"]
    assert operator.post(path.format("may.csv")).json()["code"] == "ReasonRequired"
    done(world, operator, operator.post(path.format("may.csv"), body=WHY))
    again = operator.post(path.format("may.csv"), body=WHY)
    assert (again.status_code, again.json()["code"]) == (409, "AlreadyDecided")
    assert again.json()["detail"] == f"It was withdrawn already, by key:operator: {WHY['reason']}"


def test_two_who_withdraw_at_the_same_moment_are_told_who_was_first(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    first, second = (operator.post("/api/uploads/may.csv/withdraw", body=WHY) for _ in range(2))
    world.tell(*world.bus.take())
    told = [operator.get(f"/api/operations/{answer.json()['id']}").json() for answer in (first, second)]
    assert [one["status"] for one in told] == ["Succeeded", "Failed"]
    assert "it was withdrawn already, by key:operator" in told[1]["error"]["message"]


def test_an_older_version_of_a_file_can_be_named(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    newer = world.drop("may.csv", bank_rows(30, start=9000))
    world.tell(newer)
    older = {**VERSION, "upload": lived["may.csv"].key}
    refused = operator.post("/api/uploads/may.csv/withdraw", body=WHY, params=older)
    assert "a newer version of the file replaced it; withdraw that one" in refused.json()["detail"]
    done(world, operator, operator.post("/api/uploads/may.csv/withdraw", body=WHY))
    assert world.state("upload", newer.key) == "withdrawn"


def test_a_version_is_trusted_and_the_next_is_trained_with_it(
    world: World, lived: dict[str, UploadArrived], operator: Client
) -> None:
    path = "/api/datasets/bank/2/trust"
    assert operator.post(path).json()["code"] == "ReasonRequired"
    assert operator.post("/api/datasets/bank/9/trust", body=WHY).status_code == 404
    ended = done(world, operator, operator.post(path, body=WHY))
    assert (ended["status"], ended["resourceLocation"], ended["detail"]) == (
        "Succeeded",
        "/api/datasets/bank/2",
        f"dataset versions to come learn from these rows; {RETRAIN}",
    )
    version = operator.get("/api/datasets/bank/2").json()
    assert (version["trustedBy"], version["trustedBecause"]) == ("key:operator", WHY["reason"])
    assert operator.post(path, body=WHY).json()["code"] == "AlreadyDecided"
    answer = operator.post("/api/datasets/bank/3/trust", body=WHY, params={**VERSION, "retrain": "true"})
    assert done(world, operator, answer)["status"] == "Running"
    assert world.pipeline.submissions[-1].version == 4


def test_a_reader_decides_nothing(lived: dict[str, UploadArrived], reader: Client) -> None:
    for path in ("/api/uploads/may.csv/withdraw", "/api/datasets/bank/1/trust"):
        assert reader.post(path, body=WHY).status_code == 403


def test_a_file_in_a_folder_named_like_its_container_is_the_one_that_is_decided_on(
    world: World, operator: Client
) -> None:
    bad = "\n22;", "\n150;"
    bare = world.drop("may.csv", bank_rows(30).replace(*bad, 1))
    inner = world.drop("incoming/may.csv", bank_rows(30, start=1000).replace(*bad, 1))
    world.tell(bare, inner)
    uploads = {one["id"]: one["links"] for one in operator.get("/api/uploads").json()["value"]}
    aside = {one["upload"]: one["links"] for one in operator.get("/api/quarantine").json()["value"]}
    assert uploads.keys() == aside.keys() == {bare.key, inner.key}
    for key, name in ((bare.key, "may.csv"), (inner.key, "incoming/may.csv")):
        assert at(operator, uploads[key]["self"])["id"] == key
        assert at(operator, uploads[key]["lineage"])["upload"]["id"] == key
        assert at(operator, aside[key]["self"])["upload"]["id"] == key
        by_id = {**VERSION, "upload": key}  # as the dashboard asks: by the name as it is, and the id
        assert operator.get(f"/api/quarantine/{name}", params=by_id).json()["upload"]["id"] == key
    here, there = uploads[inner.key]["self"], urlsplit(aside[inner.key]["self"])
    params = VERSION | dict(parse_qsl(there.query))
    assert operator.post(f"{there.path}/discard", params=params).status_code == 202
    assert world.state("quarantine", inner.key) == "discarded"
    ended = done(world, operator, operator.post(f"{here}/withdraw", body=WHY))
    assert ended["resourceLocation"] == here
    assert world.state("upload", inner.key) == "withdrawn"
    assert (world.state("upload", bare.key), world.state("quarantine", bare.key)) == ("registered", "held")
