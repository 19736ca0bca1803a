"""Queue triggers against a real Azurite: delivery, retries, poison, and what a crash leaves."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

from running_azure.host import Hosted, Pipe
from running_azure.waiting import until

Queues = Callable[[str], Pipe]


def test_a_message_is_delivered_once_and_deleted(hosted: Hosted, queue: Queues) -> None:
    hosted.start()
    queue("work").send("grüße".encode())
    [told] = hosted.await_notes("work")
    assert (told["text"], told["dequeue_count"]) == ("grüße", 1)
    assert told["inserted"].endswith("+00:00")
    until(lambda: queue("work").count() == 0, "the deletion")


def test_bytes_that_are_no_text_arrive_as_they_are(hosted: Hosted, queue: Queues) -> None:
    hosted.start()
    queue("raw").send(b"\xff\x00\xfe")
    assert hosted.await_notes("raw")[0]["hex"] == "ff00fe"


def test_after_five_failures_it_lies_unchanged_in_the_poison_queue(hosted: Hosted, queue: Queues) -> None:
    hosted.start()
    queue("work").send(b"bad")
    told = hosted.await_notes("work", 5)
    assert [one["dequeue_count"] for one in told] == [1, 2, 3, 4, 5]
    assert base64.b64decode(poisoned(queue, "work")) == b"bad"
    assert queue("work").count() == 0
    assert len(hosted.notes("work")) == 5


def test_what_is_not_base64_goes_to_the_poison_queue_at_once(hosted: Hosted, queue: Queues) -> None:
    hosted.start()
    queue("work").send_raw("not base64!")
    assert poisoned(queue, "work") == "not base64!"
    assert hosted.notes("work") == []


def poisoned(queue: Queues, name: str) -> str:
    """The next message of the poison queue, which is there once something is."""
    from azure.core.exceptions import ResourceNotFoundError

    poison = queue(f"{name}-poison")

    def is_there() -> bool:
        try:
            return poison.count() > 0
        except ResourceNotFoundError:
            return False

    until(is_there, "a poisoned message")
    return poison.await_raw()


def test_a_failed_message_waits_for_the_visibility_timeout(hosted: Hosted, queue: Queues) -> None:
    hosted.start(AzureFunctionsJobHost__extensions__queues__visibilityTimeout="01:00:00")
    queue("work").send(b"bad")
    queue("work").send(b"good")
    hosted.await_notes("work", 2)
    queue("work").send(b"later")
    texts = [one["text"] for one in hosted.await_notes("work", 3)]
    assert sorted(texts) == ["bad", "good", "later"]
    deadline = time.monotonic() + 10
    while (
        queue("work").count() > 1 and time.monotonic() < deadline
    ):  # done is noted before the message is deleted
        time.sleep(0.05)
    assert queue("work").count() == 1


def test_killed_in_the_middle_it_delivers_again_when_the_lease_ends(hosted: Hosted, queue: Queues) -> None:
    hosted.start(LOCALAZURE_QUEUE_LEASE_SECONDS="2")
    queue("work").send(b"slow")
    hosted.await_notes("work")
    hosted.kill()
    hosted.open_gate()
    hosted.start(LOCALAZURE_QUEUE_LEASE_SECONDS="2")
    told = hosted.await_notes("work", 2)
    assert [one["dequeue_count"] for one in told] == [1, 2]
    hosted.await_notes("work done")
    until(lambda: queue("work").count() == 0, "the deletion")


def test_asked_to_stop_it_finishes_what_it_began_and_fetches_no_more(hosted: Hosted, queue: Queues) -> None:
    hosted.start()
    queue("work").send(b"slow")
    hosted.await_notes("work")
    hosted.terminate()
    until(lambda: "Stopping" in hosted.log.read_text(), "the log line")
    queue("work").send(b"too late")
    hosted.open_gate()
    assert hosted.ended() == 0
    assert hosted.notes("work done")
    assert [one["text"] for one in hosted.notes("work")] == ["slow"]
    assert queue("work").count() == 1


def test_asked_twice_it_ends_at_once(hosted: Hosted, queue: Queues) -> None:
    hosted.start()
    queue("work").send(b"slow")
    hosted.await_notes("work")
    hosted.terminate()
    until(lambda: "Stopping" in hosted.log.read_text(), "the log line")
    hosted.terminate()
    assert hosted.ended(seconds=5) == 1
    assert hosted.notes("work done") == []


def test_no_more_run_at_once_than_the_options_allow(hosted: Hosted, queue: Queues) -> None:
    """A batch of 4, and no other one until no more than 2 run."""
    queue("work").create()
    for _ in range(9):
        queue("work").send(b"slow")
    hosted.start()
    hosted.await_notes("work", 4)
    queue("raw").send(b"x")
    hosted.await_notes("raw")
    assert len(hosted.notes("work")) == 4
    hosted.open_gate()
    hosted.await_notes("work done", 9)


def test_an_output_wakes_the_listener(hosted: Hosted, queue: Queues) -> None:
    hosted.start(AzureFunctionsJobHost__extensions__queues__maxPollingInterval="00:10:00")
    for number in range(3):
        assert hosted.ask("POST", "/api/send", body=b"%d" % number).status == 202
        hosted.await_notes("work", number + 1, seconds=5)
