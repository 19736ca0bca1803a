"""Orders for faults: what they fit, when they hit, and that chance follows from the seed alone."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from localazure.faults.kinds import FRONTS, PARTS, part_of
from localazure.faults.orders import BadOrder, Orders, order


def _hits(orders: Orders, requests: int, part: str = "blob") -> list[int]:
    return [n for n in range(1, requests + 1) if orders.strike(part, "PUT", "/devstoreaccount1/c/a.csv")]


def test_the_same_seed_hits_the_same_requests_and_another_others() -> None:
    drawn = []
    for seed in (7, 7, 8):
        orders = Orders()
        orders.add(order({"kind": "error", "rate": 0.25, "seed": seed}))
        drawn.append(_hits(orders, 400))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 60 < len(drawn[0]) < 140


def test_each_order_draws_by_itself_whatever_others_do() -> None:
    alone, beside = Orders(), Orders()
    rare = {"kind": "delay", "rate": 0.3, "seed": 5}
    alone.add(order(rare))
    beside.add(order({"kind": "error", "count": 3}))
    beside.add(order(rare))
    _hits(alone, 50)
    _hits(beside, 50)
    (first,), (_, second) = alone.all(), beside.all()
    assert [n for n in first["hits"] if n > 3] == second["hits"]
    assert first["fitting"] == second["fitting"] == 50


def test_two_kinds_with_one_seed_do_not_draw_the_same() -> None:
    orders = Orders()
    for kind in ("error", "reply-lost"):
        orders.add(order({"kind": kind, "rate": 0.1, "seed": 11}))
    _hits(orders, 300)
    assert [told["hit"] > 10 for told in orders.all()] == [True, True]


def test_threads_share_one_count() -> None:
    orders = Orders()
    orders.add(order({"kind": "error", "count": 10}))
    threads = [threading.Thread(target=_hits, args=(orders, 50)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (told,) = orders.all()
    assert (told["fitting"], told["hit"]) == (400, 10)


def test_it_is_over_after_its_time_and_after_its_count() -> None:
    clock = [0.0]
    orders = Orders(now=lambda: clock[0])
    orders.add(order({"kind": "error", "lasts": 30, "count": 2}))
    assert _hits(orders, 5) == [1, 2]
    orders.remove()
    orders.add(order({"kind": "error", "lasts": 30}))
    assert _hits(orders, 2) == [1, 2]
    clock[0] = 30.0
    assert _hits(orders, 2) == []
    assert orders.all() == []


@pytest.mark.parametrize(
    ("given", "part", "method", "path", "fits"),
    [
        ({}, "blob", "GET", "/a", True),
        ({"part": "table"}, "blob", "GET", "/a", False),
        ({"method": "put"}, "blob", "PUT", "/a", True),
        ({"method": "PUT"}, "blob", "GET", "/a", False),
        ({"path": "*/Incoming/*"}, "blob", "GET", "/x/incoming/a.csv", True),
        ({"path": "/incoming/*"}, "blob", "GET", "/x/incoming/a.csv", False),
        ({}, "deliveries", "POST", "/q/messages", False),
        ({"part": "deliveries"}, "deliveries", "POST", "/q/messages", True),
    ],
)
def test_what_an_order_fits(given: dict[str, Any], part: str, method: str, path: str, fits: bool) -> None:
    assert order({"kind": "error", **given}).fits(part, method, path) is fits


@pytest.mark.parametrize(
    ("front", "path", "agent", "part"),
    [
        ("table", "/devstoreaccount1/t", "azsdk", "table"),
        ("queue", "/devstoreaccount1/q/messages", "localazure-events", "deliveries"),
        ("blob", "/devstoreaccount1/c/a", "localazure-events", None),
        ("blob", "/devstoreaccount1/c/a", "localazure-workspace azsdk-python-storage-blob/12", None),
        ("events", "/topics/workspace/api/events", "localazure-workspace", None),
        ("workspace", "/subscriptions/0", "azsdk", "workspace"),
        ("workspace", "/online/e/score", "curl", "endpoints"),
        ("workspace", "/devstoreaccount1/c/a", "azsdk", "blob"),
        ("identity", "/msi/token", "azsdk", "identity"),
    ],
)
def test_whose_request_it_is(front: str, path: str, agent: str, part: str | None) -> None:
    assert part_of(front, path, agent) == part
    assert part is None or part in PARTS
    assert front in FRONTS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "kind is missing"),
        ({"kind": "explode"}, "there is no kind 'explode'; there are throttle"),
        ({"kind": "error", "part": "blobs"}, "there is no part 'blobs'; there are blob"),
        ({"kind": "error", "rate": 1.5}, "rate is 1.5; it is a number from 0 to 1"),
        ({"kind": "error", "rate": "often"}, "rate is 'often'"),
        ({"kind": "error", "count": 0}, "count is 0"),
        ({"kind": "error", "status": 200}, "status is 200"),
        ({"kind": "delay", "status": 500}, "of the kind error"),
        ({"kind": "error", "method": 5}, "method is 5"),
        ({"kind": "error", "often": 1}, "unknown: often; known: kind, part"),
    ],
)
def test_an_order_that_nothing_would_follow_from_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOrder, match=said):
        order(given)
