"""The finer rules of queue triggers, each against a real Azurite."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from localazure.storage.supervisor import Azurite
from running_azure.host import Hosted, Pipe
from running_azure.waiting import until

Queues = Callable[[str], Pipe]
RULES = "AzureFunctionsJobHost__extensions__queues__"

FAILING = """
@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-odd-poison", connection="DATA")
def on_odd(msg: func.QueueMessage) -> None:
    note("odd", dequeue_count=msg.dequeue_count)
    raise ValueError("never works")
"""
TELLING = """
@app.queue_trigger(arg_name="msg", queue_name="%prefix%-told", connection="DATA")
def on_told(msg: func.QueueMessage) -> None:
    note("told", id=msg.id, receipt=msg.pop_receipt, text=msg.get_body().decode(), json=msg.get_json(),
         inserted=str(msg.insertion_time), expires=str(msg.expiration_time), next=str(msg.time_next_visible))
"""
SENDING = """
@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-in", connection="DATA")
@app.queue_output(arg_name="$return", queue_name="%PREFIX%-returned", connection="DATA")
@app.queue_output(arg_name="out", queue_name="%PREFIX%-set", connection="DATA")
def on_in(msg: func.QueueMessage, out: func.Out[str]) -> str:
    out.set("set: " + msg.get_body().decode())
    return "returned <&>"
"""


def test_a_failed_message_comes_again_after_the_retry_delay(hosted: Hosted, queue: Queues) -> None:
    """visibilityTimeout is the delay before the next try, and each try counts."""
    hosted.start(**{f"{RULES}visibilityTimeout": "00:00:01", f"{RULES}maxDequeueCount": "2"})
    queue("work").send(b"bad")
    told = hosted.await_notes("work", 2)
    assert [one["dequeue_count"] for one in told] == [1, 2]
    until(lambda: count(hosted, "work-poison") == 1, "the poisoned message")


def count(hosted: Hosted, name: str) -> int:
    """How many messages lie there; 0 for a queue that is not there."""
    try:
        return Pipe(hosted.storage, f"{hosted.prefix}-{name}").count()
    except ResourceNotFoundError:
        return 0


def test_a_long_function_keeps_its_message(hosted: Hosted, queue: Queues, azurite_service: Azurite) -> None:
    """The lease is renewed at half-time, as storage's own log shows; nobody else gets the message meanwhile."""
    hosted.start(LOCALAZURE_QUEUE_LEASE_SECONDS="2")
    queue("work").send(b"slow")
    hosted.await_notes("work")
    renewals = f'"PUT /devstoreaccount1/{hosted.prefix}-work/messages/'

    def renewed() -> bool:
        lines = azurite_service.access_log.read_text().splitlines()
        return sum(renewals in line and '" 204 ' in line for line in lines) >= 4

    until(renewed, "four renewals")
    assert len(hosted.notes("work")) == 1
    hosted.open_gate()
    hosted.await_notes("work done")
    until(lambda: queue("work").count() == 0, "the deletion")


def test_received_too_often_it_is_poisoned_unread(hosted: Hosted, queue: Queues, azurite: str) -> None:
    """Somebody else took it and let it go: that counts too."""
    name = f"{hosted.prefix}-work"
    client = QueueClient.from_connection_string(azurite, name)
    client.create_queue()
    queue("work").send(b"worn")
    taken = client.receive_message()
    assert taken
    client.update_message(taken, visibility_timeout=0)
    hosted.start(**{f"{RULES}maxDequeueCount": "1"})
    until(lambda: count(hosted, "work-poison") == 1, "the poisoned message")
    assert hosted.notes("work") == []
    assert base64.b64decode(queue("work-poison").await_raw()) == b"worn"


def test_a_poison_queue_has_no_poison_queue(hosted_app: Callable[..., Hosted]) -> None:
    """What fails there lies until its lease ends, and then comes again, however often."""
    host = hosted_app(FAILING)
    host.start(LOCALAZURE_QUEUE_LEASE_SECONDS="1", **{f"{RULES}maxDequeueCount": "1"})
    Pipe(host.storage, f"{host.prefix}-odd-poison").send(b"x")
    told = host.await_notes("odd", 1)
    assert told[0]["dequeue_count"] == 1
    until(lambda: "it stays until its lease ends" in host.log.read_text(), "the second look")
    assert count(host, "odd-poison") == 1
    assert count(host, "odd-poison-poison") == 0


def test_without_encoding_messages_pass_as_they_are(hosted: Hosted, queue: Queues) -> None:
    """messageEncoding none holds for what is read and for what is written."""
    hosted.start(**{f"{RULES}messageEncoding": "none"})
    queue("work").send_raw("plain <text> & grüße")
    assert hosted.await_notes("work")[0]["text"] == "plain <text> & grüße"
    assert hosted.ask("POST", "/api/send", body=b"sent plain").status == 202
    assert hosted.await_notes("work", 2)[1]["text"] == "sent plain"


def test_a_message_comes_with_what_storage_knows_of_it(
    hosted_app: Callable[..., Hosted], azurite: str
) -> None:
    """The setting in the queue's name is found whatever its case, as in Azure's configuration."""
    host = hosted_app(TELLING)
    host.start()
    client = QueueClient.from_connection_string(azurite, f"{host.prefix}-told")
    client.create_queue()
    sent = client.send_message(base64.b64encode(b'{"a": 1}').decode())
    [told] = host.await_notes("told")
    assert (told["id"], told["json"]) == (sent.id, {"a": 1})
    assert told["receipt"] not in {"", sent.pop_receipt}
    assert (told["inserted"], told["expires"]) == (str(sent.inserted_on), str(sent.expires_on))
    assert told["next"] > told["inserted"]


def test_outputs_by_parameter_and_by_return(hosted_app: Callable[..., Hosted]) -> None:
    host = hosted_app(SENDING)
    host.start()
    Pipe(host.storage, f"{host.prefix}-in").send(b"x")
    until(lambda: count(host, "set") == 1 and count(host, "returned") == 1, "both outputs")
    assert base64.b64decode(Pipe(host.storage, f"{host.prefix}-set").await_raw()) == b"set: x"
    assert base64.b64decode(Pipe(host.storage, f"{host.prefix}-returned").await_raw()) == b"returned <&>"


@pytest.mark.parametrize("setting", ["AzureWebJobs.on_work.Disabled", "AzureWebJobs_on_work_Disabled"])
def test_a_disabled_function_leaves_its_queue_alone(hosted: Hosted, queue: Queues, setting: str) -> None:
    hosted.start(**{setting: "1"})
    QueueClient.from_connection_string(hosted.storage, f"{hosted.prefix}-work").create_queue()
    queue("work").send(b"ignored")
    queue("raw").send(b"x")
    hosted.await_notes("raw")
    assert queue("work").count() == 1
    assert hosted.notes("work") == []


def test_a_burst_is_worked_off_without_pauses(hosted: Hosted, queue: Queues) -> None:
    """The longest pause is ten minutes, and no look that finds something is followed by one."""
    hosted.start(**{f"{RULES}maxPollingInterval": "00:10:00", f"{RULES}batchSize": "4"})
    for number in range(60):
        queue("work").send(b"%d" % number)
    began = time.monotonic()
    told = hosted.await_notes("work", 60)
    print(f"\n60 messages in {time.monotonic() - began:.2f} s")
    assert sorted(int(one["text"]) for one in told) == list(range(60))
