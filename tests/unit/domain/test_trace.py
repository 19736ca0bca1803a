"""A trace is read as W3C writes it, anything else is none; and it is around a fact, never in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.facts import Fact, ReconcileDue, ShardDue, UploadArrived
from shared.domain.trace import Trace
from shared.errors import Transient, UnreadableMessage

IDS = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
TRACE = Trace(*IDS)
FACT = UploadArrived(name="may.csv", etag="0x8D")


def test_a_traceparent_is_read_as_it_is_written() -> None:
    assert Trace.read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") == TRACE
    assert Trace.read(TRACE.traceparent) == TRACE


def test_a_later_version_may_say_more_behind_the_flags() -> None:
    assert Trace.read(f"cc-{IDS[0]}-{IDS[1]}-01-what-the-future-will-be-like") == TRACE
    assert Trace.read(f"cc-{IDS[0]}-{IDS[1]}-01") == TRACE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{IDS[0]}-{IDS[1]}",
        f"00-{IDS[0]}-{IDS[1]}-1",
        f"00-{IDS[0]}-{IDS[1]}-01-more",
        f"ff-{IDS[0]}-{IDS[1]}-01",
        f"00-{'0' * 32}-{IDS[1]}-01",
        f"00-{IDS[0]}-{'0' * 16}-01",
        f"00-{IDS[0].upper()}-{IDS[1]}-01",
        f" 00-{IDS[0]}-{IDS[1]}-01",
        f"cc-{IDS[0]}-{IDS[1]}-01.more",
        None,
        7,
        {"trace": "x"},
    ],
)
def test_anything_else_is_none(text: object) -> None:
    assert Trace.read(text) is None


@given(st.text() | st.integers() | st.none() | st.binary())
def test_nothing_fails_to_be_read(text: object) -> None:
    assert Trace.read(text) is None or isinstance(text, str)


def test_a_trace_is_no_part_of_a_fact() -> None:
    traced = FACT.in_trace(TRACE)
    assert traced == FACT
    assert (traced.key, hash(traced), repr(traced)) == (FACT.key, hash(FACT), repr(FACT))
    assert traced.to_json() == FACT.to_json()
    assert (traced.trace, FACT.trace, UploadArrived.trace) == (TRACE, None, None)


@pytest.mark.parametrize("fact", [FACT, ShardDue(batch="b", number=7), ReconcileDue(tick="1")])
def test_a_message_carries_the_fact_in_its_trace(fact: Fact) -> None:
    read = Fact.from_message(fact.in_trace(TRACE).to_message())
    assert (read, read.trace) == (fact, TRACE)
    assert Fact.from_message(fact.to_message()).trace is None


def test_a_message_of_the_last_release_is_read() -> None:
    assert Fact.from_message('{"etag":"0x8D","fact":"UploadArrived","name":"may.csv"}') == FACT


def test_the_last_release_leaves_a_message_in_a_trace_to_this_one() -> None:
    with pytest.raises(
        Transient
    ):  # so its host delivers it again; an unreadable one it would have given up at once
        Fact.from_json(FACT.in_trace(TRACE).to_message())


@pytest.mark.parametrize("trace", ["", "nonsense", None, 7, [], f"00-{'0' * 32}-{IDS[1]}-01"])
def test_a_malformed_trace_is_passed_over(trace: object) -> None:
    body = {"fact": "Traced", "of": json.loads(FACT.to_json()), "traceparent": trace}
    read = Fact.from_message(json.dumps(body))
    assert (read, read.trace) == (FACT, None)


@pytest.mark.parametrize("of", [None, 7, [], "text", {}, {"fact": "UploadArrived"}, {"fact": 3}])
def test_a_trace_around_no_fact_is_unreadable(of: object) -> None:
    body = {"fact": "Traced", "of": of, "traceparent": TRACE.traceparent}
    with pytest.raises(UnreadableMessage):
        Fact.from_message(json.dumps(body))


def test_a_message_is_for_those_whom_it_is_for() -> None:
    with pytest.raises(Transient):
        ShardDue.from_message(FACT.in_trace(TRACE).to_message())
