"""Timer triggers: what a restarted host catches up, and that no two runs overlap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import azure.functions as func
import pytest
from azure.storage.blob import BlobClient

from localazure.host import retry as retries
from localazure.host.errors import HostError
from localazure.host.function import Function
from localazure.host.invoke import FunctionFailed
from localazure.host.retry import RetryPolicy
from localazure.host.runner import Runner
from localazure.host.schedule import Interval
from localazure.host.timers import Status, TimerListener
from running_azure.host import Hosted
from running_azure.waiting import until


@pytest.fixture
def status(azurite: str, hosted: Hosted) -> BlobClient:
    name = f"timers/{hosted.prefix}/Host.Functions.on_tick/status"
    return BlobClient.from_connection_string(azurite, "azure-webjobs-hosts", name)


def missed(status: BlobClient, *, schedule_changed: bool = False) -> None:
    """Make the status that of a host that was last up two years ago."""
    then = datetime(datetime.now(UTC).year - 2, 6, 1, tzinfo=UTC)
    due = datetime(then.year + 1, 1, 2 if schedule_changed else 1).astimezone(UTC)
    status.upload_blob(json.dumps(Status(last=then, next=due, updated=then).told()), overwrite=True)


CANCELS = """
import asyncio


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def of_a_task(timer: func.TimerRequest) -> None:
    note("of a task")
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
def in_a_thread(timer: func.TimerRequest) -> None:
    note("in a thread")
    raise asyncio.CancelledError
"""


def test_a_cancellation_of_the_apps_own_fails_the_call_and_no_more(
    hosted_app: Callable[..., Hosted],
) -> None:
    host = hosted_app(CANCELS)
    host.start()
    for what in ("of a task", "in a thread"):
        host.await_notes(what, 3)
    assert "of_a_task failed" in host.log.read_text()


def test_a_new_timer_writes_down_when_it_is_due(hosted: Hosted, status: BlobClient) -> None:
    hosted.start()
    until(status.exists, "the status")
    told = json.loads(status.download_blob().readall())
    due = datetime(datetime.now(UTC).year + 1, 1, 1).astimezone(UTC)
    assert datetime.fromisoformat(told["Next"]) == due
    assert told["Last"] == "0001-01-01T00:00:00+00:00"
    assert hosted.notes("tick") == []


def test_a_missed_tick_runs_once_after_a_restart(hosted: Hosted, status: BlobClient) -> None:
    hosted.start()
    until(status.exists, "the status")
    hosted.kill()
    missed(status)
    hosted.start()
    [told] = hosted.await_notes("tick")
    assert told["past_due"] is True
    assert told["status"]["Last"].startswith(str(datetime.now(UTC).year - 2))

    def is_caught_up() -> bool:
        found = Status.parse(status.download_blob().readall())
        return found is not None and found.next > datetime.now(UTC)

    until(is_caught_up, "the new status")
    hosted.kill()
    hosted.start()
    assert hosted.ask("GET", "/admin/host/ping").status == 200
    assert len(hosted.notes("tick")) == 1


def test_after_a_change_of_schedule_nothing_was_missed(hosted: Hosted, status: BlobClient) -> None:
    hosted.start()
    until(status.exists, "the status")
    hosted.kill()
    missed(status, schedule_changed=True)
    hosted.start()
    until(lambda: "another schedule" in hosted.log.read_text(), "the log line")
    assert hosted.notes("tick") == []


def test_every_second_it_ticks_and_keeps_no_status(hosted: Hosted, status: BlobClient) -> None:
    hosted.start(TICK="* * * * * *")
    told = hosted.await_notes("tick", 2)
    assert [one["past_due"] for one in told] == [False, False]
    assert not status.exists()


STARTING = """
@app.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=True)
def on_start(timer: func.TimerRequest) -> None:
    note("start", past_due=timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="%TICK%", use_monitor=False)
def unmonitored(timer: func.TimerRequest) -> None:
    note("unmonitored")


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
def failing(timer: func.TimerRequest) -> None:
    note("failing")
    raise ValueError("never works")
"""


def test_run_on_startup_runs_once_at_each_start(hosted_app: Callable[..., Hosted], azurite: str) -> None:
    """A timer without a monitor keeps no status; one that fails goes on ticking."""
    host = hosted_app(STARTING)
    host.start()
    [told] = host.await_notes("start")
    assert told["past_due"] is False
    host.await_notes("failing", 2)
    host.terminate()
    assert host.ended() == 0
    host.start()
    assert len(host.await_notes("start", 2)) == 2
    for name, kept in {"on_start": True, "unmonitored": False, "failing": False}.items():
        blob = f"timers/{host.prefix}/Host.Functions.{name}/status"
        assert BlobClient.from_connection_string(azurite, "azure-webjobs-hosts", blob).exists() is kept
    assert host.notes("unmonitored") == []


class Recorder:
    """Stands for the way to the app's function; every run takes a while and may fail."""

    def __init__(self, *, takes: float, fails: int = 0) -> None:
        self.takes, self.fails = takes, fails
        self.began: list[datetime] = []
        self.retries: list[int] = []
        self.past_due: list[bool] = []
        self.running = self.most_at_once = 0

    async def run(self, function: Function, value: Any, *, retry: Any = None) -> None:
        self.running += 1
        self.most_at_once = max(self.running, self.most_at_once)
        self.began.append(datetime.now(UTC))
        self.past_due.append(value.decoded().past_due)
        self.retries.append(retry.retry_count)
        await asyncio.sleep(self.takes)
        self.running -= 1
        if len(self.began) <= self.fails:
            raise FunctionFailed("as told")


def tick(timer: func.TimerRequest) -> None:
    """Never called: the recorder is."""


def listener(
    recorder: Recorder, *, every: float, retry: RetryPolicy | None = None, blob: MemoryBlob | None = None
) -> TimerListener:
    trigger = {"type": "timerTrigger", "name": "timer"}
    function = Function(name="tick", call=tick, trigger=trigger, is_async=False, wants_context=False)
    return TimerListener(
        function=function, schedule=Interval(every), blob=cast(Any, blob), run_on_startup=True, retry=retry,
        runner=cast(Runner, recorder),
    )  # fmt: skip


async def run_until(made: TimerListener, recorder: Recorder, runs: int) -> None:
    async def stop() -> None:
        async with asyncio.timeout(10):
            while len(recorder.began) < runs:
                await asyncio.sleep(0.005)
        made.stop()

    await asyncio.gather(made.run(), stop())


def test_a_run_that_outlasts_its_interval_is_followed_by_one_and_never_overlaps() -> None:
    recorder = Recorder(takes=0.12)
    asyncio.run(run_until(listener(recorder, every=0.05), recorder, 4))
    gaps = [after - before for before, after in zip(recorder.began, recorder.began[1:], strict=False)]
    assert recorder.most_at_once == 1
    assert all(gap > timedelta(seconds=0.11) for gap in gaps)
    assert set(recorder.past_due) == {False}


class MemoryBlob:
    """Remembers what was written to it."""

    def __init__(self) -> None:
        self.written: list[Status] = []

    async def create_container(self) -> None:
        """There is none to make."""

    async def read(self) -> bytes | None:
        return None

    async def write(self, content: bytes) -> None:
        status = Status.parse(content)
        assert status
        self.written.append(status)


def test_a_failed_run_counts_as_run() -> None:
    """The status moves on; the next run is the next tick, not a repetition."""
    recorder, blob = Recorder(takes=0, fails=99), MemoryBlob()
    asyncio.run(run_until(listener(recorder, every=0.05, blob=blob), recorder, 3))
    written = blob.written[1:]
    assert [one.last for one in written[:3]] == sorted(one.last for one in written[:3])
    assert all(one.next - one.last == timedelta(seconds=0.05) for one in written)


def test_a_status_that_cannot_be_read_is_no_status() -> None:
    for content in (b"", b"{", b"[]", b"{}", b'{"Last": "x", "Next": "y", "LastUpdated": "z"}'):
        assert Status.parse(content) is None


@pytest.mark.parametrize(
    ("settings", "delays"),
    [
        (
            {"strategy": "fixed_delay", "max_retry_count": "2", "delay_interval": "00:00:05"},
            [5, 5, 5],
        ),
        (
            {"strategy": "exponential_backoff", "max_retry_count": "-1",
             "minimum_interval": "00:00:02", "maximum_interval": "00:00:05"},
            [2, 4, 5],
        ),
    ],
)  # fmt: skip
def test_how_long_a_policy_waits(settings: dict[str, str], delays: list[float]) -> None:
    policy = retries.parse(settings, where="f")
    assert [policy.delay(attempt) for attempt in range(3)] == delays
    assert policy.most == int(settings["max_retry_count"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"strategy": "fixed_delay", "max_retry_count": "2"}, "lacks 'delay_interval'"),
        ({"strategy": "fixed_delay", "max_retry_count": "2", "delay_interval": "5"}, "hh:mm:ss"),
        (
            {"strategy": "exponential_backoff", "max_retry_count": "2", "minimum_interval": "00:00:01"},
            "lacks 'maximum_interval'",
        ),
        ({"strategy": "often", "max_retry_count": "2"}, "'often' is not known"),
    ],
)
def test_a_policy_that_is_none_is_named(settings: dict[str, str], said: str) -> None:
    with pytest.raises(HostError, match=said):
        retries.parse(settings, where="f")


def test_a_failing_run_is_tried_again_as_its_policy_says_and_then_left() -> None:
    recorder = Recorder(takes=0, fails=3)
    policy = RetryPolicy(most=2, shortest=0.01, longest=0.01)
    asyncio.run(run_until(listener(recorder, every=0.05, retry=policy), recorder, 4))
    assert recorder.retries[:4] == [0, 1, 2, 0]
