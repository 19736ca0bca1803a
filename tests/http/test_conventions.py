"""What every answer keeps to: limits, traces, and problems that tell nothing of our inside."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from fastapi import FastAPI
from flow.world import World

from functions.http import api_versions
from functions.http.api_versions import ApiVersion
from functions.http.auth.scopes import Scope
from functions.http.middleware.rate_limit import WINDOW_SECONDS, Limiter
from shared import flow
from shared.domain.facts import RunMoved, ScoringDue
from shared.errors import Refused, Transient
from tests.http.asking import VERSION, Answer, Client, Tenant, app_over, client_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


def _rate(answer: Answer) -> dict[str, int]:
    found = re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert found, answer.headers["ratelimit"]
    return {"left": int(found[1]), "seconds": int(found[2])}


def test_who_asks_too_often_is_told_when_to_come_again(world: World) -> None:
    api = app_over(world, rate_limit_per_minute=10)
    reader = client_of(api)
    left = []
    for _ in range(10):
        answer = reader.get("/api/uploads")
        assert answer.status_code == 200
        left.append(_rate(answer)["left"])
    assert left[0] == 9
    assert left == sorted(left, reverse=True)
    refused = reader.get("/api/uploads")
    assert (refused.status_code, refused.json()["code"]) == (429, "TooManyRequests")
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_SECONDS / 10
    assert _rate(refused) == {"left": 0, "seconds": int(refused.headers["retry-after"])}
    assert refused.headers["ratelimit-policy"] == f'"default";q=10;w={WINDOW_SECONDS}'
    assert client_of(api, scope=Scope.OPERATOR).get("/api/uploads").status_code == 200  # another caller
    assert client_of(api, scope=None).get("/api/health/live").status_code == 200


def test_wrong_keys_are_tried_only_so_often(world: World) -> None:
    api = app_over(world, rate_limit_per_minute=10)
    answers = [Client(api, {"x-functions-key": f"guess-{n}"}).get("/api/status") for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


@pytest.mark.parametrize(("down", "roles", "status"), [(False, ["Other"], 403), (True, ["Reader"], 503)])
def test_tokens_that_open_nothing_are_tried_only_so_often(
    world: World, tenant: Tenant, down: bool, roles: list[str], status: int
) -> None:
    asked = Tenant(private=tenant.private, down=down)
    api = app_over(world, tenant=asked, rate_limit_per_minute=3)
    asking = Client(api, {"authorization": f"Bearer {tenant.token(roles=roles)}"})
    assert [asking.get("/api/status").status_code for _ in range(4)] == [status] * 3 + [429]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("203.0.113.7:50001", "203.0.113.7:50002"),
        ("1.1.1.1, 203.0.113.7", "2.2.2.2,203.0.113.7:9"),
        ("[2001:db8::7]:50001", "[2001:db8::7]"),
    ],
)
def test_an_address_is_the_same_over_another_connection(world: World, before: str, after: str) -> None:
    """What stands last was put there by Azure's front end, with the connection's port; the rest by the caller."""
    nobody = client_of(app_over(world, rate_limit_per_minute=1, trust_forwarded_for=True), scope=None)
    found = [
        nobody.get("/api/status", headers={"x-forwarded-for": by}) for by in (before, after, "203.0.113.8:1")
    ]
    assert [answer.status_code for answer in found] == [401, 429, 401]


@pytest.mark.parametrize("front", [False, True])
def test_who_makes_up_an_address_gets_no_bucket_of_its_own(world: World, front: bool) -> None:
    """Without a front end the header is the caller's say; with one, what is no address is."""
    nobody = client_of(app_over(world, rate_limit_per_minute=1, trust_forwarded_for=front), scope=None)
    made_up = [f"made up {n}" if front else f"203.0.113.{n}" for n in range(3)]
    found = [nobody.get("/api/status", headers={"x-forwarded-for": by}).status_code for by in made_up]
    assert found == [401, 429, 429]


def test_a_bucket_fills_evenly() -> None:
    time = [0.0]
    limiter = Limiter(60, now=lambda: time[0])
    assert all(limiter.take("a").granted for _ in range(60))
    assert not limiter.take("a").granted
    time[0] += 2
    assert [limiter.take("a").granted for _ in range(3)] == [True, True, False]
    assert limiter.take("b").granted


def test_a_trace_goes_on_and_every_answer_has_an_id(reader: Client) -> None:
    for path in ("/api/status", "/api/nothing", "/api/health/live", "/dashboard/"):
        answer = reader.get(path, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
        assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
        assert "b7ad6b7169203331" not in answer.headers["traceparent"]
        assert answer.headers["x-ms-request-id"].startswith(f"{TRACE}-")


@pytest.mark.parametrize("given", ["", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "<script>", f"00-{TRACE}"])
def test_a_trace_that_is_none_is_begun_anew(reader: Client, given: str) -> None:
    found = [
        reader.get("/api/status", headers={"traceparent": given}).headers["traceparent"] for _ in range(2)
    ]
    assert found[0] != found[1]
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", one) for one in found)


def _fails(world: World, cause: Exception) -> Client:
    """Asks an app whose tables answer with that."""

    class Down:
        def __getattr__(self, name: str) -> Any:
            def fails(*_: Any, **__: Any) -> Any:
                raise cause

            return fails

    world.table = world.present = Down()  # type: ignore[assignment]
    return client_of(app_over(world), scope=Scope.OPERATOR)


@pytest.mark.parametrize("cause", [Transient("secret inside"), Refused("secret inside")])
def test_storage_that_does_not_answer_is_said_and_nothing_of_it(
    world: World, cause: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    operator = _fails(world, cause)
    with caplog.at_level(logging.ERROR):
        answers = [
            operator.get("/api/status"),
            operator.get("/api/uploads/may.csv"),
            operator.post("/api/pause"),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "NotReady")
        assert int(answer.headers["retry-after"]) >= 1
        assert "inside" not in answer.content.decode()
    health = operator.get("/api/health")
    assert (health.status_code, health.json()["status"]) == (503, "fail")
    assert health.json()["checks"]["ledger:read"] == [{"status": "fail"}]
    assert "inside" not in caplog.text


def test_a_mistake_of_ours_is_said_to_be_ours_and_found_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    operator = _fails(world, ValueError("secret inside"))
    with caplog.at_level(logging.ERROR):
        answer = operator.get("/api/status")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "InternalError")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inside" not in answer.content.decode()
    assert "ValueError" not in answer.content.decode()
    assert body["traceId"] in caplog.text
    assert "ValueError" in caplog.text


def test_answers_are_not_kept_nor_read_as_something_else(api: FastAPI) -> None:
    for answer in (client_of(api).get("/api/uploads"), client_of(api, scope=None).get("/api/uploads")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "public" not in answer.headers["cache-control"]


def test_a_clock_that_keeps_failing_shows_in_health(world: World, reader: Client) -> None:
    for number in range(3):
        with (
            mock.patch.object(world.files, "list", side_effect=Transient("no list")),
            pytest.raises(Transient),
        ):
            flow.tick(ScoringDue(tick=str(number)), world.services)
    health = reader.get("/api/health")
    assert (health.status_code, health.json()["status"]) == (200, "warn")
    (clock,) = health.json()["checks"]["ScoringDue:clock"]
    assert clock["status"] == "warn"
    assert "3 times in a row" in clock["output"]
    flow.tick(ScoringDue(tick="good"), world.services)
    assert reader.get("/api/health").json()["status"] == "pass"


def test_runs_that_this_ledger_never_started_are_said_in_health(world: World, reader: Client) -> None:
    assert "runs:ignored" not in reader.get("/api/health").json()["checks"]
    for run in ("somebodys-run", "older-ledgers-run"):
        world.tell(RunMoved(run=run))
    health = reader.get("/api/health").json()
    (ignored,) = health["checks"]["runs:ignored"]
    assert (health["status"], ignored["status"]) == ("pass", "pass")
    assert ignored["output"].endswith(
        "not started by this ledger, and ignored; the newest first: older-ledgers-run, somebodys-run"
    )


# --- versions ---------------------------------------------------------------------------------------------

OLD = {"api-version": "2020-01-01"}
DEPRECATED, SUNSET = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)


def _with_old(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """There is an older version."""
    old = ApiVersion(name=OLD["api-version"], **more)
    monkeypatch.setattr(api_versions, "VERSIONS", (old, *api_versions.VERSIONS))


def test_every_answer_to_a_deprecated_version_says_so_and_until_when_it_works(
    api: FastAPI, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_old(monkeypatch, deprecated=DEPRECATED, sunset=SUNSET)
    first = reader.get("/api/uploads", params=OLD)
    answers = [
        first,
        reader.get("/api/uploads", params=OLD, headers={"if-none-match": first.headers["etag"]}),
        reader.request("HEAD", "/api/uploads", params=OLD),
        reader.get("/api/uploads/none.csv", params=OLD),
        reader.get("/api/nothing", params=OLD),
        reader.get("/api/uploads", params={**OLD, "maxpagesize": 0}),
        reader.post("/api/pause", params=OLD),
        client_of(api, scope=None).get("/api/uploads", params=OLD),
        client_of(api, scope=Scope.OPERATOR).post("/api/pause", params=OLD),
    ]
    assert [answer.status_code for answer in answers] == [200, 304, 200, 404, 404, 400, 403, 401, 202]
    for answer in answers:
        assert answer.headers["deprecation"] == "@1772352000"
        assert answer.headers["sunset"] == "Tue, 31 Dec 2999 23:59:59 GMT"
        assert re.findall(r'<(\S+)>; rel="(\w+)"', answer.headers["link"]) == [
            ("/api/docs", "deprecation"),
            ("/api/docs", "sunset"),
        ]
    assert answers[-1].headers["operation-location"].endswith("api-version=2020-01-01")


def test_a_version_without_a_sunset_is_deprecated_all_the_same(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_old(monkeypatch, deprecated=DEPRECATED)
    answer = reader.get("/api/uploads", params=OLD)
    assert (answer.status_code, answer.headers["deprecation"]) == (200, "@1772352000")
    assert "sunset" not in answer.headers
    assert "sunset" not in answer.headers["link"]


def test_a_version_is_refused_from_its_sunset_on_and_those_that_work_are_named(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_old(monkeypatch, deprecated=DEPRECATED, sunset=DEPRECATED)
    ended = reader.get("/api/uploads", params=OLD)
    assert (ended.status_code, ended.json()["code"]) == (400, "ApiVersionEnded")
    assert VERSION["api-version"] in ended.json()["detail"]
    assert OLD["api-version"] not in ended.json()["detail"]
    assert ended.headers["sunset"] == "Sun, 01 Mar 2026 08:00:00 GMT"
    unknown = reader.get("/api/uploads", params={"api-version": "2019-01-01"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "UnsupportedApiVersionValue")
    assert OLD["api-version"] not in unknown.json()["detail"]


def test_a_version_lasts_until_its_sunset_and_not_a_second_longer() -> None:
    version = ApiVersion(name="2020-01-01", sunset=SUNSET)
    assert not version.ended(SUNSET - timedelta(seconds=1))
    assert version.ended(SUNSET)


def test_the_present_version_has_no_end_and_says_none(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_old(monkeypatch, deprecated=DEPRECATED, sunset=SUNSET)
    health = reader.get("/api/health", params=OLD)  # which is the same in every version
    for answer in (reader.get("/api/uploads"), reader.get("/api/nothing"), health):
        assert not {"deprecation", "sunset", "link"} & answer.headers.keys()
