"""The API is what it says it is: generated requests, good and bad, against the checked-in OpenAPI file."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
import pytest
import requests
import schemathesis
from azure.functions.http import HttpRequest
from fastapi import FastAPI
from flow.world import World, bank_rows
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator, ValidationError
from urllib3 import HTTPResponse

from functions.http.auth.scopes import Scope
from functions.http.middleware.long_poll import Watch
from functions.http.views.schemas import NEEDS_PERSON
from functions.http.views.shape import GROWING
from shared.domain.alerts import SEVERITIES
from shared.domain.facts import ScoringDue, StepDeadLettered
from shared.domain.kinds.batch import LEFT_OUT
from shared.domain.kinds.run import STEP_STATUSES
from shared.domain.kinds.waiting import WAITS
from shared.kinds import BY_NAME, EVENT_TYPES, KINDS, STATES, STATUSES_OF
from tests.http.asking import HOST, Client, app_over, client_of, key

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "openapi.json"
Json = dict[str, Any]
DESCRIBED: Json = json.loads(FILE.read_text(encoding="utf-8"))
CASES = int(os.environ.get("CAMPANHA_API_CASES", "6"))
"""Generated for each operation, beside those at every edge of its description."""


def _closed(part: Any) -> Any:
    """A list that may grow, as it is today: no answer of this very version has another word."""
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {{GROWING: "enum"}.get(name, name): _closed(of) for name, of in part.items()}


def _listed(described: Json) -> Json:
    """Without the `default` answers: every status that comes is one that is listed."""
    listed = copy.deepcopy(described)
    for methods in listed["paths"].values():
        for operation in methods.values():
            del operation["responses"]["default"]
    return listed


TODAY: Json = _closed(DESCRIBED)
schema = schemathesis.openapi.from_dict(_listed(TODAY))


@pytest.fixture(scope="module")
def lived_in() -> Iterator[FastAPI]:
    """An app with something of everything in it, which nobody waits for."""
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30).replace("\n22;", "\nold;", 1)))
    world.finish_run("bank-v1-a1")
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    world.tell(ScoringDue(tick="1"), StepDeadLettered(queue="steps", about="x", reason="it failed"))

    async def at_once(*_: object, **__: object) -> bool:
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Watch, "changed", at_once)
        yield app_over(world, rate_limit_per_minute=10**9)


def test_the_description_is_served_to_whoever_may_read(reader: Client) -> None:
    answer = reader.get("/api/openapi.json", params={})
    assert answer.json() == DESCRIBED
    assert client_of(reader.app, scope=None).get("/api/openapi.json", params={}).status_code == 401


@schema.parametrize()
@settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_requests_of_every_kind_are_answered_as_described(case: schemathesis.Case, lived_in: FastAPI) -> None:
    """No 5xx, no status or shape that is not described, every error a problem; what breaks a rule is refused."""
    case.headers.pop("Idempotency-Key", None)  # taken twice it is refused, rightly, whatever else is in order
    answer = _ask(lived_in, case)
    case.validate_response(answer, excluded_checks=_beside_the_point(case))
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == answer.headers["x-ms-error-code"]


def _beside_the_point(case: schemathesis.Case) -> list[Any]:
    """Checks that do not hold here, and why."""
    of = schemathesis.checks.CHECKS.get_one
    excluded = [of("ignored_auth")]  # tests/http/test_who_may.py tries far more
    path = case.operation.path
    if case.body is None and not case.operation.definition.raw.get("requestBody", {}).get("required"):
        excluded.append(of("negative_data_rejection"))  # where no body is needed, null is none
    if case.method == "POST" and path in (
        "/api/uploads/{name}",
        "/api/batches/{batch}",
        "/api/outcomes/{outcome}",
    ):
        excluded.append(
            of("negative_data_rejection")
        )  # any bytes are a file; what is wrong in it is found later
    if path in ("/api/batches/{batch}/rows", "/api/outcomes/{outcome}/faults") or path.endswith(
        "/drift-picture"
    ):
        excluded += [
            of("unsupported_method"),
            of("allow_header_conformance"),
        ]  # a POST there drops a file of that name
    if "deltatoken" in (case.query or {}):
        excluded.append(of("positive_data_acceptance"))  # one that is made up is refused
    if (
        path == "/api/config"
    ):  # names and bounds are those of the settings, and a fault in any is told with all others
        excluded.append(of("positive_data_acceptance"))
    if path == "/api/events/replay":
        excluded.append(of("positive_data_acceptance"))  # a span has to end after it begins
    if path.startswith(("/api/quarantine/{name}/", "/api/uploads/{name}/")):
        excluded.append(
            of("allow_header_conformance")
        )  # a file may be named `.../retry`, and is asked for by GET
    return excluded


def _ask(app: FastAPI, case: schemathesis.Case) -> requests.Response:
    """Through the adapter, as the Functions host asks: it drops what is empty, and hands bodies over whole."""
    kwargs = case.as_transport_kwargs(base_url=f"http://{HOST}")
    kwargs.pop("cookies", None)
    prepared = requests.Request(**{k: v for k, v in kwargs.items() if k in _TAKEN}).prepare()
    assert prepared.url is not None
    body = prepared.body or b""
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers |= {"host": HOST, **key(Scope.ADMIN)}
    for name in ("authorization", "accept-encoding"):
        headers.pop(name, None)
    request = HttpRequest(
        str(prepared.method),
        prepared.url,
        headers={name: value for name, value in headers.items() if value},
        params={},
        route_params={},
        body_type="bytes",
        body=body.encode() if isinstance(body, str) else body,
    )
    answer = asyncio.run(func.AsgiMiddleware(app).handle_async(request))
    made = requests.Response()
    made.status_code, made._content, made.request = answer.status_code, answer.get_body(), prepared
    made.headers.update(dict(answer.headers.items()))
    made.raw = HTTPResponse(headers=dict(made.headers), status=answer.status_code)
    made.url = prepared.url
    return made


_TAKEN = {"method", "url", "headers", "params", "data", "json"}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def test_a_problem_names_its_request_by_a_uri_reference(reader: Client) -> None:
    """RFC 9457: whatever a file is called."""
    told = reader.get("/api/uploads/žluť 1%.csv").json()
    assert told["instance"] == "/api/uploads/%C5%BElu%C5%A5%201%25.csv"


# --- shapes -----------------------------------------------------------------------------------------------


def _validator(schema: Json) -> Draft202012Validator:
    return Draft202012Validator({**_closed(schema), "components": TODAY["components"]})


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/api/status", "SystemStatus"),
        ("/api/lineage/may.csv", "Lineage"),
        ("/api/lineage/scoring/clients.csv", "Lineage"),
        ("/api/uploads/may.csv", "Upload"),
        ("/api/datasets/bank/1", "DatasetVersion"),
        ("/api/runs/bank-v1-a1", "Run"),
        ("/api/models/bank/1", "ModelVersion"),
        ("/api/deployments/campanha-bank/model-1", "Deployment"),
        ("/api/quarantine/may.csv", "QuarantineReport"),
    ],
)
def test_answers_have_the_shape_they_are_described_with(lived_in: FastAPI, path: str, shape: str) -> None:
    answer = client_of(lived_in).get(path)
    assert answer.status_code == 200
    _validator({"$ref": f"#/components/schemas/{shape}"}).validate(answer.json())


@pytest.mark.parametrize(
    "listed", ["uploads", "datasets", "runs", "models", "deployments", "batches", "events"]
)
def test_lists_hold_what_they_are_described_with(lived_in: FastAPI, listed: str) -> None:
    operation = DESCRIBED["paths"][f"/api/{listed}"]["get"]
    page = operation["responses"]["200"]["content"]["application/json"]["schema"]
    answer = client_of(lived_in).get(f"/api/{listed}").json()
    assert answer["value"], listed
    _validator(page).validate(answer)


def test_nothing_is_shown_that_is_not_described(lived_in: FastAPI) -> None:
    """What a record holds gets out only when somebody has said so: a new field does not by accident."""
    described = DESCRIBED["components"]["schemas"]
    kinds = {
        "uploads": "Upload",
        "datasets": "DatasetVersion",
        "runs": "Run",
        "models": "ModelVersion",
        "batches": "Batch",
    }
    for listed, shape in kinds.items():
        for record in client_of(lived_in).get(f"/api/{listed}").json()["value"]:
            assert set(record) - set(described[shape]["properties"]) == set(), shape


def test_every_operation_says_who_may_ask_and_what_can_go_wrong() -> None:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            assert operation["x-scope"] in ("reader", "operator", "admin"), (path, method)
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), (path, method)
            assert operation["description"], (path, method)


def test_every_operation_says_what_it_answers() -> None:
    """A route without an answer of its own would be described as anything at all."""
    passed_on = "/api/endpoints/{dataset}/swagger"  # whatever the model's endpoint says of itself
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            good = next(status for status in ("200", "202", "204") if status in operation["responses"])
            contents = operation["responses"][good].get("content", {}).values()
            assert good == "204" or contents, (path, method)
            drawn = path.endswith("-picture")
            assert path == passed_on or drawn or all("$ref" in content["schema"] for content in contents), (
                path,
                method,
            )
            assert "404" in operation["responses"] or "{" not in path or method != "get", path


# --- what generated clients count on ------------------------------------------------------------------------
# What can be seen without knowing the product (cases, types, sentences, nulls) is held by commands/linters/api-style.mjs.

SCHEMAS: dict[str, Json] = DESCRIBED["components"]["schemas"]
PROPERTIES = {
    f"{schema}.{name}": found
    for schema, of in SCHEMAS.items()
    for name, found in of.get("properties", {}).items()
}
each_property = pytest.mark.parametrize("place", PROPERTIES)


def test_schemas_have_names_that_somebody_would_search_for() -> None:
    nobodys = {
        "About", "Answer", "Asked", "DatasetNow", "Event", "Fault", "FaultOfRequest", "Glance", "Quarantined", "Question",
        "Report", "Rows", "Rule", "ScoreNow", "Serving", "SignIn", "Status", "Trace", "Why",
    }  # fmt: skip
    assert nobodys & SCHEMAS.keys() == set()


@each_property
def test_each_property_has_an_example_that_it_may_have(place: str) -> None:
    """What is made of other schemas has theirs."""
    found = PROPERTIES[place]
    examples = found.get("examples", [])
    assert examples or {"$ref", "oneOf", "const"} & {*found} or "$ref" in found.get("items", {}), place
    for example in examples:
        _validator(found).validate(example)


OF_KIND = {f"{kind.values.__name__}{shape}": kind.name for kind in KINDS for shape in ("", "EventData")}
"""The shapes that each kind has: of a record, and of what an event tells."""
CLOSED = {
    **{f"{shape}.kind": [kind] for shape, kind in OF_KIND.items()},
    "CloudEvent.specversion": ["1.0"],
    "CloudEvent.datacontenttype": ["application/json"],
    "DeploymentHealth.status": ["pass", "warn", "fail"],
    "HealthCheck.status": ["pass", "warn", "fail"],
    "HealthReport.status": ["pass", "warn", "fail"],
    "AlertChannel.status": ["pass", "warn", "fail"],
    "Session.scope": ["reader", "operator", "admin"],
}
"""Lists that stay as they are: a client may have a branch for each word and none for others."""
ANY_STATE = {state for states in STATES.values() for state in states}
STATUSES = {status.name for status in STEP_STATUSES}
GROWN: dict[str, set[str]] = {
    **{f"{shape}.state": {*STATES[kind]} for shape, kind in OF_KIND.items()},
    **{
        f"{kind.values.__name__}.waitingFor": {wait.name for wait in WAITS}
        for kind in KINDS
        if any(state.waits_for for state in kind.states)
    },
    "Transition.state": ANY_STATE,
    "CloudEvent.type": {*EVENT_TYPES},
    "Run.status": STATUSES,
    "RunEventData.status": STATUSES,
    "RunStep.status": STATUSES,
    "LeftOut.reason": {reason.name for reason in LEFT_OUT},
    "ReleaseDecision.decision": {decision.name for decision in STATUSES_OF["decision"]},
    "AlertValues.severity": {*SEVERITIES},
    "AlertValuesEventData.severity": {*SEVERITIES},
    "Delivery.outcome": {"delivered", "failed"},
    "Freshness.state": {"on-time", "late"},
    "Freshness.what": {"files", "batches"},
    "Notifier.status": {"pass", "warn", "fail", "none"},
    "Operation.status": {status.name for status in STATUSES_OF["progress"]},
}
"""Lists that may grow within a version."""


@each_property
def test_a_list_of_words_is_closed_for_ever_or_said_to_grow(place: str) -> None:
    found = PROPERTIES[place]
    words = found.get("enum") or ([found["const"]] if "const" in found else None)
    assert words == CLOSED.get(place), (
        f"{place}: an enum can never have a word more; else shape.growing is right"
    )
    grown = found.get(GROWING)
    assert (grown and {*grown}) == GROWN.get(place), place
    assert not grown or re.search(r"more (words )?may come\.", found["description"], re.IGNORECASE), place


def test_a_state_nobody_described_is_found() -> None:
    with pytest.raises(ValidationError, match="'laid-by' is not one of"):
        _validator(SCHEMAS["Transition"]).validate({"state": "laid-by", "enteredAt": "2026-11-29T08:00:00Z"})


SIGNED = {"ModelMetrics.profit", "ShadowComparison.meanDifference"} | {
    f"ModelComparison.{name}"
    for name in ("logLossDifference", "low", "high", "aucDifference", "profitDifference")
}
SIGNED |= {
    f"{kind}.{name}"
    for kind in ("NewestComparison", "BaselineMetrics")
    for name in ("logLossDifference", "low", "high")
}
SIGNED |= {
    *("CallListed.deposits", "CallListed.money", "DecileOutcome.expectedMoney", "DecileOutcome.money"),
    *(f"RunTrial.{name}" for name in ("difference", "differenceLow", "differenceHigh")),
    *("Expected.money", "Figures.money", "ScoreReason.contribution", "ScoreResponse.expected"),
    *(f"DriftCost.{name}" for name in ("worthPerClient", "judgedWorthPerClient")),
    *(f"DriftCost.worthDifference{end}" for end in ("Low", "High")),
    *(f"DriftCost.loss{of}" for of in ("", "Low", "High", "Ahead", "AheadLow", "AheadHigh")),
    *(f"HeldColumn.{name}" for name in ("minimum", "maximum", "learnedMinimum", "learnedMaximum")),
}
"""Numbers that may be less than nothing."""
UNIT_IN_NAME = re.compile(r"(Ms|Seconds|Bytes|Percent|PerSecond|Count)$|([a-z]s|[sS]cored)$|[rR]ows$")
"""A unit, or the plural of what is counted."""
UNIT_SAID = re.compile(r"\([^()]+\)\.$|\b0 to 1\.$")
NO_UNIT = re.compile(
    r"(^|[a-z])([vV]ersion|[sS]equence|seq|line|champion|status|auc|psi|aucDifference|rowsNeeded|decile|[sS]hare|limit"
    r"|[mM]inimum|[mM]aximum|depositsLow|depositsHigh|calibrationError|contribution|explain|expected)$"
)
"""Numbers that only put in order or name, and measures that have none by their definition."""
NUMBERS = [place for place, found in PROPERTIES.items() if found.get("type") in ("integer", "number")]


@pytest.mark.parametrize("place", NUMBERS)
def test_a_number_has_a_least_and_its_unit(place: str) -> None:
    found, name = PROPERTIES[place], place.partition(".")[2]
    assert ("minimum" in found) != (place in SIGNED), place
    unit = UNIT_IN_NAME.search(name) or UNIT_SAID.search(found["description"])
    assert unit or NO_UNIT.search(name), f"{place}: counts or measures what?"


def test_all_that_counts_as_waiting_for_a_person_is_named_where_the_count_is_described() -> None:
    said = DESCRIBED["components"]["schemas"]["SystemStatus"]["properties"]["attentionCount"]["description"]
    assert [
        f"{kind} {state}" for kind, state in NEEDS_PERSON if f"{BY_NAME[kind].plural} `{state}`" not in said
    ] == []


def test_the_page_for_people_is_made_of_our_own_files(reader: Client) -> None:
    page = reader.get("/api/docs", params={})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = [part.split('"')[0] for part in page.content.decode().split('="')[1:]]
    addresses = [name for name in named if "/" in name and not name.startswith(("width", "image/"))]
    assert addresses
    for address in addresses:
        assert urlsplit(address).netloc == ""
        assert reader.get(address, params={}).status_code == 200, address


def test_swagger_ui_is_as_it_was_published() -> None:
    folder = ROOT / "web" / "vendor" / "swagger-ui"
    listed = dict(
        re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.MULTILINE)
    )
    there = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "README.md"
    }
    assert listed == there
    assert "LICENSE" in there
