"""Announcements on queues: in a burst subscribers are notified once a second, and of the last event too."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.adapters.queues import QueueBus
from shared.domain.facts import UploadArrived

HAPPENED = UploadArrived(name="may.csv", etag="0x1")


class Queues:
    """Stands for the account's queues, and for the time: which message was sent when, and when it may be received."""

    queue_name = "steps"

    def __init__(self) -> None:
        self.now = 100.0
        self.visible: list[float] = []
        self.fails = False

    def get_queue_client(self, name: str) -> Queues:
        return self

    def send_message(self, message: str, *, visibility_timeout: int, time_to_live: int) -> None:
        if self.fails:
            raise ServiceRequestError("nobody answers")
        self.visible.append(self.now + visibility_timeout)


@pytest.fixture
def queues() -> Queues:
    return Queues()


@pytest.fixture
def bus(queues: Queues) -> QueueBus:
    service: Any = queues
    return QueueBus(service, notifies=True, clock=lambda: queues.now)


def test_a_lone_event_is_announced_at_once(bus: QueueBus, queues: Queues) -> None:
    for hour in (1, 2, 3):
        queues.now = 3600.0 * hour
        bus.announce([HAPPENED])
    assert queues.visible == [3600, 7200, 10800]


def test_a_burst_is_announced_once_a_second_and_its_last_event_too(bus: QueueBus, queues: Queues) -> None:
    happened = []
    for number in range(500):
        queues.now = 100 + number / 100
        bus.announce([HAPPENED])
        happened.append(queues.now)
    assert len(queues.visible) <= 6
    assert all(any(event <= seen <= event + 1 for seen in queues.visible) for event in happened)


def test_what_could_not_be_announced_is_announced_with_the_next(bus: QueueBus, queues: Queues) -> None:
    queues.fails = True
    bus.announce([HAPPENED])
    queues.now, queues.fails = 100.1, False
    bus.announce([HAPPENED])
    assert queues.visible == [100.1]
