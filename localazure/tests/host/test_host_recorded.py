"""This host beside Microsoft's own code, as that was recorded (`recorded/README.md`); what differs on purpose is listed."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from localazure.host import host_json
from localazure.host.errors import BadSetting
from localazure.host.queues import LEASE, Pace
from localazure.host.schedule import parse
from localazure.host.timers import NEVER, Status
from localazure.storage import operations
from localazure.storage.operations import Request
from localazure.storage.supervisor import Azurite
from running_azure.host import Hosted, Pipe
from running_azure.waiting import until

HERE = Path(__file__).parent / "recorded"
RECORDED: dict[str, Any] = json.loads((HERE / "host.json").read_text(encoding="utf-8"))
QUEUE, TIMER = RECORDED["queue"], RECORDED["timer"]
RULES = "AzureFunctionsJobHost__extensions__queues__"
Apps = Callable[..., Hosted]

APP = """
from datetime import UTC, datetime

def told(msg, phase="run"):
    note("event", phase=phase, text=msg.get_body().decode(errors="replace"), dequeueCount=msg.dequeue_count,
         at=datetime.now(UTC).isoformat(), lease=(msg.time_next_visible - datetime.now(UTC)).total_seconds())


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-fail", connection="DATA")
def on_fail(msg: func.QueueMessage) -> None:
    told(msg)
    raise ValueError("never works")


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-second", connection="DATA")
def on_second(msg: func.QueueMessage) -> None:
    told(msg)
    if msg.dequeue_count == 1:
        raise ValueError("works next time")


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-slow", connection="DATA")
def on_slow(msg: func.QueueMessage) -> None:
    told(msg, "begin")
    time.sleep(0.4)  # there a second: how many run at once does not depend on it
    told(msg, "end")


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-take", connection="DATA")
def on_take(msg: func.QueueMessage) -> None:
    told(msg)


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-own-poison", connection="DATA")
def on_own_poison(msg: func.QueueMessage) -> None:
    told(msg)
    raise ValueError("never works")


@app.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=%STARTS%)
def on_tick(timer: func.TimerRequest) -> None:
    note("tick", past_due=timer.past_due, status=timer.schedule_status)
"""


# --- cron ---------------------------------------------------------------------------------------------------------

OTHERWISE = {
    "never": "a date that never comes is an error at the start, not a function that never runs",
    "steps": "`*/0` and `*/-5`, which NCrontab takes as every one, are refused; the message says what Azure would do",
    "tab": "a tab between fields is taken as a space",
    "interval": "hh:mm:ss is an interval of the host's, which NCrontab alone does not know",
}
"""Where this host differs from NCrontab on purpose."""


def expressions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(gzip.decompress((HERE / "ncrontab.json.gz").read_bytes()))
    return found


def ours(expression: str, moments: Iterable[str]) -> dict[str, list[str]] | str:
    """The next two times after each moment, or why it is refused."""
    try:
        schedule = parse(expression, zone=UTC, where="f")
    except BadSetting as problem:
        return str(problem)
    found = {}
    for moment in moments:
        at, next_two = datetime.fromisoformat(moment).replace(tzinfo=UTC), []
        for _ in range(2):
            at = schedule.following(at)
            next_two.append(at.strftime("%Y-%m-%dT%H:%M:%S"))
        found[moment] = next_two
    return found


def difference(one: dict[str, Any]) -> str:
    """A word of OTHERWISE, `wrong` where that is not on purpose, or nothing."""
    expression, recorded = one["e"], one.get("next", {})
    if one.get("error"):
        if isinstance(ours(expression, ()), str):
            return ""
        return "tab" if "\t" in expression else "interval" if ":" in expression else "wrong"
    mine = ours(expression, recorded)
    if mine == recorded:
        return ""
    if isinstance(mine, str) and "names a date that never comes" in mine:
        return "never" if all(None in (times or [None]) for times in recorded.values()) else "wrong"
    return "steps" if isinstance(mine, str) and "Azure, which takes it as every" in mine else "wrong"


def test_1054_expressions_fire_when_ncrontab_says_so() -> None:
    found = {one["e"]: what for one in expressions() if (what := difference(one))}
    assert len(expressions()) == 1054
    assert {expression for expression, what in found.items() if what == "wrong"} == set()
    assert sorted(found.values()) == ["interval"] * 2 + ["never"] * 5 + ["steps"] * 2 + ["tab"]
    assert set(found.values()) == OTHERWISE.keys()


# --- queues -------------------------------------------------------------------------------------------------------


class Story:
    """One scenario: a host on the app, and what Microsoft's did."""

    def __init__(self, host: Hosted, name: str) -> None:
        self.host, self.recorded = host, QUEUE[name]

    def start(self, **settings: str) -> None:
        self.host.start(**{f"{RULES}{name}": value for name, value in settings.items()})

    def pipe(self, name: str) -> Pipe:
        return Pipe(self.host.storage, f"{self.host.prefix}-{name}")

    def ran(self, *names: str) -> list[tuple[str, int]]:
        """What ran, as Microsoft's did, once that has come."""
        wanted = self.runs
        told = self.host.await_notes("event", len(wanted))
        assert len(told) == len(wanted)
        return [(one["text"], one["dequeueCount"]) for one in told if not names or one["phase"] in names]

    @property
    def runs(self) -> list[tuple[str, int]]:
        events = self.recorded["events"]
        return [(one["text"], one["dequeueCount"]) for one in events if "dequeueCount" in one]

    def left(self) -> None:
        """What lies in the queues is what Microsoft's left, once that is so; texts are as they lay there."""
        for told in self.recorded["left"]:
            pipe = self.pipe(told["queue"].removeprefix("w-"))
            until(lambda pipe=pipe, told=told: _count(pipe) == told["count"], told["queue"])  # type: ignore[misc]
            for message in told["visible"]:
                assert pipe.await_raw() == message["text"]
                assert message["expiresDays"] == 7

    def waves(self, events: Iterable[dict[str, Any]]) -> list[int]:
        """How many began before another ended, again and again."""
        phases = groupby(one.get("phase") or one["what"] for one in events)
        return [len(list(group)) for phase, group in phases if phase == "begin"]


def _count(pipe: Pipe) -> int:
    try:
        return pipe.count()
    except ResourceNotFoundError:
        return 0


@pytest.fixture
def story(hosted_app: Apps, request: pytest.FixtureRequest) -> Story:
    name: str = request.node.get_closest_marker("recorded").args[0]
    return Story(hosted_app(APP.replace("%STARTS%", "False")), name)


@pytest.mark.recorded("fails, retry delay 0, 3 tries")
def test_what_fails_is_tried_at_once_and_poisoned(story: Story) -> None:
    story.start(maxDequeueCount="3")
    story.pipe("fail").send(b"one")
    assert story.ran() == story.runs
    story.left()
    assert all(0.95 * LEASE < one["lease"] <= LEASE for one in story.host.notes("event"))
    told = QueueClient.from_connection_string(story.host.storage, f"{story.host.prefix}-fail-poison")
    told.send_message("another")
    assert {_days(one) for one in told.receive_messages()} <= {7}


def _days(message: Any) -> int:
    return int((message.expires_on - message.inserted_on).days)


@pytest.mark.recorded("fails, retry delay 5 s, 3 tries")
def test_what_fails_is_tried_after_the_delay(story: Story) -> None:
    """Of two seconds here: no try comes before it."""
    story.start(maxDequeueCount="3", visibilityTimeout="00:00:02", maxPollingInterval="00:00:01")
    story.pipe("fail").send(b"two")
    assert story.ran() == story.runs
    story.left()
    at = [datetime.fromisoformat(one["at"]) for one in story.host.notes("event")]
    assert all((later - earlier).total_seconds() >= 2 for earlier, later in pairwise(at))


@pytest.mark.recorded("fails once, then works")
def test_what_works_the_second_time_leaves_nothing(story: Story) -> None:
    story.start()
    story.pipe("second").send(b"again")
    assert story.ran() == story.runs
    story.left()


@pytest.mark.recorded("batch 4, threshold 2, twenty of 1 s")
def test_waves_of_four(story: Story) -> None:
    _waves(story, 20, batchSize="4", newBatchThreshold="2")


@pytest.mark.recorded("batch 1, threshold 0, six of 1 s")
def test_one_after_the_other(story: Story) -> None:
    _waves(story, 6, batchSize="1", newBatchThreshold="0")


@pytest.mark.recorded("batch 2, threshold 1, twelve of 1 s")
def test_waves_of_two(story: Story) -> None:
    _waves(story, 12, batchSize="2", newBatchThreshold="1")


def _waves(story: Story, count: int, **settings: str) -> None:
    """As many at once as Microsoft's at the beginning, never more than batch and threshold allow, each once."""
    for number in range(count):
        story.pipe("slow").send(b"%d" % number)
    story.start(**settings)
    texts = story.ran("begin")
    assert sorted(texts) == sorted((str(number), 1) for number in range(count))
    events = story.host.notes("event")
    mine, theirs = story.waves(events), story.waves(story.recorded["events"])
    assert mine[0] == theirs[0]
    at_once = most = 0
    for one in events:
        at_once += 1 if one["phase"] == "begin" else -1
        most = max(most, at_once)
    assert most <= int(settings["batchSize"]) + int(settings["newBatchThreshold"])
    story.left()


@pytest.mark.recorded("text that is no base64")
def test_text_that_is_no_base64_is_poisoned_unread(story: Story) -> None:
    story.start()
    story.pipe("take").send_raw("plain text, no base64!")
    story.pipe("take").send(b"good")
    assert story.ran() == story.runs
    story.left()


@pytest.mark.recorded("bytes that are no UTF-8, empty, unicode, JSON")
def test_whatever_bytes_they_are_they_run(story: Story) -> None:
    for body in (b"\xff\xfe\x00A", b"", "ação 💎".encode(), b'{"a":1}'):
        story.pipe("take").send(body)
    story.start()
    assert sorted(story.ran()) == sorted(story.runs)
    story.left()


@pytest.mark.recorded("dequeued too often before it came")
def test_received_four_times_before_it_is_poisoned(story: Story) -> None:
    _worn(story, b"worn", 4)


@pytest.mark.recorded("dequeued exactly as often as it may")
def test_received_three_times_before_it_is_poisoned(story: Story) -> None:
    _worn(story, b"nearly worn", 3)


def _worn(story: Story, body: bytes, times: int) -> None:
    client = QueueClient.from_connection_string(story.host.storage, f"{story.host.prefix}-take")
    client.create_queue()
    client.send_message(base64.b64encode(body).decode())
    for _ in range(times):
        taken = client.receive_message()
        assert taken
        client.update_message(taken, visibility_timeout=0)
    story.start(maxDequeueCount="3")
    story.left()
    assert story.host.notes("event") == story.runs == []


@pytest.mark.recorded("a poison queue's own function fails")
def test_a_poison_queues_message_lies_until_its_lease_ends(story: Story) -> None:
    story.start(maxDequeueCount="3")
    story.pipe("own-poison").send(b"bad")
    assert story.ran() == story.runs
    story.left()


@pytest.mark.recorded("the queue is missing; made with a message after 8 s")
def test_a_missing_queue_is_waited_for(story: Story) -> None:
    story.start()
    log = story.host.log
    until(lambda: f"{story.host.prefix}-take is not there" in log.read_text(), "the waiting")
    assert not _exists(story, "take")
    story.pipe("take").send(b"x")
    assert story.ran() == story.runs
    assert log.read_text().count(f"{story.host.prefix}-take is not there") == 1


@pytest.mark.recorded("the queue is deleted while it is listened to, and made again")
def test_a_deleted_queue_is_waited_for(story: Story) -> None:
    story.pipe("take").create()
    story.start()
    QueueClient.from_connection_string(story.host.storage, f"{story.host.prefix}-take").delete_queue()
    until(lambda: f"{story.host.prefix}-take is not there" in story.host.log.read_text(), "the waiting")
    assert not _exists(story, "take")
    story.pipe("take").send(b"y")
    assert story.ran() == story.runs


def _exists(story: Story, name: str) -> bool:
    try:
        story.pipe(name).count()
    except ResourceNotFoundError:
        return False
    return True


ELSEWHERE = {
    "asked to stop in the middle of 8 s": "test_host_queues.py: what runs is finished and deleted, nothing more is fetched",
    "a run of 330 s": "test_host_queue_rules.py: the lease is renewed at half-time, by Update Message",
    "idle, then a message each 7 s, Development": "test_looks_become_rarer_as_microsofts_do",
    "idle, then a message each 20 s, Production": "test_looks_become_rarer_as_microsofts_do",
}
"""Scenarios that other tests hold: they would only be slow here."""


def test_every_scenario_is_held_by_a_test() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    marked = {name for name in QUEUE if f'@pytest.mark.recorded("{name}")' in here}
    assert marked | ELSEWHERE.keys() == QUEUE.keys()
    assert not marked & ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("name", "longest", "idle"),
    [
        ("idle, then a message each 7 s, Development", 2.0, 7.0),
        ("idle, then a message each 20 s, Production", 60.0, 20.0),
    ],
)
def test_looks_become_rarer_as_microsofts_do(name: str, longest: float, idle: float) -> None:
    """How long a message waited there is no longer than the wait that our pace has come to after as long a silence."""
    sent, waited = 0.0, []
    for event in QUEUE[name]["events"]:
        if event["what"] == "sent":
            sent = event["ms"]
        else:
            waited.append((event["ms"] - sent) / 1000)
    pace = Pace(longest)
    silence, wait = 0.0, 0.0
    while silence < idle + max(waited):
        wait = pace.after(found=False)
        silence += wait
    assert max(waited) <= max(wait, longest / 2) * 1.5
    assert wait <= longest


def test_defaults_are_microsofts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = RECORDED["queueOptionsDefault"]
    monkeypatch.setattr(host_json.os, "cpu_count", lambda: theirs["cores"])
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    mine = host_json.load(tmp_path, {}).queues
    assert (mine.batch_size, mine.new_batch_threshold) == (theirs["BatchSize"], theirs["NewBatchThreshold"])
    assert mine.max_polling_interval == host_json.seconds(theirs["MaxPollingInterval"], where="x")
    assert (mine.visibility_timeout, mine.max_dequeue_count, mine.base64) == (
        0,
        theirs["MaxDequeueCount"],
        True,
    )
    assert host_json.usual_threshold(1) == 0
    (tmp_path / "host.json").write_text('{"version": "2.0", "extensions": {"queues": {"batchSize": 4}}}')
    assert host_json.load(tmp_path, {}).queues.new_batch_threshold == 4


# --- timers -------------------------------------------------------------------------------------------------------


def test_the_first_run_is_told_that_nothing_was_before_it(hosted_app: Apps) -> None:
    """`run on startup, each hour`: Last and LastUpdated are the beginning of time."""
    theirs = next(one for one in TIMER["run on startup, each hour"]["events"] if one["what"] == "run")
    host = hosted_app(APP.replace("%STARTS%", "True"))
    host.start(TICK="0 0 * * * *")
    [told] = host.await_notes("tick")
    assert told["past_due"] is theirs["pastDue"] is False
    for name, recorded in (("Last", "last"), ("LastUpdated", "updated")):
        assert told["status"][name][:19] == theirs[recorded][:19] == "0001-01-01T00:00:00"
    due = datetime.fromisoformat(told["status"]["Next"])
    assert (due.minute, due.second) == (0, 0)


def test_a_second_life_is_past_due_once_and_then_by_the_clock(hosted_app: Apps, azurite: str) -> None:
    """`minutes, second life after more than a minute away`, with a status of two years ago."""
    recorded = TIMER["minutes, second life after more than a minute away"]["events"]
    theirs = [one["pastDue"] for one in recorded if "pastDue" in one]
    assert theirs == [True, False]
    from azure.storage.blob import BlobClient

    host = hosted_app(APP.replace("%STARTS%", "False"))
    host.start(TICK="0 0 0 1 1 *")
    name = f"timers/{host.prefix}/Host.Functions.on_tick/status"
    status = BlobClient.from_connection_string(azurite, "azure-webjobs-hosts", name)
    until(status.exists, "the status")
    host.kill()
    year = datetime.now(UTC).year - 2
    before = Status(last=NEVER, next=datetime(year, 1, 1).astimezone(UTC), updated=NEVER)
    status.upload_blob(json.dumps(before.told()), overwrite=True)
    host.start(TICK="0 0 0 1 1 *")
    [told] = host.await_notes("tick")
    assert told["past_due"] is True
    assert told["status"]["LastUpdated"].startswith("0001-01-01")


def test_often_ones_keep_no_status_and_catch_nothing_up(hosted_app: Apps) -> None:
    """`each 5 s`: nothing is past due, and no status is told."""
    assert all("last" not in one for one in TIMER["each 5 s"]["events"])
    host = hosted_app(APP.replace("%STARTS%", "False"))
    host.start(TICK="* * * * * *")
    told = host.await_notes("tick", 2)
    assert not any(one["past_due"] or one["status"] for one in told)


TIMERS_ELSEWHERE = {
    "each 2 s, a run takes 3.1 s": "test_host_timers.py: an overlong run is followed by one and never overlapped",
    "each 15 s, first life": "often, as `each 5 s`",
    "each 15 s, second life after 40 s away": "often, as `each 5 s`",
    "fails each time, each 5 s": "test_host_timers.py: a failed run counts as run",
    "minutes, first life": "test_host_timers.py: a new timer writes down when it is due",
}


def test_every_timer_scenario_is_held_by_a_test() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    named = {name for name in TIMER if f"`{name}`" in here}
    assert named | TIMERS_ELSEWHERE.keys() == TIMER.keys()


# --- what it asks of storage --------------------------------------------------------------------------------------

ASKED = {
    "queue": {"Get Queue Metadata", "Get Messages", "Update Message", "Delete Message"},
    "poison": {"Put Message", "Create Queue"},
    "host": {
        "Create Container",
        "Get Blob",
        "Get Blob Properties",
        "Put Blob",
        "Lease Blob",
        "Set Blob Metadata",
    },
}
"""Microsoft's host asks the same; ours also reads and writes who holds a lease, which needs no other action."""


def test_it_asks_of_storage_what_microsofts_asks_and_nothing_more(
    hosted_app: Apps, azurite_service: Azurite
) -> None:
    host = hosted_app(APP.replace("%STARTS%", "True"))
    host.start(**{f"{RULES}maxDequeueCount": "2", "TICK": "0 0 0 1 1 *"})
    own = f"{host.prefix}-"
    Pipe(host.storage, f"{own}fail").send(b"x")
    until(lambda: _count(Pipe(host.storage, f"{own}fail-poison")) == 1, "the poisoned message")
    sent = datetime.now(UTC)
    host.terminate()
    assert host.ended() == 0
    found: dict[str, set[str]] = {"queue": set(), "poison": set(), "host": set()}
    for line in azurite_service.access_log.read_text().splitlines():
        request = _request(line)
        if request is None or not (own in request.path or f"/{host.prefix}/" in request.path):
            continue
        service = "blob" if "azure-webjobs-hosts" in request.path else "queue"
        kind = "host" if service == "blob" else "poison" if "-fail-poison" in request.path else "queue"
        found[kind].add(operations.operation(service, request).name)
    assert sent
    # the test itself sends, makes and counts
    assert found["queue"] - {"Put Message", "Create Queue"} <= ASKED["queue"]
    assert found["poison"] - {"Get Queue Metadata"} == ASKED["poison"]
    assert found["host"] <= ASKED["host"]
    assert {"Update Message", "Delete Message", "Get Messages"} <= found["queue"]


def _request(line: str) -> Request | None:
    from urllib.parse import parse_qsl

    quoted = line.partition('"')[2].partition('"')[0].split()
    if len(quoted) != 3 or "/devstoreaccount1/" not in quoted[1]:
        return None
    path, _, query = quoted[1].partition("?")
    return Request(
        method=quoted[0],
        path="/" + path.partition("/devstoreaccount1/")[2],
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={},
    )
