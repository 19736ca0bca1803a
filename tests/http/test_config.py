"""/api/config: choices that change without a restart, checked as app settings are, with who and why."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from flow.world import POLICY, World

from functions.http.auth.scopes import Scope
from shared.domain.live_choices import LIVE
from shared.procedures.live_config import in_force
from tests.http.asking import Client, client_of


@pytest.fixture
def admin(api: FastAPI) -> Client:
    return client_of(api, scope=Scope.ADMIN)


def change(client: Client, settings: Any, reason: str = "month end", **more: Any) -> Any:
    return client.post("/api/config", body={"settings": settings, "reason": reason, **more})


def shown(client: Client) -> dict[str, dict[str, Any]]:
    body = client.get("/api/config").json()
    return {setting["name"]: setting for setting in body["settings"]}


def test_at_first_all_is_as_the_app_settings_say(reader: Client) -> None:
    body = reader.get("/api/config").json()
    assert body["version"] == 0
    assert [setting["name"] for setting in body["settings"]] == [name.upper() for name in LIVE]
    assert all(setting["value"] == setting["default"] for setting in body["settings"])
    assert reader.get("/api/status").json()["changedSettings"] == []


def test_an_admin_changes_some_and_everybody_sees_who_and_why(
    world: World, admin: Client, reader: Client
) -> None:
    answer = change(admin, {"RUNS_PER_DAY": 5, "MOST_UNSCORED_SHARE": 1})
    assert (answer.status_code, answer.json()["status"]) == (202, "Succeeded")
    runs = shown(reader)["RUNS_PER_DAY"]
    assert (runs["value"], runs["default"]) == (5, POLICY.runs_per_day)
    assert (runs["changedBy"], runs["changedBecause"]) == ("key:admin", "month end")
    policy = in_force(world.services).policy
    assert (policy.runs_per_day, policy.most_unscored_share) == (5, 1.0)
    told = reader.get("/api/status").json()["changedSettings"]
    assert [setting["name"] for setting in told] == ["RUNS_PER_DAY", "MOST_UNSCORED_SHARE"]
    (entry,) = admin.get("/api/audit").json()["value"]
    assert (entry["action"], entry["reason"]) == ("set RUNS_PER_DAY=5, MOST_UNSCORED_SHARE=1.0", "month end")


def test_a_choice_is_given_back_to_the_app_setting(admin: Client) -> None:
    change(admin, {"RUNS_PER_DAY": 5, "RELEASE_CANARY_PERCENT": 20})
    assert change(admin, {}, reset=["RUNS_PER_DAY"]).status_code == 202
    assert shown(admin)["RELEASE_CANARY_PERCENT"]["value"] == 20
    assert shown(admin)["RUNS_PER_DAY"] == {"name": "RUNS_PER_DAY", "value": 50, "default": 50}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"RUNS_PER_DAY": "5"}, ["RUNS_PER_DAY"]),
        ({"RUNS_PER_DAY": -1, "RELEASE_CANARY_PERCENT": 51}, ["RUNS_PER_DAY", "RELEASE_CANARY_PERCENT"]),
        ({"RELEASE_APPROVAL": "maybe"}, ["RELEASE_APPROVAL"]),
        ({"SERVES": "all"}, ["SERVES: it is read once"]),
        ({"NO_SUCH": 1, "RUNS_PER_DAY": 5}, ["NO_SUCH: there is no such choice"]),
        ({"runs_per_day": 1}, ["runs_per_day"]),
    ],
)
def test_what_cannot_be_is_refused_with_every_fault_and_changes_nothing(
    admin: Client, settings: Any, named: list[str]
) -> None:
    answer = change(admin, settings)
    assert (answer.status_code, answer.json()["code"]) == (400, "NotAChoice")
    assert all(name in answer.json()["detail"] for name in named)
    assert admin.get("/api/config").json()["version"] == 0


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"settings": {}}, 400), ({"settings": {"RUNS_PER_DAY": True}}, 422)]
)
def test_a_request_that_is_none_is_refused(admin: Client, body: Any, status: int) -> None:
    assert admin.post("/api/config", body={"reason": "r", **body}).status_code == status


def test_no_change_without_a_reason(admin: Client) -> None:
    assert change(admin, {"RUNS_PER_DAY": 5}, reason="").status_code == 422


def test_an_operator_may_look_and_not_change(operator: Client) -> None:
    assert operator.get("/api/config").status_code == 200
    assert change(operator, {"RUNS_PER_DAY": 5}).status_code == 403


def test_a_change_of_what_was_changed_meanwhile_is_refused(admin: Client) -> None:
    assert change(admin, {"RUNS_PER_DAY": 5}, version=0).status_code == 202
    late = change(admin, {"RUNS_PER_DAY": 6}, version=0)
    assert (late.status_code, late.json()["code"]) == (409, "ChangedMeanwhile")
    assert shown(admin)["RUNS_PER_DAY"]["value"] == 5
    assert change(admin, {"RUNS_PER_DAY": 6}, version=1).status_code == 202


def test_the_answer_to_a_poller_moves_with_a_change(admin: Client) -> None:
    before = admin.get("/api/config")
    assert admin.get("/api/config", headers={"if-none-match": before.headers["etag"]}).status_code == 304
    change(admin, {"RUNS_PER_DAY": 5})
    after = admin.get("/api/config", headers={"if-none-match": before.headers["etag"]})
    assert (after.status_code, after.headers["etag"] != before.headers["etag"]) == (200, True)
