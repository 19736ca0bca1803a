"""The client of the model's endpoint against real HTTP that misbehaves in every way we know of."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from unit.adapters import model_server as wrong
from unit.adapters.model_server import ModelServer, model_server, scores, status

from shared import telemetry
from shared.adapters import scoring
from shared.adapters.scoring import RestEndpoint
from shared.domain.trace import Trace
from shared.errors import Refused, Transient, Unanswerable
from shared.telemetry.spans import Active

ROWS = pa.record_batch([pa.array(range(20, 40), pa.int8()), pa.array(["a", None] * 10)], names=["age", "job"])


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as served:
        yield served


def client(server: ModelServer, *, in_flight: int = 8, patience: float = 5) -> RestEndpoint:
    return RestEndpoint(server.address, in_flight=in_flight, patience=patience)


def asked(endpoint: RestEndpoint, rows: Any = ROWS) -> list[float]:
    found = endpoint.score("campanha-bank", "model-7", rows)
    assert found.model_version == "7"
    return found.answers.scores().tolist()


def test_one_answer_a_row_and_the_deployment_is_named(server: ModelServer) -> None:
    endpoint = client(server)
    assert asked(endpoint) == scores(ROWS)
    assert asked(endpoint, ROWS.slice(3, 2)) == scores(ROWS.slice(3, 2))
    assert {headers["azureml-model-deployment"] for headers in server.headers} == {"model-7"}


def test_the_endpoint_is_told_of_the_trace(server: ModelServer) -> None:
    endpoint, place = client(server), Trace.begun()
    with telemetry.span(Active("score_shard", place, "")):
        asked(endpoint)
    asked(endpoint)
    assert [headers.get("traceparent") for headers in server.headers] == [place.traceparent, None]


@pytest.mark.parametrize(
    "fault",
    [
        status(429, Retry_After="0"),
        status(503),
        status(408),
        status(502),
        status(500),
        wrong.short,
        wrong.nan,
        wrong.no_arrow,
        wrong.hang_up,
        wrong.cut_off,
        wrong.cut_and_whole_by_its_length,
    ],
)
def test_a_passing_fault_is_asked_again(server: ModelServer, fault: wrong.Fault) -> None:
    server.faults = [fault, fault]
    assert asked(client(server)) == scores(ROWS)
    assert len(server.calls) == 3


def test_an_answer_that_drips_in_is_given_up(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "REQUEST_SECONDS", 0.2)
    server.faults = [wrong.drip]
    assert asked(client(server)) == scores(ROWS)
    assert len(server.calls) == 2


def test_retry_after_is_kept_by_all(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.faults = [status(429, Retry_After="1")]
    endpoint = client(server, in_flight=1, patience=0.5)
    with pytest.raises(Transient, match=r"busy or down"):
        endpoint.score("campanha-bank", "model-7", ROWS)
    assert len(server.calls) == 1


def test_a_rotated_key_is_looked_up_again(server: ModelServer) -> None:
    endpoint = client(server)
    asked(endpoint)
    server.keys.append("new key")
    assert asked(endpoint) == scores(ROWS)
    server.keys.append("")
    server.keys[-1] = "newer"
    endpoint._addresses._look_up = lambda _: (server.url, "wrong")
    with pytest.raises(Transient, match=r"401: said the server; may the app's identity score there\?"):
        asked(endpoint)


def test_a_late_refusal_does_not_forget_the_key_another_thread_fetched(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, sent, looked_up = client(server), scoring.ask, list[str]()
    server.keys.append("new key")
    endpoint._addresses._known["campanha-bank"] = (server.url, "an old key")

    def renewed_meanwhile(*asked: Any, **how: Any) -> Any:
        reply = sent(*asked, **how)
        if reply.status == 401:
            endpoint._addresses._known["campanha-bank"] = server.address("campanha-bank")
            endpoint._addresses._look_up = lambda name: looked_up.append(name) or server.address(name)
        return reply

    monkeypatch.setattr(scoring, "ask", renewed_meanwhile)
    assert asked(endpoint) == scores(ROWS)
    assert looked_up == []


def test_a_key_may_be_forgotten_while_it_is_looked_for(server: ModelServer) -> None:
    class Forgetful(dict[str, tuple[str, str]]):
        def __contains__(self, key: object) -> bool:
            return super().__contains__(key) and self.pop(str(key)) is not None

    endpoint = client(server)
    endpoint._addresses._known = Forgetful({"campanha-bank": server.address("campanha-bank")})
    assert asked(endpoint) == scores(ROWS)


def test_a_token_that_expires_while_the_endpoint_is_busy_is_asked_for_again(server: ModelServer) -> None:
    endpoint = client(server)

    def busy_and_then_new(_: Any) -> wrong.Fault | None:
        if len(server.calls) == 2:
            server.keys.append("new token")
        return status(429, Retry_After="0") if len(server.calls) == 1 else None

    server.always = busy_and_then_new
    assert asked(endpoint) == scores(ROWS)
    assert len(server.calls) == 3


def test_who_has_no_role_yet_is_let_in_later(server: ModelServer) -> None:
    """A role may take half an hour to work: the shard is tried again, and then a dead letter that a person sees."""
    server.always = lambda _: status(403)
    with pytest.raises(Transient, match="403"):
        asked(client(server))
    server.always = lambda _: None
    assert asked(client(server)) == scores(ROWS)


@pytest.mark.parametrize("code", [400, 413, 424])
def test_what_the_model_cannot_answer_is_told_apart(server: ModelServer, code: int) -> None:
    server.always = lambda _: status(code)
    with pytest.raises(Unanswerable, match=f"{code}: said the server"):
        asked(client(server))
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", [wrong.nan, wrong.short, wrong.no_arrow])
def test_answers_that_are_none_are_not_asked_for_for_ever(server: ModelServer, fault: wrong.Fault) -> None:
    server.always = lambda _: fault
    with pytest.raises(Unanswerable):
        asked(client(server))
    assert len(server.calls) == scoring.MOST_UNUSABLE


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_clients_rows_go_nowhere_else(server: ModelServer, code: int) -> None:
    with model_server() as elsewhere:
        for place in (elsewhere.url, "/elsewhere"):
            server.faults = [status(code, Location=place)]
            with pytest.raises(Refused, match=str(code)):
                asked(client(server))
        assert (elsewhere.calls, elsewhere.followed, server.followed) == ([], [], [])
    assert len(server.calls) == 2


def test_an_answer_beyond_all_bounds_is_none(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "LARGEST_ANSWER", 999)
    server.always = lambda _: wrong.endless
    with pytest.raises(Unanswerable, match="more than 999 bytes"):
        asked(client(server))
    assert len(server.calls) == scoring.MOST_UNUSABLE


@pytest.mark.parametrize("left", range(0, 1000, 37))
def test_wherever_an_answer_is_cut_it_is_asked_again(server: ModelServer, left: int) -> None:
    server.faults = [lambda call: call.send(200, wrong.answer_of(call.rows, version=call.version)[:left])]
    assert asked(client(server)) == scores(ROWS)


def test_a_missing_deployment_is_refused(server: ModelServer) -> None:
    server.always = lambda _: status(404)
    with pytest.raises(Refused) as refused:
        asked(client(server))
    assert not isinstance(refused.value, Unanswerable)


def test_no_more_are_under_way_than_the_endpoint_takes(server: ModelServer) -> None:
    endpoint = client(server, in_flight=3)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda at: asked(endpoint, ROWS.slice(at, 4)), range(12)))
    assert found == [scores(ROWS.slice(at, 4)) for at in range(12)]
    assert server.most_under_way <= 3
