"""A caller's trace goes on in what its request leads to; reading leaves no span."""

from __future__ import annotations

from unittest import mock

import pytest
from flow.exported import exporting
from flow.world import World, bank_rows

from shared.domain.trace import Trace
from tests.http.asking import Client, app_over, client_of

CALLER = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
CSV = {"content-type": "text/csv"}


def test_a_callers_trace_goes_on_to_the_run(world: World, operator: Client) -> None:
    with exporting() as exported:
        headers = {**CSV, "traceparent": CALLER.traceparent}
        operator.post("/api/uploads/may.csv", content=bank_rows(30).encode(), headers=headers)
        world.tell(*world.bus.take())
    shown = {kind: operator.get(f"/api/{kind}").json()["value"][0] for kind in ("uploads", "runs")}
    assert {record["traceId"] for record in shown.values()} == {CALLER.trace_id}
    (operation,) = world.ledger.newest("operation")
    assert operation.trace is not None
    assert operation.trace.is_with(CALLER)
    (request,) = [span for span in exported.spans if span.parent == CALLER.span_id]
    assert request.name == "POST /api/uploads/{name:path}"
    assert request.attributes == {"http.request.method": "POST", "http.response.status_code": 202}
    spans = {span.place.span_id: span for span in exported.spans}
    begun = next(span for span in exported.spans if span.name == "begin_operation")
    assert spans[begun.parent] is request, "no fact of it is a root"
    assert exported.roots() == {}


def test_who_reads_leaves_no_span(world: World, operator: Client) -> None:
    with exporting() as exported:
        operator.get("/api/status", headers={"traceparent": CALLER.traceparent})
        operator.get("/api/uploads/nobody.csv")
    assert exported.spans == []


def test_a_request_that_is_refused_is_no_error_of_ours(world: World, operator: Client) -> None:
    with exporting() as exported:
        operator.post("/api/models/bank/1/promote", headers={"traceparent": CALLER.traceparent})
    (span,) = exported.spans
    assert span.attributes["http.response.status_code"] in (404, 409, 422)
    assert span.problem == ""


def test_one_that_fails_says_with_what_kind_of_error_and_no_more(world: World) -> None:
    app = app_over(world)
    with (
        exporting() as exported,
        mock.patch.object(app.state, "services", side_effect=RuntimeError("a secret")),
    ):
        answer = client_of(app).get("/api/uploads", headers={"traceparent": CALLER.traceparent})
    assert answer.json()["traceId"] == CALLER.trace_id
    (span,) = exported.spans
    assert (span.problem, span.attributes["http.response.status_code"]) == ("RuntimeError", 500)
    assert "a secret" not in repr(span)


@pytest.mark.parametrize("given", ["", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01"])
def test_a_malformed_trace_is_passed_over(world: World, operator: Client, given: str) -> None:
    answer = operator.post(
        "/api/uploads/may.csv", content=bank_rows(30).encode(), headers={**CSV, "traceparent": given}
    )
    assert answer.status_code == 202
    assert Trace.read(answer.headers["traceparent"]) is not None
