"""Records the examples of the API's description: `python tests/http/recording.py`.

Each operation is asked over a world in memory that has something of everything in it: once as one should, once with the
ETag it answered, and once for every error of its own. Clock, operation ids and trace are set, so that what is recorded
is the same each time, and a test can hold the file against what the product says today.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[2]


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fastapi import FastAPI  # noqa: E402
from flow.world import World, bank_rows  # noqa: E402

from functions.http import app as http_app  # noqa: E402
from functions.http import openapi  # noqa: E402
from functions.http.auth.scopes import Scope  # noqa: E402
from functions.http.dependencies import idempotency  # noqa: E402
from functions.http.middleware.long_poll import Watch  # noqa: E402
from functions.http.middleware.rate_limit import Limiter  # noqa: E402
from shared.domain import trace  # noqa: E402
from shared.domain.facts import AlertCheckDue, PromotionRequested, ScoringDue, StepDeadLettered  # noqa: E402
from shared.domain.names import digest  # noqa: E402
from shared.errors import Transient  # noqa: E402
from shared.package_data import API_EXAMPLES  # noqa: E402
from shared.procedures.subscriber_cursor import CURSOR, Cursor  # noqa: E402
from tests.http.asking import KEYS, VERSION, Answer, Client, app_over, client_of  # noqa: E402

Json = dict[str, Any]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
SHOWN_HEADERS = (
    "etag",
    "retry-after",
    "operation-location",
    "location",
    "x-ms-error-code",
    "deprecation",
    "sunset",
)
TOKEN = "eNqLVjLUUUpKNDYwUDLWsTAwMgACIFUaCwA0GQSH"
"""What stands for each delta token: not every zlib packs the same bytes in the same way."""
TAG = "d8be5153c2f6fd231ae41d6bf16ea4f1"
"""What stands for each ETag: it is the hash of an answer, and some have such a token in them."""
CSV = {"content-type": "text/csv"}
FAILURE = "the workspace does not respond"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request that is an example."""

    method: str
    path: str
    body: Any = None
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] | None = None
    scope: Scope | None = Scope.OPERATOR


def get(path: str, **more: Any) -> Ask:
    return Ask(method="GET", path=path, **more)


def post(path: str, **more: Any) -> Ask:
    return Ask(method="POST", path=path, **more)


REASON = {"reason": "month end"}
SPAN = {"startsAt": "2026-11-24T08:00:00Z", "endsAt": "2026-11-24T09:00:00Z"}
RECORD = {"age": 41, "job": "technician", "marital": "married", "balance": 1506}
ASKS = {
    "getStatus": get("/api/status"),
    "getHealth": get("/api/health"),
    "listUploads": get("/api/uploads"),
    "getUpload": get("/api/uploads/may.csv"),
    "getUploadDrift": get("/api/uploads/april.csv/drift-picture"),
    "createUpload": post("/api/uploads/june.csv", content=bank_rows(3).encode(), headers=CSV),
    "listQuarantinedUploads": get("/api/quarantine"),
    "getQuarantinedUpload": get("/api/quarantine/may.csv"),
    "retryQuarantinedUpload": post("/api/quarantine/march.csv/retry", body=REASON),
    "readmitQuarantinedUpload": post("/api/quarantine/may.csv/readmit", body=REASON),
    "discardQuarantinedUpload": post("/api/quarantine/notes.csv/discard", body=REASON),
    "listDatasetVersions": get("/api/datasets"),
    "getDatasetVersion": get("/api/datasets/bank/1"),
    "getDoubtPicture": get("/api/datasets/bank/3/doubt-picture"),
    "retrainDataset": post("/api/datasets/bank/retrain", body=REASON),
    "experimentOnDataset": post("/api/datasets/bank/experiment", body=REASON),
    "listRuns": get("/api/runs"),
    "getRun": get("/api/runs/bank-v1-a1"),
    "listModels": get("/api/models"),
    "getModel": get("/api/models/bank/2"),
    "getModelCard": get("/api/models/bank/2/card"),
    "promoteModel": post("/api/models/bank/2/promote", body=REASON),
    "approveRelease": post("/api/models/bank/3/approve", body=REASON),
    "rejectRelease": post("/api/models/bank/3/reject", body=REASON),
    "getEndpointDescription": get("/api/endpoints/bank/swagger"),
    "scoreRecords": post("/api/endpoints/bank/score", body={"data": [RECORD]}),
    "rollBackEndpoint": post("/api/endpoints/bank/rollback", body=REASON),
    "listDeployments": get("/api/deployments"),
    "getDeployment": get("/api/deployments/campanha-bank/model-1"),
    "listBatches": get("/api/batches"),
    "scorePendingFiles": post("/api/batches", body=REASON),
    "getBatch": get("/api/batches/{batch}"),
    "getBatchDrift": get("/api/batches/{batch}/drift-picture"),
    "approveBatch": post("/api/batches/{held}/approve", body=REASON),
    "createBatch": post("/api/batches/july.csv", content=bank_rows(3).encode(), headers=CSV),
    "getScoredRows": get("/api/batches/{batch}/rows", params={"maxpagesize": 3}),
    "listOutcomes": get("/api/outcomes"),
    "getOutcome": get("/api/outcomes/{outcome}"),
    "getOutcomeFaults": get("/api/outcomes/{outcome}/faults"),
    "createOutcome": post("/api/outcomes/{batch}/july.csv", content=b"row,y\n1,yes\n2,no\n", headers=CSV),
    "listAlerts": get("/api/alerts", params={"maxpagesize": 3}),
    "getAlert": get("/api/alerts/{alert}"),
    "tryChannels": post("/api/alert-channels/test", body=REASON),
    "listFailures": get("/api/failures"),
    "getFailure": get("/api/failures/{failure}"),
    "retryFailure": post("/api/failures/{failure}/retry", body=REASON),
    "getLineage": get("/api/lineage/may.csv"),
    "withdrawUpload": post("/api/uploads/may.csv/withdraw", body=REASON),
    "trustDatasetVersion": post("/api/datasets/bank/1/trust", body=REASON),
    "getEventReplay": get("/api/events/replay", params={**SPAN, "type": "Campanha.ModelReleased"}),
    "replayEvents": post("/api/events/replay", body={**SPAN, **REASON}),
    "listEvents": get("/api/events", params={"maxpagesize": 3, "state": "admitted"}),
    "pauseWork": post("/api/pause", body=REASON),
    "resumeWork": post("/api/resume", body=REASON),
    "getConfig": get("/api/config"),
    "changeConfig": post("/api/config", scope=Scope.ADMIN, body={"settings": {"RUNS_PER_DAY": 5}, **REASON}),
    "getOperation": get("/api/operations/{operation}"),
    "listAuditEntries": get("/api/audit", scope=Scope.ADMIN, params={"maxpagesize": 3}),
    "getSession": get("/api/session"),
    "createSession": post("/api/session", body={"key": KEYS[Scope.OPERATOR]}, scope=None),
    "deleteSession": Ask(method="DELETE", path="/api/session", scope=None),
}
"""How each operation is asked, in this order: what changes something comes after what shows it."""

AGES = {
    "name": "age",
    "type": "integer",
    "edges": [],
    "shares": [1.0, 0.0],
    "minimum": 2000.0,
    "maximum": 9000.0,
    "orders": {"3": 40},
}
"""A model's profile of ages in hundredths: ages in years are implausible to it."""

DOUBTS = [
    {
        "version": 3,
        "kind": "label rate",
        "reason": "24 of 25 rows are positive, where about 3 were expected: +4.9 log-odds, of which seasons explain 3.5",
        "measure": "share of positives",
        "came": 0.96,
        "expected": 0.12,
        "plausible_low": 0.001,
        "plausible_high": 0.936,
    }
]

NOT_THERE: dict[str, Json] = {
    "getDatasetVersion": {"path": "/api/datasets/bank/99"},
    "getDoubtPicture": {"path": "/api/datasets/bank/99/doubt-picture"},
    "getModel": {"path": "/api/models/bank/99"},
    "getModelCard": {"path": "/api/models/bank/99/card"},
    "promoteModel": {"path": "/api/models/bank/99/promote"},
    "approveRelease": {"path": "/api/models/bank/99/approve"},
    "rejectRelease": {"path": "/api/models/bank/99/reject"},
    "getEndpointDescription": {"path": "/api/endpoints/other/swagger"},
    "scoreRecords": {"path": "/api/endpoints/other/score"},
    "rollBackEndpoint": {"path": "/api/endpoints/other/rollback"},
    "retrainDataset": {"path": "/api/datasets/other/retrain"},
    "experimentOnDataset": {"path": "/api/datasets/other/experiment"},
    "withdrawUpload": {"path": "/api/uploads/other.csv/withdraw"},
    "trustDatasetVersion": {"path": "/api/datasets/bank/99/trust"},
    "getDeployment": {"path": "/api/deployments/campanha-bank/model-99"},
    "getScoredRows": {"path": "/api/batches/other/rows"},
    "getUploadDrift": {"path": "/api/uploads/other.csv/drift-picture"},
    "getBatchDrift": {"path": "/api/batches/other/drift-picture"},
    "approveBatch": {"path": "/api/batches/other-12345678/approve"},
    "getOutcomeFaults": {"path": "/api/outcomes/other/faults"},
    "retryFailure": {"path": "/api/failures/other/retry"},
    "retryQuarantinedUpload": {"path": "/api/quarantine/other.csv/retry"},
    "readmitQuarantinedUpload": {"path": "/api/quarantine/other.csv/readmit"},
    "discardQuarantinedUpload": {"path": "/api/quarantine/other.csv/discard"},
    "scorePendingFiles": {"body": {"name": "other.csv"}},
    "getEventReplay": {"params": {**SPAN, "subscriber": "other"}},
    "replayEvents": {"body": {**SPAN, "subscriber": "other"}},
}
"""What makes a request be of something that is not there, where that is not another name in the collection."""
AFTERWARDS = (
    ("discardQuarantinedUpload", ASKS["discardQuarantinedUpload"]),
    ("readmitQuarantinedUpload", post("/api/quarantine/notes.csv/readmit", body=REASON)),
    ("withdrawUpload", post("/api/uploads/notes.csv/withdraw", body=REASON)),
    ("retryFailure", ASKS["retryFailure"]),
    ("pauseWork", post("/api/pause", body=REASON, headers={"idempotency-key": "used-once"})),
    (
        "pauseWork",
        post("/api/pause", body={"reason": "moving house"}, headers={"idempotency-key": "used-once"}),
    ),
    ("changeConfig", post("/api/config", scope=Scope.ADMIN, body={"settings": {"SERVES": "all"}, **REASON})),
    (
        "changeConfig",
        post(
            "/api/config", scope=Scope.ADMIN, body={"settings": {"RUNS_PER_DAY": 6}, "version": 0, **REASON}
        ),
    ),
    ("listUploads", get("/api/uploads", params={"state": "lost"})),
    ("listUploads", get("/api/uploads", params={"maxpagesize": 1000})),
)
"""What else can go wrong, once all of that is done."""
SHARED = ("400", "401", "403", "413", "429", "500", "503", "default")
"""Statuses that are answered before, or beside, the routes: the same for each operation, and recorded once."""


class Recorder:
    """An app with something of everything in it, and what it answers."""

    def __init__(self, described: Json) -> None:
        self.described = {
            operation["operationId"]: operation
            for methods in described["paths"].values()
            for operation in methods.values()
        }
        self.world = World()
        self.names = _lived_in(self.world)
        self.app = app_over(self.world, rate_limit_per_minute=10**6)

    def operations(self) -> Json:
        """What each operation answers, by status."""
        found = {name: list(self._answers(name, ask)) for name, ask in ASKS.items()}
        for name, ask in AFTERWARDS:
            found[name].append(self._ask(ask))
        return {name: _by_status(name, ASKS[name], answers) for name, answers in found.items()}

    def problems(self) -> Json:
        """What any operation may answer, by status."""
        uploads = get("/api/uploads")
        failing = app_over(self.world, rate_limit_per_minute=10**6)
        limited = app_over(self.world, rate_limit_per_minute=1)
        self._ask(uploads, limited)
        with mock.patch.object(self.app.state, "services", _raises(RuntimeError(FAILURE))):
            broken = self._ask(uploads)
        with mock.patch.object(failing.state, "services", _raises(Transient(FAILURE))):
            away = self._ask(uploads, failing)
        answers = {
            "400": self._ask(replace(uploads, params={"api-version": ""})),
            "401": self._ask(replace(uploads, scope=None)),
            "403": self._ask(replace(ASKS["pauseWork"], scope=Scope.READER)),
            "413": self._ask(replace(ASKS["pauseWork"], body={"reason": "x" * 70_000})),
            "429": self._ask(uploads, limited),
            "500": broken,
            "503": away,
        }
        return {status: _named(_checked(answer, status)) for status, answer in answers.items()}

    def _answers(self, name: str, ask: Ask) -> Iterator[Answer]:
        declared = self.described[name]["responses"]
        for status in (status for status in declared if status >= "400" and status not in SHARED):
            yield _checked(self._failing(name, ask, status), status)
        good = self._ask(ask)
        if "operation-location" in good.headers:
            self.names["operation"] = good.json()["id"]
        yield good
        if "304" in declared:
            again = self._ask(replace(ask, headers={**ask.headers, "if-none-match": good.headers["etag"]}))
            yield _checked(again, "304")

    def _failing(self, name: str, ask: Ask, status: str) -> Answer:
        match status:
            case "404":
                beside = {"path": f"{ask.path.rpartition('/')[0]}/other"}
                return self._ask(replace(ask, **NOT_THERE.get(name, beside)))
            case "409":
                return self._while_the_same_is_under_way(ask)
            case "415":
                return self._ask(replace(ask, headers={"content-type": "image/png"}))
            case "422" if ask.content:
                return self._ask(replace(ask, content=b""))
            case "422":
                return self._ask(replace(ask, body={"reason": 7, "data": [], "key": ""}))
        raise AssertionError(f"how does {name} end with {status}?")

    def _while_the_same_is_under_way(self, ask: Ask) -> Answer:
        """Another worker has begun the request of this Idempotency-Key, and is at it."""
        headers = {**ask.headers, "idempotency-key": f"{ask.path} by another worker"[-40:].replace(" ", "-")}
        with mock.patch.object(idempotency, "fingerprint", return_value="the same"):
            caller = f"key:{(ask.scope or Scope.OPERATOR).label}"
            idempotency.begin(headers["idempotency-key"], caller, "the same", self.world.services)
            return self._ask(replace(ask, headers=headers))

    def _ask(self, ask: Ask, app: FastAPI | None = None) -> Answer:
        client: Client = client_of(app or self.app, scope=ask.scope)
        params = None if ask.params is None else {**VERSION, **ask.params}
        return client.request(
            ask.method,
            ask.path.format(**self.names),
            body=ask.body,
            content=ask.content,
            headers={"traceparent": TRACEPARENT, **ask.headers},
            params={name: value for name, value in params.items() if value} if params else None,
        )


def _lived_in(world: World) -> dict[str, str]:
    """Three model versions, one of them in service, one whose release waits for a person; a batch; rows and files in
    quarantine; a dead letter."""
    world.ledger.documents.write(CURSOR, "webhook-4f1c2a9be0d7", Cursor(next=0, shook_hands=True), over=None)
    world.tell(world.drop("march.csv", bank_rows(20).replace("\n22;", "\n212;", 1)))
    world.tell(world.drop("notes.csv", "name;phone\nMaria;1\n"))
    world.tell(world.drop("may.csv", bank_rows(30, start=50).replace("\n22;", "\nold;", 1)))
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("april.csv", bank_rows(25, start=100)))
    for version in (2, 3):
        world.finish_run(f"bank-v{version}-a1", worse=True, doubts=DOUBTS if version == 3 else [])
    world.files.write("scoring", "clients.csv", _clients(5))
    world.tell(ScoringDue(tick="1"), StepDeadLettered(queue="steps", about="x", reason=FAILURE))
    batch = world.ledger.newest("batch")[0].id
    world.tell(world.drop_outcomes(f"{batch}/called.csv", "row,y\n1,yes\n2,no\n3,perhaps\n5,no\n"))
    world.workspace.documents["bank", 1]["profile"] = {"rows": 40, "columns": [AGES]}
    world.files.write("scoring", "off.csv", _clients(6))
    world.tell(ScoringDue(tick="2"))
    (held,) = [one for one in world.ledger.newest("batch") if one.state == "held"]
    world.policy = replace(world.policy, release_approval="required")
    wanted = PromotionRequested(
        dataset="bank",
        version=3,
        operation="",
        requested_ms=round(world.now().timestamp() * 1000),
        by="key:admin",
        reason="urgent",
    )
    world.tell(wanted, within=60)
    world.tell(AlertCheckDue(tick="1", clock="ReconcileDue"), within=0)
    return {
        "batch": batch,
        "held": held.id,
        "outcome": world.ledger.newest("outcome")[0].id,
        "alert": world.ledger.newest("alert")[0].id,
        "failure": world.ledger.newest("failure")[0].id,
        "operation": "",
    }


def _clients(count: int) -> bytes:
    return ("\n".join(line.rsplit(";", 1)[0] for line in bank_rows(count).splitlines()) + "\n").encode()


def _raises(cause: Exception) -> Any:
    def services() -> Any:
        raise cause

    return services


def _checked(answer: Answer, status: str) -> Answer:
    assert str(answer.status_code) == status, (status, answer.status_code, answer.content)
    return answer


def _by_status(name: str, ask: Ask, answers: list[Answer]) -> Json:
    """What was sent, and each answer by its status and name."""
    sent = ask.content.decode() if ask.content else ask.body
    found: Json = {} if sent is None else {"request": sent}
    for answer in answers:
        found.setdefault(str(answer.status_code), {}).update(_named(answer))
    return found


def _named(answer: Answer) -> Json:
    """An answer by its name: an error's is its code."""
    headers = {name: answer.headers[name] for name in SHOWN_HEADERS if name in answer.headers}
    drawn = answer.headers.get("content-type") == "image/svg+xml"
    body = answer.content.decode() if drawn else answer.json() if answer.content else None
    shown = {"headers": headers, **({} if body is None else {"body": body})}
    return {headers.get("x-ms-error-code", "recorded"): shown}


@contextmanager
def _the_same_each_time() -> Iterator[None]:
    """Operations and traces are numbered, nobody waits, and however slow the machine, no time goes by for callers."""
    numbers, traces = itertools.count(1), itertools.count(1)

    async def at_once(*_: object, **__: object) -> bool:
        return False

    def numbered() -> uuid.UUID:
        return uuid.UUID(int=0x6F3C1D0F2A8B4A5F9C0D1E2F3A4B0000 + next(numbers))

    with (
        mock.patch.object(uuid, "uuid4", numbered),
        mock.patch.object(trace, "token_hex", lambda size: digest(str(next(traces)))[: 2 * size]),
        mock.patch.object(Watch, "changed", at_once),
        mock.patch.object(http_app, "Limiter", partial(Limiter, now=lambda: 0.0)),
    ):
        yield


def recorded() -> str:
    """What the product answers, as the file has it."""
    with mock.patch.object(openapi, "add_examples"):  # which may be of another release, or none
        described = openapi.describe(app_over(World()))
    with _the_same_each_time():
        recorder = Recorder(described)
        found = {"problems": recorder.problems(), "operations": recorder.operations()}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    text = re.sub(r'(?<="etag": "\\")\w{32}', TAG, text)
    text = re.sub(r"deltatoken=[\w-]+", f"deltatoken={TOKEN}", text)
    for scope, key in KEYS.items():
        text = text.replace(key, f"(a key of the scope {scope.label})")
    return text + "\n"


if __name__ == "__main__":
    API_EXAMPLES.write_text(recorded(), encoding="utf-8")
    print(f"{API_EXAMPLES.relative_to(ROOT)} written")
