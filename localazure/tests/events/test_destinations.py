"""A destination of which no request can be made is a failure for good, and ends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from localazure.events.destinations import DeadLetters, QueueDestination, call
from localazure.events.faults import Chance, Faults
from localazure.events.journal import Delivery
from localazure.events.patience import Failure
from localazure.events.subscriptions import Queue
from localazure.storage.client import Service

DELIVERY = Delivery(subscription="sub", event="{}", published=time.time(), due=0.0)


def to_a_port_that_is_none(_: str) -> None:
    call("POST", "http://127.0.0.1:99999/?code=secret", b"", {})


def to_a_queue(storage: str) -> None:
    QueueDestination(Service(storage, "Queue"), Queue(name="\u00e4"), Chance(Faults(), None)).send(DELIVERY)


def to_a_container(storage: str) -> None:
    DeadLetters(Service(storage, "Blob"), "\u00e4").write(DELIVERY)


@pytest.mark.parametrize("send", [to_a_port_that_is_none, to_a_queue, to_a_container])
def test_it_fails_for_good(azurite: str, send: Callable[[str], None]) -> None:
    with pytest.raises(Failure, match=r"no request to .* can be made") as failed:
        send(azurite)
    assert failed.value.is_final
    assert "secret" not in str(failed.value)


def test_a_header_that_is_none_is_not_told(free_port: Callable[[], int]) -> None:
    with pytest.raises(Failure) as failed:
        call("POST", f"http://127.0.0.1:{free_port()}/", b"", {"x-own": "secret\nx-other: 1"})
    assert "secret" not in str(failed.value)
