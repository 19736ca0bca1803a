"""Whatever a service answers (cut, huge, of the wrong kind, no HTTP at all), the outcome is one that the port names."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pytest
from azure.core.credentials import AccessToken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from unit.adapters.any_answer import ANY_JSON, JSON, RawServer, answers, bent, raw_server
from unit.adapters.model_server import answer_of

from shared.adapters import scoring
from shared.adapters.azureml import AzureWorkspace
from shared.adapters.http_client import Reply
from shared.adapters.model_api import RestModelApi
from shared.adapters.pipelines import INPUTS_TAG, RUN_TAG, BatchPipeline, PublishedPipeline
from shared.adapters.scoring import RestEndpoint
from shared.domain.models.arrow_wire import packed, unpacked
from shared.errors import Refused, Transient, Unanswerable
from shared.ports import RunRequest

ROWS = pa.record_batch([pa.array(range(20, 25), pa.int8())], names=["age"])
REQUEST = RunRequest(name="bank-v1-a1", dataset="bank", version=1, parts_url="p", manifest_sha256="a")
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


class Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("t", 2_000_000_000)


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server() as served:
        yield served


SOUND = answer_of(ROWS)
ARROW = st.one_of(
    st.just(SOUND), bent(SOUND), st.integers(0, len(SOUND)).map(lambda end: SOUND[:end]), ANY_JSON
)


@MANY
@given(said=st.lists(answers(ARROW), min_size=1, max_size=3))
def test_the_model_endpoint(server: RawServer, said: list[bytes]) -> None:
    server.answers, server.asked = said, 0
    endpoint = RestEndpoint(lambda _: (server.url, "key"), in_flight=2, patience=0.05)
    try:
        found = endpoint.score("e", "model-7", ROWS)
    except (Transient, Refused) as no:
        return _can_be_written_down(no)
    assert len(found.answers) == ROWS.num_rows
    assert found.model_version.encode()
    scores = found.answers.scores().tolist()
    assert all(0 <= score <= 1 for row, score in enumerate(scores) if row not in found.answers.problems)
    assert all(1 <= tenth <= 10 for tenth in found.answers.decile)


@MANY
@given(said=st.lists(answers(ANY_JSON), min_size=1, max_size=2))
def test_the_model_endpoint_for_prospects(server: RawServer, said: list[bytes]) -> None:
    server.answers, server.asked = said, 0
    api = RestModelApi(lambda _: (server.url, "key"))
    for ask in (lambda: api.score("e", b"{}"), lambda: api.swagger("e")):
        try:
            found = ask()
        except Transient:
            continue
        assert isinstance(found, dict) or (isinstance(found[0], int) and isinstance(found[1], bytes))


STARTED = json.dumps({"name": "bank-v1-a1", "id": "/subscriptions/1"}).encode()
ERRORS = st.fixed_dictionaries({"error": JSON | st.fixed_dictionaries({"code": JSON})}).map(
    lambda one: json.dumps(one).encode()
)


@MANY
@given(said=st.lists(answers(st.just(STARTED) | bent(STARTED) | ANY_JSON | ERRORS), min_size=1, max_size=2))
def test_the_batch_endpoint(server: RawServer, said: list[bytes]) -> None:
    server.answers, server.asked = said, 0
    pipeline = BatchPipeline(
        Credential(), workspace_id="w", address=lambda: server.url, find_run=lambda name, tag: None
    )
    _named(lambda: pipeline.submit(REQUEST))


TAGS = {RUN_TAG: REQUEST.name, INPUTS_TAG: REQUEST.digest}
LISTED = json.dumps([{"Id": "r1", "tags": TAGS}, {"Id": "r2", "tags": None}]).encode()
ODD_LISTS = st.lists(
    st.fixed_dictionaries({}, optional={"Id": JSON, "tags": JSON | st.just(TAGS)}), max_size=2
).map(lambda one: json.dumps(one).encode())


LISTS = st.one_of(st.sampled_from([LISTED, b"[]"]), bent(LISTED), ODD_LISTS, ANY_JSON)


@MANY
@given(said=st.lists(answers(LISTS), min_size=1, max_size=2))
def test_the_published_pipeline(server: RawServer, said: list[bytes]) -> None:
    server.answers, server.asked = said, 0
    pipeline = PublishedPipeline(Credential(), url=f"{server.url}/PipelineSubmit/p1", workspace_id="w")
    _named(lambda: pipeline.submit(REQUEST))


def _named(submit: Any) -> None:
    try:
        run = submit()
    except (Transient, Refused) as no:
        return _can_be_written_down(no)
    assert isinstance(run, str)
    assert run.strip()
    assert run.encode()


def _can_be_written_down(no: Exception) -> None:
    assert str(no).encode()


# --- what this found ------------------------------------------------------------------------------------------


def answered(body: bytes, status: int = 200, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def batch_endpoint(server: RawServer, said: bytes) -> BatchPipeline:
    server.answers, server.asked = [said], 0
    return BatchPipeline(Credential(), workspace_id="w", address=lambda: server.url, find_run=lambda *_: None)


NAMELESS = [b"[]", b"{}", b"3", b'{"name": null}', b'{"name": " "}', b'{"name": "\\ud800"}', b"[" * 100_000]


@pytest.mark.parametrize("body", NAMELESS, ids=lambda body: str(body[:20]))
def test_a_run_that_was_taken_without_a_name_may_have_started(server: RawServer, body: bytes) -> None:
    with pytest.raises(Transient, match="without"):
        batch_endpoint(server, answered(body, 201)).submit(REQUEST)


@pytest.mark.parametrize(
    "error", ["text", ["a"], {"code": {"a": 1}}, {"code": "\ud800"}, {"code": "Denied"}, 3]
)
def test_a_no_is_a_no_however_it_is_worded(server: RawServer, error: Any) -> None:
    body = json.dumps({"error": error}).encode()
    with pytest.raises(Refused, match=r"answered 400 (Said|Denied)"):
        batch_endpoint(server, answered(body, 400)).submit(REQUEST)


def test_a_length_that_is_no_number_is_no_whole_answer(server: RawServer) -> None:
    said = b"HTTP/1.1 201 Said\r\nContent-Length: many\r\n\r\n" + STARTED
    with pytest.raises(Transient, match="gave no answer"):
        batch_endpoint(server, said).submit(REQUEST)


@pytest.mark.parametrize("runs", [[{"tags": TAGS}], [{"Id": 3, "tags": TAGS}], [{"Id": "r", "tags": "t"}]])
def test_a_list_of_runs_that_names_none_finds_none(server: RawServer, runs: list[Any]) -> None:
    server.answers, server.asked = [answered(json.dumps(runs).encode())], 0
    pipeline = PublishedPipeline(Credential(), url=f"{server.url}/PipelineSubmit/p1", workspace_id="w")
    if runs[0]["tags"] == TAGS:
        with pytest.raises(Transient, match="without the Id"):
            pipeline.find(REQUEST)
    else:
        assert pipeline.find(REQUEST) is None


def test_a_run_of_that_name_with_other_inputs_is_not_ours(server: RawServer) -> None:
    for inputs, ours in ((REQUEST.digest, True), ("other", False)):
        runs = [{"Id": "r1", "tags": {RUN_TAG: REQUEST.name, INPUTS_TAG: inputs}}]
        server.answers, server.asked = [answered(json.dumps(runs).encode())], 0
        pipeline = PublishedPipeline(Credential(), url=f"{server.url}/PipelineSubmit/p1", workspace_id="w")
        if ours:
            assert pipeline.find(REQUEST) == "r1"
        else:
            with pytest.raises(Refused, match="started with other inputs"):
                pipeline.find(REQUEST)


@pytest.mark.parametrize("wish", ["9" * 400, "86400"])
def test_an_endpoint_cannot_ask_for_a_pause_without_end(wish: str) -> None:
    reply = Reply(429, CaseInsensitiveDict({"Retry-After": wish}), b"")
    assert scoring._pause(reply, 0) == scoring.LONGEST_PAUSE


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"error": {"message": "\\ud800"}}'])
def test_the_reason_of_a_no_can_be_written_down(server: RawServer, body: bytes) -> None:
    server.answers, server.asked = [answered(body, 424)], 0
    with pytest.raises(Unanswerable, match="answered 424") as no:
        RestEndpoint(lambda _: (server.url, "key"), in_flight=2, patience=1).score("e", "model-7", ROWS)
    _can_be_written_down(no.value)


COLUMNS = {
    "probability": pa.array([0.5] * 5),
    "decile": pa.array([5] * 5, pa.int8()),
    "decision": pa.array(["call"] * 5),
}
ODD = {
    "probability": [pa.array([[0.5]] * 5), pa.array(["0.5"] * 5), pa.array([True] * 5)],
    "decile": [pa.array([5.5] * 5), pa.array(["5"] * 5), pa.array([[5]] * 5)],
    "decision": [pa.array([["call"]] * 5), pa.array([1] * 5), pa.array([1] * 5).dictionary_encode()],
    "problem": [pa.array([[None]] * 5), pa.array([1] * 5)],
}


@pytest.mark.parametrize(("name", "column"), [(name, one) for name, odd in ODD.items() for one in odd])
def test_answers_of_another_type_are_none(name: str, column: Any) -> None:
    table = pa.table(COLUMNS).replace_schema_metadata({"version": "7"})
    assert unpacked(packed(table.to_batches()), rows=5)[0] == "7"
    odd = pa.table({**COLUMNS, name: column}).replace_schema_metadata({"version": "7"})
    with pytest.raises(ValueError, match=f"the answer's {name} is of another type"):
        unpacked(packed(odd.to_batches()), rows=5)


def test_an_offset_that_leads_out_of_the_answer_is_not_followed() -> None:
    offsets = pa.py_buffer(struct.pack("<6i", 0, 4, 2**30, 12, 16, 20))
    outside = pa.StringArray.from_buffers(5, offsets, pa.py_buffer(b"call" * 5))
    odd = pa.table({**COLUMNS, "decision": outside}).replace_schema_metadata({"version": "7"})
    with pytest.raises(ValueError, match="no Arrow stream"):
        unpacked(packed(odd.to_batches()), rows=5)


@pytest.mark.parametrize(
    "stumble", [KeyError("id"), AttributeError("x"), TypeError(), json.JSONDecodeError("", "", 0)]
)
def test_what_the_sdk_stumbles_over_is_asked_again(stumble: Exception) -> None:
    """It reads an answer as if all were there that should be."""
    workspace = AzureWorkspace(Mock(), Credential())
    workspace.__dict__["client"] = Mock(
        **{"jobs.get.side_effect": stumble, "models.download.side_effect": stumble}
    )
    asked = (
        lambda: workspace.run("r"),
        lambda: workspace.model_documents("bank", 1),
        lambda: workspace.learned_rows("bank", 1),
    )
    for ask in asked:
        with pytest.raises(Transient, match="cannot read"):
            ask()
