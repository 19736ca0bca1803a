"""What an operator asks for: once however often it is sent, followed to its end, and on record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flow.test_notifying import Listener
from flow.world import World, bank_rows

from functions.http.api_versions import newest
from functions.http.auth.scopes import Scope
from functions.http.dependencies import actions, idempotency
from functions.http.middleware.body_size import LARGEST_JSON
from shared import flow
from shared.domain.audit import broken_at
from shared.domain.facts import (
    EventReplayDue,
    Fact,
    ReconcileDue,
    RunMoved,
    ScoringDue,
    ShardDue,
    StepDeadLettered,
    UploadArrived,
    WorkPaused,
)
from shared.errors import Conflict, NotLetIn, Refused, Transient
from shared.ledger import claims, outbox
from shared.ports import Row, RunView
from shared.procedures.file_version import GONE_UNREAD
from shared.procedures.subscriber_cursor import CURSOR, Cursor
from shared.procedures.work_pause import is_paused
from shared.resources.storage import CONTAINERS
from tests.http.asking import VERSION, Answer, Client, app_over, client_of

RUN_1, RUN_2 = "bank-v1-a1", "bank-v2-a1"
KEY = {"idempotency-key": "a-key-of-this-test"}


def _csv(client: Client, path: str, text: str, **headers: str) -> Answer:
    return client.post(path, content=text.encode(), headers={"content-type": "text/csv", **headers})


def _do(world: World) -> None:
    """Handles what was published, and everything it leads to."""
    world.tell(*world.bus.take())


def _followed(client: Client, answer: Answer) -> dict[str, Any]:
    """The operation, asked for where the answer says."""
    assert answer.status_code == 202, answer.content
    where = answer.headers["operation-location"]
    assert where.startswith("http://campanha.test/api/operations/")
    assert where.endswith(f"?api-version={newest().name}")
    assert int(answer.headers["retry-after"]) >= 1
    told: dict[str, Any] = client.get(where.removeprefix("http://campanha.test").split("?")[0]).json()
    return told


def test_a_file_dropped_through_the_api_is_trained_on(world: World, operator: Client) -> None:
    answer = _csv(operator, "/api/uploads/march/may.csv", bank_rows(30))
    assert _followed(operator, answer)["status"] == "NotStarted"
    _do(world)
    ended = _followed(operator, answer)
    assert (ended["status"], ended["resourceLocation"]) == ("Succeeded", "/api/uploads/march/may.csv")
    assert [request.name for request in world.pipeline.submissions] == [RUN_1]


def test_an_operation_on_what_is_done_already_did_not_change_before_it_was_made(
    world: World, operator: Client
) -> None:
    world.files.write("scoring", "odd.csv", b"a;b\n1;2\n")
    operator.post("/api/batches", body={"name": "odd.csv"})
    _do(world)
    world.pass_time(3600)
    told = _followed(operator, operator.post("/api/batches", body={"name": "odd.csv"}))
    assert told["status"] == "Failed"
    assert told["lastModifiedAt"] >= told["createdAt"]


def test_an_operation_that_ends_with_no_change_of_a_thing_is_told_to_who_polls(
    world: World, operator: Client
) -> None:
    """The readmission is refused: no record, document or event changes, and a fact is done all the same."""
    world.tell(world.drop("odd.csv", "a;b\n1;2\n"))
    asked = operator.post("/api/quarantine/odd.csv/readmit", body={"reason": "looked at"})
    where = asked.headers["operation-location"].removeprefix("http://campanha.test").split("?")[0]
    held = operator.get(where)
    assert held.json()["status"] == "NotStarted"
    _do(world)
    told = operator.get(where, headers={"if-none-match": held.headers["etag"]})
    assert (told.status_code, told.json()["status"]) == (200, "Failed")


DESCRIBED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "openapi.json").read_text("utf-8")
)
TAKES_A_FILE = [
    path
    for path, item in DESCRIBED["paths"].items()
    if "text/csv" in item.get("post", {}).get("requestBody", {}).get("content", {})
]


@pytest.mark.parametrize("path", TAKES_A_FILE)
def test_a_file_may_be_larger_than_json(operator: Client, path: str) -> None:
    text = "row;y\n" + "1;no\n" * 20_000
    assert len(text) > LARGEST_JSON
    answer = _csv(operator, re.sub(r"\{.*\}", "b/many.csv", path), text)
    assert answer.status_code == 202, answer.content


def test_a_file_the_contract_refuses_fails_with_the_reason(world: World, operator: Client) -> None:
    answer = _csv(operator, "/api/uploads/odd.csv", "a;b\n1;2\n")
    _do(world)
    ended = _followed(operator, answer)
    assert ended["status"] == "Failed"
    assert "nearest is bank" in ended["error"]["message"]


@pytest.fixture
def served(world: World) -> World:
    """Model 2 answers, model 1 did before."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN_2)
    return world


def _clients(count: int = 5) -> str:
    return "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(count).splitlines()) + "\n"


def test_clients_dropped_through_the_api_are_scored(served: World, operator: Client) -> None:
    answer = _csv(operator, "/api/batches/clients.csv", _clients())
    _do(served)
    ended = _followed(operator, answer)
    assert ended["status"] == "Succeeded"
    rows = operator.get(ended["resourceLocation"] + "/rows", params={**VERSION, "maxpagesize": 2}).json()
    assert len(rows["rows"]) == 2
    assert rows["columns"][0] == "age"


def test_scoring_now_finds_what_lies_there(served: World, operator: Client) -> None:
    served.files.write("scoring", "clients.csv", _clients().encode())
    answer = operator.post("/api/batches", body={"name": "clients.csv"})
    _do(served)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert operator.post("/api/batches", body={"name": "nothing.csv"}).status_code == 404
    assert _followed(operator, operator.post("/api/batches"))["status"] == "Succeeded"


def test_of_two_lists_under_one_name_the_first_is_told_to_be_gone(served: World, operator: Client) -> None:
    """They came while work was paused: only the second is there when a clock looks."""
    operator.post("/api/pause")
    first, second = (_csv(operator, "/api/batches/clients.csv", _clients(rows)) for rows in (5, 6))
    told = _followed(operator, first)
    assert (told["status"], told["error"]["message"]) == ("Failed", GONE_UNREAD)
    assert _followed(operator, second)["status"] == "NotStarted"
    operator.post("/api/resume")
    _do(served)
    assert [_followed(operator, each)["status"] for each in (first, second)] == ["Failed", "Succeeded"]


def test_a_list_that_is_deleted_before_it_is_taken_up_is_told_to_be_gone(
    served: World, operator: Client
) -> None:
    served.files.write("scoring", "clients.csv", _clients().encode())
    answer = operator.post("/api/batches", body={"name": "clients.csv"})
    assert _followed(operator, answer)["status"] == "NotStarted"
    del served.files._blobs["scoring", "clients.csv"]
    assert _followed(operator, answer)["error"]["message"] == GONE_UNREAD


def test_a_list_that_is_scored_and_deleted_while_its_operation_is_told_was_scored(
    served: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = _csv(operator, "/api/batches/clients.csv", _clients())

    def scored_and_deleted(*_: str) -> None:
        monkeypatch.undo()
        _do(served)
        del served.files._blobs["scoring", "clients.csv"]

    monkeypatch.setattr(served.files, "stat", scored_and_deleted)
    assert _followed(operator, answer)["status"] == "Succeeded"


def test_a_list_in_a_folder_named_like_its_container_can_be_scored(served: World, operator: Client) -> None:
    for name, rows in (("clients.csv", 5), ("scoring/clients.csv", 6)):
        served.files.write("scoring", name, _clients(rows).encode())
    for name, meant in (("scoring/clients.csv", "scoring/clients.csv"), ("clients.csv", "clients.csv")):
        answer = operator.post("/api/batches", body={"name": name})
        _do(served)
        ended = _followed(operator, answer)
        assert (ended["status"], ended["action"]) == ("Succeeded", f"score scoring/{meant}")
        assert operator.get(ended["resourceLocation"]).json()["name"] == meant


def test_clients_that_were_scored_are_scored_anew_only_when_asked(served: World, operator: Client) -> None:
    for state in ("scored", "duplicate"):
        answer = _csv(operator, "/api/batches/clients.csv", _clients())
        _do(served)
        ended = _followed(operator, answer)
        assert operator.get(ended["resourceLocation"]).json()["state"] == state
    told = operator.get(ended["resourceLocation"]).json()
    assert operator.get(f"/api/batches/{told['sameAs']}").json()["state"] == "scored"
    assert ended["status"] == "Succeeded"
    asked = [
        operator.post("/api/batches", body={"name": "clients.csv", "anew": True}, headers=KEY) for _ in "12"
    ]
    _do(served)
    again, same = (_followed(operator, answer) for answer in asked)
    assert again == same
    assert operator.get(again["resourceLocation"]).json()["state"] == "scored"
    assert again["resourceLocation"] not in (ended["resourceLocation"], f"/api/batches/{told['sameAs']}")
    assert operator.post("/api/batches", body={"anew": True}).status_code == 400


def test_a_held_batch_is_scored_once_somebody_approves_of_it(served: World, operator: Client) -> None:
    ages = {"name": "age", "type": "integer", "edges": [], "shares": [1.0, 0.0]}
    ages |= {"minimum": 2000, "maximum": 9000, "orders": {"3": 20}}
    for documents in served.workspace.documents.values():
        documents["profile"] = {"rows": 20, "columns": [ages]}
    _csv(operator, "/api/batches/clients.csv", _clients())
    _do(served)
    (held,) = operator.get("/api/batches").json()["value"]
    assert (held["state"], held["heldColumns"][0]["rule"]) == ("held", "magnitude")
    address = f"/api/batches/{held['id']}"
    assert operator.post(f"{address}/approve", body={}).status_code in (400, 422)
    answer = operator.post(f"{address}/approve", body={"reason": "ages in years"})
    _do(served)
    assert _followed(operator, answer)["status"] == "Succeeded"
    ended = operator.get(address).json()
    assert (ended["state"], ended["approvedBecause"]) == ("scored", "ages in years")
    assert operator.post(f"{address}/approve", body={"reason": "again"}).status_code == 409
    assert operator.post("/api/batches/none-12345678/approve", body={"reason": "x"}).status_code == 404


def test_a_roll_back_is_followed_to_its_end(served: World, operator: Client) -> None:
    answer = operator.post("/api/endpoints/bank/rollback", body={"reason": "complaints"})
    assert _followed(operator, answer)["status"] == "NotStarted"
    served.pass_time(1)
    _do(served)
    ended = _followed(operator, answer)
    assert (ended["status"], ended["resourceLocation"]) == ("Succeeded", "/api/models/bank/1")
    assert served.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_a_promotion_that_cannot_be_fails_with_the_reason(served: World, operator: Client) -> None:
    answer = operator.post("/api/models/bank/2/promote")
    ended = _followed(operator, answer)
    assert ended["status"] == "Failed"
    assert "answers for bank already" in ended["error"]["message"]
    assert operator.post("/api/models/bank/9/promote").status_code == 404


@pytest.fixture
def watched(served: World, operator: Client) -> World:
    """An operator has promoted model 1 again; it is watched with a share of the traffic."""
    served.policy = replace(served.policy, release_baking_seconds=600)
    served.pass_time(1)
    operator.post("/api/models/bank/1/promote", body={"reason": "to compare"})
    served.tell(*served.bus.take(), within=30)
    assert served.state("model", "bank:1") == "canary"
    return served


def test_a_roll_back_of_a_model_that_is_watched_is_followed_to_its_end(
    watched: World, operator: Client
) -> None:
    answer = operator.post("/api/endpoints/bank/rollback", body={"reason": "complaints"})
    watched.tell(*watched.bus.take(), within=0)
    assert watched.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    ended = _followed(operator, answer)
    assert (ended["status"], ended["resourceLocation"]) == ("Succeeded", "/api/models/bank/1")
    decisions = operator.get("/api/models/bank/1").json()["decisions"]
    assert [(each["decision"], each["by"], each["reason"]) for each in decisions] == [
        ("promoted", "key:operator", "to compare"),
        ("rolled-back", "key:operator", "complaints"),
    ]


def test_a_refused_model_is_promoted_for_a_reason(served: World, operator: Client) -> None:
    served.tell(served.drop("july.csv", bank_rows(30, start=2000)))
    served.finish_run("bank-v3-a1", worse=True)
    for body in (None, {"reason": "  "}):
        refused = operator.post("/api/models/bank/3/promote", body=body)
        assert (refused.status_code, refused.json()["code"]) == (400, "ReasonRequired")
    answer = operator.post("/api/models/bank/3/promote", body={"reason": "the audit asks for it"})
    _do(served)
    assert _followed(operator, answer)["status"] == "Succeeded"
    (decision,) = operator.get("/api/models/bank/3").json()["decisions"]
    assert (decision["by"], decision["reason"]) == ("key:operator", "the audit asks for it")


@pytest.fixture
def held(served: World, operator: Client) -> World:
    """An operator has promoted model 1 again; its release waits for another person."""
    served.policy = replace(served.policy, release_approval="required")
    served.pass_time(1)
    operator.post("/api/models/bank/1/promote", body={"reason": "urgent"})
    served.tell(*served.bus.take(), within=30)
    assert served.state("model", "bank:1") == "awaiting-approval"
    return served


def test_a_release_is_approved_by_another_person(held: World, api: FastAPI, operator: Client) -> None:
    assert operator.get("/api/status").json()["attentionCount"] == 1
    answer = operator.post("/api/models/bank/1/approve", body={"reason": "mine"})
    held.tell(*held.bus.take(), within=0)
    own = _followed(operator, answer)
    assert own["status"] == "Failed"
    assert "another person has to approve it" in own["error"]["message"]
    admin = client_of(api, scope=Scope.ADMIN)
    answer = admin.post("/api/models/bank/1/approve", body={"reason": "looked at it"})
    _do(held)
    assert _followed(admin, answer)["status"] == "Succeeded"
    assert held.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_a_release_is_rejected_for_a_reason(held: World, operator: Client) -> None:
    assert operator.post("/api/models/bank/1/reject").json()["code"] == "ReasonRequired"
    answer = operator.post("/api/models/bank/1/reject", body={"reason": "no"})
    held.tell(*held.bus.take(), within=0)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert held.state("model", "bank:1") == "rolled-back"
    assert held.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    again = operator.post("/api/models/bank/1/reject", body={"reason": "no"})
    assert (again.status_code, again.json()["code"]) == (409, "NotHeld")


def test_retraining_says_when_there_is_nothing_to_do(served: World, operator: Client) -> None:
    answer = operator.post("/api/datasets/bank/retrain")
    _do(served)
    ended = _followed(operator, answer)
    assert ended["status"] == "Succeeded"
    assert "nothing new" in ended["detail"]
    assert operator.post("/api/datasets/nothing/retrain").status_code == 404


def test_an_experiment_that_finds_nothing_is_done_and_one_that_cannot_begin_says_why(
    world: World, operator: Client
) -> None:
    answer = operator.post("/api/datasets/bank/experiment")
    _do(world)
    ended = _followed(operator, answer)
    assert (ended["status"], "no model of the dataset" in ended["error"]["message"]) == ("Failed", True)
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1)
    answer = operator.post("/api/datasets/bank/experiment")
    _do(world)
    assert _followed(operator, answer)["status"] == "Running"
    (request,) = world.experiment_pipeline.submissions
    board = {"found": None, "reason": "nothing is better", "seconds": 3.5, "trials": []}
    world.files.write("recipes", f"{request.output}leaderboard.json", json.dumps(board).encode())
    world.workspace.runs[request.name] = RunView(name=request.name, status="Completed")
    world.tell(RunMoved(run=request.name))
    ended = _followed(operator, answer)
    assert (ended["status"], ended["detail"]) == ("Succeeded", "nothing is better")
    shown = operator.get(f"/api/runs/{request.name}").json()
    assert (shown["pipeline"], shown["reason"]) == ("experimentation", "nothing is better")
    assert operator.post("/api/datasets/nothing/experiment").status_code == 404


def test_retraining_tries_a_failed_version_again(world: World, operator: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1, status="Failed")
    answer = operator.post("/api/datasets/bank/retrain")
    _do(world)
    assert _followed(operator, answer)["status"] == "Running"
    world.finish_run("bank-v1-a2")
    assert _followed(operator, answer)["status"] == "Succeeded"


def test_work_is_paused_at_once_and_goes_on(world: World, operator: Client) -> None:
    assert (
        _followed(operator, operator.post("/api/pause", body={"reason": "moving"}))["status"] == "Succeeded"
    )
    assert operator.get("/api/status").json()["paused"] is True
    world.tell(world.drop("may.csv", bank_rows(30)))
    assert world.pipeline.submissions == []
    assert _followed(operator, operator.post("/api/resume"))["status"] == "Succeeded"
    _do(world)
    assert operator.get("/api/status").json()["paused"] is False
    assert [request.name for request in world.pipeline.submissions] == [RUN_1]


# --- quarantine -------------------------------------------------------------------------------------------


@pytest.fixture
def quarantined(world: World) -> UploadArrived:
    text = bank_rows(30).replace("\n22;", "\n150;", 1).replace("\n23;", "\n=cmd();", 1)
    upload = world.drop("may.csv", text)
    world.tell(upload)
    return upload


def test_quarantine_says_why_row_by_row(quarantined: UploadArrived, operator: Client) -> None:
    told = operator.get("/api/quarantine/may.csv").json()
    assert told["violationsByRule"] == {"age: above 120": 1, "age: not an integer": 1}
    assert [(row["line"], row["column"], row["value"], row["rule"]) for row in told["violations"]] == [
        (4, "age", "150", "above 120"),
        (5, "age", "=cmd()", "not an integer"),
    ]
    assert told["hasMore"] is False
    assert told["decision"]["state"] == "held"
    assert told["upload"]["links"]["quarantine"].startswith("/api/quarantine/may.csv?upload=")
    (listed,) = operator.get("/api/quarantine", params={**VERSION, "state": "held"}).json()["value"]
    assert (listed["name"], listed["rows"], listed["wholeFile"]) == ("may.csv", 2, False)
    assert operator.get("/api/quarantine/nothing.csv").status_code == 404


def test_a_newer_file_of_the_name_does_not_hide_what_the_older_left(
    world: World, quarantined: UploadArrived, operator: Client
) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    (listed,) = operator.get("/api/quarantine", params={**VERSION, "state": "replaced"}).json()["value"]
    address, which = listed["links"]["self"].split("?")[0], {**VERSION, "upload": listed["upload"]}
    assert operator.get(address, params=which).json()["upload"]["id"] == quarantined.key
    assert operator.post(f"{address}/discard").status_code == 404
    assert operator.post("/api/quarantine/june.csv/discard", params=which).status_code == 404
    answer = operator.post(f"{address}/discard", params=which)
    assert (answer.status_code, answer.json()["code"]) == (409, "AlreadyDecided")


def test_a_file_that_is_gone_cannot_be_checked_again(
    world: World, quarantined: UploadArrived, operator: Client
) -> None:
    del world.files._blobs["incoming", "may.csv"]
    assert operator.post("/api/quarantine/may.csv/retry").json()["code"] == "FileGone"
    assert operator.post("/api/quarantine/may.csv/discard").status_code == 202
    assert world.state("quarantine", quarantined.key) == "discarded"


def test_rows_are_let_in_through_the_api(world: World, quarantined: UploadArrived, operator: Client) -> None:
    answer = operator.post("/api/quarantine/may.csv/readmit", body={"reason": "old people are people"})
    _do(world)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert world.state("quarantine", quarantined.key) == "readmitted"
    assert operator.post("/api/quarantine/may.csv/discard").json()["code"] == "AlreadyDecided"


def test_a_file_is_checked_again_through_the_api(
    world: World, quarantined: UploadArrived, operator: Client
) -> None:
    answer = operator.post("/api/quarantine/may.csv/retry")
    _do(world)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert world.state("quarantine", quarantined.key) == "retried"
    record = operator.get("/api/uploads/may.csv").json()
    assert record["id"] == f"upload-2/may.csv/{quarantined.etag}"


def test_a_file_that_changed_is_not_checked_again(
    world: World, quarantined: UploadArrived, operator: Client
) -> None:
    world.files.write("incoming", "may.csv", b"something else")
    answer = operator.post("/api/quarantine/may.csv/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "FileGone")


def test_what_is_discarded_is_no_longer_asked_about(
    world: World, quarantined: UploadArrived, operator: Client
) -> None:
    assert operator.get("/api/status").json()["attentionCount"] == 1
    answer = operator.post("/api/quarantine/may.csv/discard", body={"reason": "a test"})
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert operator.get("/api/status").json()["attentionCount"] == 0
    decision = operator.get("/api/quarantine/may.csv").json()["decision"]
    assert (decision["state"], decision["decidedBecause"]) == ("discarded", "a test")


def test_a_failure_is_tried_again_through_the_api(world: World, operator: Client) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    world.tell(StepDeadLettered(queue="blob-events", about=upload.key, reason="it failed"))
    (failure,) = operator.get("/api/failures").json()["value"]
    answer = operator.post(f"/api/failures/{failure['id']}/retry")
    _do(world)
    ended = _followed(operator, answer)
    assert ended["status"] == "Failed"
    assert "nothing to try again" in ended["error"]["message"]
    again = operator.post(f"/api/failures/{failure['id']}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "AlreadyDecided")
    assert operator.post("/api/failures/nothing/retry").status_code == 404


# --- as in Azure, where the API may read and score, and send to the queue `steps` ---------------------------


@contextmanager
def _as_the_api(world: World) -> Iterator[None]:
    """What the API's identity has no role for is refused."""
    publish = world.bus.publish

    def refused(*_: object) -> None:
        _do(world)  # a worker has the message by then: it would be dropped, were the request itself at it
        raise NotLetIn

    def to_steps_only(facts: Iterable[Fact]) -> None:
        facts = list(facts)
        if any(isinstance(fact, ShardDue) for fact in facts):
            refused()
        publish(facts)

    with pytest.MonkeyPatch.context() as patch:
        for call in ("set_traffic", "begin_deployment", "delete_deployment"):
            patch.setattr(world.workspace, call, refused)
        patch.setattr(world.bus, "publish", to_steps_only)
        yield


def test_a_roll_back_is_done_by_who_may_move_the_traffic(watched: World, operator: Client) -> None:
    with _as_the_api(watched):
        answer = operator.post("/api/endpoints/bank/rollback", body={"reason": "complaints"})
    assert answer.status_code == 202, answer.content
    _do(watched)
    assert watched.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert watched.state("model", "bank:1") == "rolled-back"


def test_a_release_is_rejected_by_who_may_take_its_deployment_down(served: World, operator: Client) -> None:
    served.policy = replace(served.policy, release_approval="required")
    served.tell(served.drop("july.csv", bank_rows(30, start=2000)))
    served.finish_run("bank-v3-a1", within=30)
    assert served.state("model", "bank:3") == "awaiting-approval"
    with _as_the_api(served):
        answer = operator.post("/api/models/bank/3/reject", body={"reason": "no"})
    assert answer.status_code == 202, answer.content
    _do(served)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert served.state("model", "bank:3") == "rolled-back"
    assert served.workspace.deployments("campanha-bank") == ["model-1", "model-2"]


def test_a_shard_is_tried_again_by_who_may_send_it(served: World, operator: Client) -> None:
    served.files.write("scoring", "clients.csv", _clients().encode())
    served.endpoint.keeps_out = served.policy.most_attempts
    for attempt in range(served.policy.most_attempts + 1):
        with suppress(Transient):  # the endpoint's refusals
            served.tell(ReconcileDue(tick=f"{attempt}") if attempt else ScoringDue(tick="1"))
        served.pass_time(served.policy.claim_seconds + 1)
    (failure,) = operator.get("/api/failures").json()["value"]
    assert failure["queue"] == "shards"
    with _as_the_api(served):
        answer = operator.post(f"/api/failures/{failure['id']}/retry")
    assert answer.status_code == 202, answer.content
    _do(served)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert [batch.state for batch in served.ledger.newest("batch")] == ["scored"]


def test_what_is_accepted_is_done_later_where_it_cannot_be_done_at_once(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> list[Fact]:
        raise Transient

    with monkeypatch.context() as patch:
        patch.setitem(flow.STEPS, WorkPaused, away)
        answer = operator.post("/api/pause", body={"reason": "moving"})
        assert _followed(operator, answer)["status"] == "Running"
    _do(world)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert is_paused(world.services)


# --- once -------------------------------------------------------------------------------------------------


def test_the_same_key_again_gets_the_same_answer_and_does_nothing(world: World, operator: Client) -> None:
    first = _csv(operator, "/api/uploads/may.csv", bank_rows(30), **KEY)
    again = _csv(operator, "/api/uploads/may.csv", bank_rows(30), **KEY)
    assert again.json()["id"] == first.json()["id"]
    assert len(world.bus.take()) == 1
    assert len(operator.get("/api/events").json()["value"]) == 1


@pytest.mark.parametrize(("path", "rows"), [("/api/uploads/may.csv", 31), ("/api/uploads/june.csv", 30)])
def test_the_same_key_for_something_else_is_refused(operator: Client, path: str, rows: int) -> None:
    _csv(operator, "/api/uploads/may.csv", bank_rows(30), **KEY)
    answer = _csv(operator, path, bank_rows(rows), **KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")


def test_somebody_elses_key_is_another_key(api: FastAPI, operator: Client) -> None:
    first = operator.post("/api/pause", headers=KEY)
    other = client_of(api, scope=Scope.ADMIN).post("/api/pause", headers=KEY)
    assert other.status_code == 202
    assert other.json()["id"] != first.json()["id"]


def test_a_key_whose_request_is_under_way_waits(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(actions.ActionRequest, "_handle", dies)
        with pytest.raises(Killed):
            operator.post("/api/pause", headers=KEY)
    answer = operator.post("/api/pause", headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "IdempotencyKeyInProgress")
    assert int(answer.headers["retry-after"]) >= 1
    world.pass_time(
        idempotency.TAKEN_FOR_DEAD_AFTER.total_seconds() + 1
    )  # whoever began it is dead: go on with the same operation
    assert _followed(operator, operator.post("/api/pause", headers=KEY))["status"] == "Succeeded"
    assert len(_audit(operator.app)) == 1


def test_an_operation_whose_worker_died_before_it_began_is_finished_by_the_next_attempt(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: object, **__: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox.Outbox, "begin", dies)
        with pytest.raises(Killed):
            operator.post("/api/pause", headers=KEY)
    dead_for = max(idempotency.TAKEN_FOR_DEAD_AFTER.total_seconds(), world.policy.claim_seconds)
    world.pass_time(dead_for + 1)
    answer = operator.post("/api/pause", headers=KEY)
    assert answer.status_code == 202
    world.tell(*world.bus.take())
    assert is_paused(world.services)
    assert len(_audit(operator.app)) == 1


def test_an_operation_that_nobody_may_be_at_is_not_said_to_be_accepted(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage was away when it was begun, and when its claim was given back; its record is there."""

    def away(*_: object, **__: object) -> None:
        raise Transient

    with monkeypatch.context() as patch:
        patch.setattr(outbox.Outbox, "begin", away)
        patch.setattr(claims.Claims, "free", away)
        assert operator.post("/api/pause", headers=KEY).status_code == 503
    monkeypatch.setattr(idempotency, "TAKEN_FOR_DEAD_AFTER", timedelta(seconds=1))
    world.pass_time(world.policy.claim_seconds / 2)
    assert operator.post("/api/pause", headers=KEY).status_code == 503
    world.pass_time(world.policy.claim_seconds)
    assert operator.post("/api/pause", headers=KEY).status_code == 202
    world.tell(*world.bus.take())
    assert is_paused(world.services)


@pytest.mark.parametrize(("of", "call"), [(outbox.Outbox, "begin"), (idempotency, "finish")])
def test_a_request_that_failed_on_our_side_may_be_sent_again_as_soon_as_its_answer_is_there(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch, of: Any, call: str
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Transient

    with monkeypatch.context() as patch:
        patch.setattr(of, call, away)
        assert operator.post("/api/pause", headers=KEY).status_code == 503
    answer = operator.post("/api/pause", headers=KEY)
    assert answer.status_code == 202, answer.content
    _do(world)
    assert _followed(operator, answer)["status"] == "Succeeded"
    assert len(_audit(operator.app)) == 1


def test_a_key_that_was_written_though_its_answer_was_lost_is_no_one_elses(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage did the write, and refused the client that asked once more."""
    insert = world.table.insert

    def refused_the_second_time(partition: str, row: str, value: dict[str, Any]) -> Row:
        there = insert(partition, row, value)
        if partition.startswith(f"doc-{idempotency.KEY_USE.name}"):
            raise Conflict
        return there

    monkeypatch.setattr(world.table, "insert", refused_the_second_time)
    assert operator.post("/api/pause", headers=KEY).status_code == 202
    assert operator.post("/api/pause", headers=KEY).status_code == 202
    assert len(_audit(operator.app)) == 1


def test_a_refused_request_leaves_its_key_free(world: World, operator: Client) -> None:
    assert operator.post("/api/models/bank/1/promote", headers=KEY).status_code == 404
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1)
    assert operator.post("/api/models/bank/1/promote", headers=KEY).status_code == 202


@pytest.mark.parametrize("key", ["x" * 201, "a b", "é"])
def test_a_key_that_is_none_is_refused(operator: Client, key: str) -> None:
    assert operator.post("/api/pause", headers={"idempotency-key": key}).status_code == 400


# --- on record --------------------------------------------------------------------------------------------


def _audit(app: FastAPI) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client_of(app, scope=Scope.ADMIN).get("/api/audit").json()["value"]
    return entries


def test_every_action_is_on_record_with_who_and_why(world: World, operator: Client) -> None:
    _csv(operator, "/api/uploads/may.csv", bank_rows(30))
    operator.post("/api/pause", body={"reason": "moving house"})
    newest, first = _audit(operator.app)
    assert (first["action"], first["caller"], first["scope"]) == (
        "upload incoming/may.csv",
        "key:operator",
        "operator",
    )
    assert (newest["action"], newest["reason"], newest["sequence"]) == ("pause", "moving house", 1)
    assert newest["previousHash"] == first["hash"]


def test_only_an_admin_reads_the_record(operator: Client) -> None:
    assert operator.get("/api/audit").status_code == 403


def test_a_record_that_was_tampered_with_shows(operator: Client) -> None:
    for reason in ("one", "two", "three"):
        operator.post("/api/pause", body={"reason": reason})
    entries = [
        {k: v for k, v in entry.items() if k != "sequence"} for entry in reversed(_audit(operator.app))
    ]
    assert broken_at(entries) is None
    assert broken_at([{**entries[0], "caller": "nobody"}, *entries[1:]]) == 0
    assert broken_at([entries[0], entries[2]]) == 1
    assert broken_at(entries[1:]) == 0


# --- what is no file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "a/../b.csv",
        "./a.csv",
        "a//b.csv",
        "a\\b.csv",
        "a\nb.csv",
        "a%00b.csv",
        "a.csv/",
        "end.",
        "x" * 513,
    ],
)
def test_a_name_storage_would_not_keep_is_refused(world: World, operator: Client, name: str) -> None:
    answer = _csv(operator, f"/api/uploads/{name}", bank_rows(1))
    assert answer.status_code in (400, 404), answer.content
    assert list(world.files.list("incoming")) == []


@pytest.mark.parametrize("path", ["/api/uploads/a.csv", "/api/outcomes/a.csv", "/api/batches/a.csv"])
def test_where_the_app_may_not_write_files_none_comes_in_over_http(world: World, path: str) -> None:
    """As in Azure, where the identity of what faces HTTP has no role for it."""
    client = client_of(app_over(world, http_uploads="refused"), scope=Scope.OPERATOR)
    answer = _csv(client, path, bank_rows(1))
    assert (answer.status_code, answer.json()["code"]) == (403, "AuthorizationFailed")
    assert "HTTP_UPLOADS" in answer.json()["detail"]
    assert [blob for container in CONTAINERS for blob in world.files.list(container.name)] == []


def test_a_name_that_only_storage_finds_wrong_is_refused_like_any(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise Refused("blob storage answered 400 InvalidResourceName")

    monkeypatch.setattr(world.files, "write", refuse)
    answer = _csv(operator, "/api/uploads/a.csv", bank_rows(1), **KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    monkeypatch.undo()
    assert _csv(operator, "/api/uploads/a.csv", bank_rows(1), **KEY).status_code == 202


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.csv", "ç ã/b.csv", "100% sure?.csv", "#1;a=b&c.csv"]
)
def test_odd_names_are_only_names(world: World, operator: Client, name: str) -> None:
    from urllib.parse import quote

    address = quote(name)
    assert _csv(operator, f"/api/uploads/{address}", bank_rows(3)).status_code == 202
    assert [blob.name for blob in world.files.list("incoming")] == [name]
    _do(world)
    assert operator.get(f"/api/uploads/{address}").json()["name"] == name
    assert operator.get(f"/api/lineage/incoming/{address}").json()["upload"]["name"] == name


def test_a_body_that_is_no_file_is_refused(operator: Client) -> None:
    assert operator.post("/api/uploads/a.csv", body={"a": 1}).status_code == 415
    assert _csv(operator, "/api/uploads/a.csv", "").status_code == 422


def test_a_body_that_is_too_large_is_refused_before_it_is_read(world: World, operator: Client) -> None:
    answer = operator.post("/api/pause", content=b'{"reason": "' + b"x" * 70_000 + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "RequestTooLarge")
    announced = operator.post("/api/uploads/a.csv", headers={"content-length": str(101 * 1024 * 1024)})
    assert announced.status_code == 413


# --- the model --------------------------------------------------------------------------------------------


def test_the_model_is_asked_and_answers(served: World, operator: Client) -> None:
    asked = {"data": [{"age": 41, "job": "technician", "balance": None}]}
    answer = operator.post("/api/endpoints/bank/score", body=asked)
    assert (answer.status_code, answer.json()["decision"]) == (200, ["call"])
    api = operator.app.state.model_api()
    assert api.asked == [("campanha-bank", b'{"data":[{"age":41,"job":"technician","balance":null}]}')]
    assert operator.get("/api/endpoints/bank/swagger").json()["host"] == "campanha-bank"


def test_what_the_model_refuses_is_said_in_its_words(served: World, operator: Client) -> None:
    api = operator.app.state.model_api()
    api.status, api.body = 400, b'{"error": {"code": "MissingColumns", "message": "age is missing"}}'
    answer = operator.post("/api/endpoints/bank/score", body={"data": [{}]})
    assert (answer.status_code, answer.json()["detail"]) == (422, "age is missing")
    api.status, api.body = 502, b"<html>"
    assert operator.post("/api/endpoints/bank/score", body={"data": [{}]}).status_code == 503


@pytest.mark.parametrize("body", [b"<html>", b"[0.5]", b"{}", b'{"probability": 0.5}', b"\xff"])
def test_an_answer_without_scores_is_none(served: World, operator: Client, body: bytes) -> None:
    operator.app.state.model_api().body = body
    answer = operator.post("/api/endpoints/bank/score", body={"data": [{}]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_not_scored_as_one_that_is_not_known(
    served: World, operator: Client, value: str
) -> None:
    content = b'{"data": [{"age": %s}]}' % value.encode()
    answer = operator.post(
        "/api/endpoints/bank/score", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.content
    assert operator.app.state.model_api().asked == []


def test_without_a_model_there_is_nobody_to_ask(operator: Client) -> None:
    answer = operator.post("/api/endpoints/bank/score", body={"data": [{}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "NoModel")


def test_an_action_outlives_the_process_that_took_it(world: World, operator: Client) -> None:
    """Its message is lost: the reconciler finds the fact all the same."""
    answer = _csv(operator, "/api/uploads/may.csv", bank_rows(30))
    world.bus.take()
    world.pass_time(world.policy.claim_seconds + timedelta(minutes=2).total_seconds())
    world.tell(ReconcileDue(tick="1"))
    assert _followed(operator, answer)["status"] == "Succeeded"


def test_a_replay_may_be_of_all_that_ever_happened(world: World, operator: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(5)))
    asked = {**VERSION, "startsAt": "0001-01-01T00:00:00Z"}
    assert operator.get("/api/events/replay", params=asked).json()["count"] > 0


def test_a_replay_of_events_says_how_far_it_is(world: World, operator: Client) -> None:
    heard, span = Listener(), {"startsAt": "2026-11-24T00:00:00Z"}
    world.tell(world.drop("may.csv", bank_rows(5)))
    assert operator.post("/api/events/replay", body=span).status_code == 409
    world.ledger.documents.write(CURSOR, heard.name, Cursor(next=0, shook_hands=True), over=None)
    plan = operator.get("/api/events/replay", params={**VERSION, **span}).json()
    answer = operator.post("/api/events/replay", body=span)
    assert (_followed(operator, answer)["status"], heard.heard) == ("NotStarted", [])
    telling = replace(world.services, subscribers=(heard,))
    [asked_for] = world.bus.take()
    [due] = flow.handle(asked_for, telling)
    assert _followed(operator, answer)["status"] == "Running"
    assert flow.handle(due, telling) == ()
    assert [event["id"] for event in heard.heard][: plan["count"]] == plan["ids"]
    assert _followed(operator, answer)["status"] == "Succeeded"


def test_a_replay_that_went_far_is_not_read_from_its_beginning_at_each_poll(
    world: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.tell(world.drop("may.csv", bank_rows(5)))
    world.ledger.documents.write(CURSOR, "far", Cursor(next=0, shook_hands=True), over=None)
    answer = operator.post("/api/events/replay", body={"startsAt": "2026-11-24T00:00:00Z"})
    [asked_for] = world.bus.take()
    [due] = flow.handle(asked_for, world.services)
    taken = world.ledger.claims
    looked = []

    def counted(self: claims.Claims, key: str) -> claims.Outcome | None:
        looked.append(key)
        return outcome(self, key)

    def stretches(count: int) -> int:
        """So many more were delivered: what is looked up to tell how far it is."""
        nonlocal due
        for _ in range(count):
            assert isinstance(due, EventReplayDue)
            later = replace(due, next=due.next + 1, told=due.told + 1)
            taken.settle(taken.claim(due), claims.Outcome(facts=(later,)))
            due = later
        looked.clear()
        told = _followed(operator, answer)
        assert (told["status"], told["detail"]) == ("Running", f"{due.told} events were taken so far")
        return len(looked)

    outcome = claims.Claims.outcome
    monkeypatch.setattr(claims.Claims, "outcome", counted)
    assert stretches(50) > 50
    again = stretches(0)
    assert again < 5
    assert stretches(1) == again + 1
    taken.settle(taken.claim(due), claims.Outcome())
    assert _followed(operator, answer)["status"] == "Succeeded"
