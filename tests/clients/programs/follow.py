"""Drop a file, follow it to its model, have clients scored, read the rows. `campanha` is generated from openapi.json."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
from campanha import AuthenticatedClient
from campanha.api.batches import create_batch
from campanha.api.endpoints import score_records
from campanha.api.models import promote_model
from campanha.api.uploads import create_upload
from campanha.models import (
    ActionReason,
    Batch,
    ModelVersion,
    Operation,
    Problem,
    Run,
    ScoredRows,
    ScoreRequest,
    Upload,
)
from campanha.types import File, Response, Unset

VERSION: Final = "2026-11-29"
PAUSE_SECONDS = 3  # what a proxy answers has no Retry-After
MOST_TRIES = 100
T = TypeVar("T")


class Patient(httpx.HTTPTransport):
    """Asks again after 429 (too many requests) and 503 (not now), when Retry-After says."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()  # so that it can be sent again
        answer = super().handle_request(request)
        for _ in range(MOST_TRIES):
            if answer.status_code not in (429, 503):
                break
            answer.close()
            said = answer.headers.get("Retry-After", "")
            time.sleep(int(said) if said.isdigit() else PAUSE_SECONDS)
            answer = super().handle_request(request)
        return answer


def finished(link: str | Unset, shape: Callable[[Any], T]) -> T:
    """Asks until nothing more is to come: an answer that may still change has Retry-After."""
    tag = '"none"'
    while True:
        query = {"api-version": VERSION, "wait": "5"}
        answer = http.get(str(link), params=query, headers={"If-None-Match": tag})
        if answer.status_code == 304:
            continue
        tag = answer.raise_for_status().headers["ETag"]
        if "Retry-After" not in answer.headers:
            return shape(answer.json())


def done(accepted: Response[Any]) -> str | Unset:
    """What the operation was about, once it is over."""
    return finished(accepted.headers["Operation-Location"], Operation.from_dict).resource_location


client = AuthenticatedClient(
    base_url=os.environ["CAMPANHA_URL"],
    token=os.environ["CAMPANHA_KEY"],  # a token of Microsoft Entra: without the next two lines
    prefix="",
    auth_header_name="x-functions-key",
    timeout=httpx.Timeout(60),
    httpx_args={"transport": Patient()},
)
http = client.get_httpx_client()
train, score, one = map(Path, sys.argv[1:4])

with train.open("rb") as file:
    key = uuid4().hex  # sent again, the request does nothing twice
    sent = create_upload.sync_detailed(
        train.name, client=client, body=File(file), api_version=VERSION, idempotency_key=key
    )
upload = finished(done(sent), Upload.from_dict)
run = finished(upload.links.run, Run.from_dict)
model = finished(upload.links.model, ModelVersion.from_dict)
print(f"upload {upload.state}, run {run.state}, model {model.state}")

asked = ScoreRequest.from_dict({"data": [json.loads(one.read_bytes())]})
answer = score_records.sync(str(model.dataset), client=client, body=asked, api_version=VERSION)
print("scored" if not isinstance(answer, Problem) else answer.code)

with score.open("rb") as file:
    key = uuid4().hex
    sent = create_batch.sync_detailed(
        score.name, client=client, body=File(file), api_version=VERSION, idempotency_key=key
    )
batch = finished(done(sent), Batch.from_dict)
rows = finished(batch.links.rows, ScoredRows.from_dict)
print(f"batch {batch.state}, {batch.rows} rows with {', '.join(rows.columns[-4:])}")

why = ActionReason(reason="it was better")
refused = promote_model.sync(str(model.dataset), 999, client=client, body=why, api_version=VERSION)
print(f"refused: {refused.code}" if isinstance(refused, Problem) else "not refused")
