"""A message is a fact with every field of its declared type, or it is said what of it is not."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.facts import FACTS, Fact, RunDue, ShardDue, UploadArrived
from shared.domain.json_types import declared
from shared.errors import Transient, UnreadableMessage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
EXAMPLES: dict[str, Any] = {"str": "a", "int": 3, "float": 1.5, "bool": True}
FIELDS = sorted({name for kind in FACTS.values() for name in [f.name for f in dataclasses.fields(kind)]})


def _message(fact: str = "UploadArrived", **fields: Any) -> str:
    return json.dumps({"fact": fact, **fields})


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (_message(name=57, etag="1"), "UploadArrived: its name is no str"),
        (_message(name=None, etag="1"), "its name is no str"),
        (_message(name="a", etag="1", attempt=True), "its attempt is no int"),
        (_message(name="a", etag="1", attempt=1.5), "its attempt is no int"),
        (_message(name="a", etag="1", attempt=10**20), "its attempt is no int"),
        (_message(name="a", etag="1", size=3), "it has no 'size'"),
        (_message(name="a"), "only name are there"),
        (_message(name="\ud800", etag="1"), "its name is no str"),
        (_message("BatchScored", batch="b", rows=1, rejected=0, deciles=["1"]), r"deciles is no list\[int\]"),
        (_message("RunDue", dataset="d", version=1, cause="c", after_seconds=10**9), "held back for 1000000000 s"),
        (_message("RunDue", dataset="d", version=1, cause="c", after_seconds=-1), "held back for -1 s"),
        (
            _message("AlertRaised", alert="a", name="n", cause="c", since="s", says="s", about=["upload"]),
            "`about` is a kind and an id",
        ),
        ('{"fact": "UploadArrived", "name": NaN, "etag": "1"}', "no JSON"),
        ('{"fact": ["UploadArrived"]}', "names no fact"),
        ("[]", "names no fact"),
        ("1", "names no fact"),
        ("{", "no JSON"),
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
    ],
)  # fmt: skip
def test_it_is_said_what_of_a_message_is_not_as_it_should_be(message: str, said: str) -> None:
    with pytest.raises(UnreadableMessage, match=said):
        Fact.from_json(message)


def test_what_a_newer_version_wrote_may_be_read_by_it() -> None:
    with pytest.raises(Transient, match="newer"):
        Fact.from_json('{"fact": "TomorrowsFact"}')
    with pytest.raises(Transient):
        ShardDue.from_json(_message(name="a", etag="1"))


@given(
    fields=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    fact=st.sampled_from(sorted(FACTS)) | JSON,
)
def test_any_json_is_a_fact_with_a_key_that_comes_back_or_unreadable(
    fields: dict[str, Any], fact: Any
) -> None:
    try:
        read = Fact.from_json(json.dumps({**fields, "fact": fact}))
    except (UnreadableMessage, Transient):
        return
    assert Fact.from_json(read.to_json()) == read
    assert read.key.encode()


@pytest.mark.parametrize("kind", FACTS.values())
def test_every_fact_comes_back_as_it_was(kind: type[Fact]) -> None:
    made: Any = {
        "facts": ["a"],
        "subscribers": ["a"],
        "steps": [{"name": "a"}],
        "deciles": [1],
        "target": None,
    } | {
        "mended": [{"values": 1}],
        "columns": [{"column": "age"}],
        "values": {"runs_per_day": 5},
        **{name: get_args(hint)[0] for name, hint in declared(kind).items() if get_origin(hint) is Literal},
    }
    fields = {f.name: made.get(f.name, EXAMPLES.get(str(f.type))) for f in dataclasses.fields(kind)}
    fact = kind(**fields)
    assert Fact.from_json(fact.to_json()) == fact


def test_defaults_need_not_be_there() -> None:
    assert Fact.from_json(_message(name="ä.csv", etag="1")) == UploadArrived(name="ä.csv", etag="1")
    assert RunDue.from_json(_message("RunDue", dataset="d", version=1, cause="c")).after_seconds == 0
