"""Schedules through the SDK: they fire by themselves, are held back, triggered, and survive.

No postponed annotations here: `dsl.pipeline` reads them as objects.
"""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from running_azure.waiting import until
from running_azure.workspace import WS, Server

HOUR = 3600


@pytest.fixture
def pipeline(client: Any, name: str) -> Any:
    """A pipeline job of one step that prints its input."""
    from azure.ai.ml import Input, command, dsl
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    say = command(
        name="say", environment="python@latest", command="echo ${{inputs.word}}",
        inputs={"word": Input(type="string")},
    )  # fmt: skip

    @dsl.pipeline(name="saying", default_compute="serverless")
    def saying(word: str = "hello") -> None:
        say(word=word)

    job = saying(word="at ${{creation_context.trigger_time}}")
    job.experiment_name = name
    return job


@pytest.fixture(autouse=True)
def _clock(server: Server) -> Any:
    yield
    assert server.call("POST", "/__localazure/reset").ok


def _history(server: Server, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.call("GET", f"/__localazure/schedules/{name}/history").json()[
        "value"
    ]
    return found


def _made(client: Any, name: str, trigger: Any, job: Any) -> Any:
    from azure.ai.ml.entities import JobSchedule

    schedule = JobSchedule(
        name=name, trigger=trigger, create_job=job, display_name="nightly", tags={"a": "b"}
    )
    return client.schedules.begin_create_or_update(schedule).result()


def _forward(server: Server, seconds: float) -> None:
    assert server.call("POST", "/__localazure/clock", {"forwardSeconds": seconds}).ok


def test_a_recurrence_without_a_start_runs_at_once_and_again_when_it_is_time(
    client: Any, name: str, server: Server, pipeline: Any
) -> None:
    from azure.ai.ml.entities import RecurrenceTrigger

    made = _made(client, name, RecurrenceTrigger(frequency="hour", interval=2), pipeline)
    assert (made.is_enabled, made.display_name, made.tags) == (True, "nightly", {"a": "b"})
    assert made.provisioning_state == "Succeeded"
    first = until(lambda: _history(server, name))[0]
    _forward(server, 2 * HOUR + 5)
    until(lambda: len(_history(server, name)) == 2)
    second = _history(server, name)[0]
    times = [datetime.fromisoformat(one["scheduledTime"]) for one in (first, second)]
    assert times[1] - times[0] == timedelta(hours=2)
    until(lambda: client.jobs.get(second["job"]).status == "Completed")
    job = client.jobs.get(second["job"])
    assert job.display_name == f"{name}-{times[1]:%Y%m%dT%H%M%SZ}"
    assert job.experiment_name == name
    sent = server.call("GET", f"{WS}/jobs/{second['job']}").json()["properties"]["inputs"]["word"]
    assert sent["value"] == f"at {times[1]:%Y-%m-%d %H:%M:%S}"
    listed = [one.name for one in client.jobs.list(scheduled_job_name=name)]
    assert listed == [second["job"], first["job"]]
    assert set(listed) <= {one.name for one in client.jobs.list(schedule_defined=True)}
    assert name not in [one.name for one in client.jobs.list(schedule_defined=True)]


def test_a_disabled_schedule_does_not_fire_until_it_is_enabled(
    client: Any, name: str, server: Server, pipeline: Any
) -> None:
    from azure.ai.ml.entities import CronTrigger

    _made(client, name, CronTrigger(expression="0 * * * *", time_zone="UTC"), pipeline)
    assert client.schedules.begin_disable(name).result().is_enabled is False
    assert name not in [one.name for one in client.schedules.list()]
    _forward(server, 3 * HOUR)
    assert _history(server, name) == []
    assert client.schedules.begin_enable(name).result().is_enabled is True
    assert name in [one.name for one in client.schedules.list()]
    _forward(server, HOUR)
    (fired,) = until(lambda: _history(server, name))
    assert fired["scheduledTime"].endswith(":00:00.000000Z")
    assert fired["problem"] is None


def test_triggering_by_hand_starts_a_job_and_deleting_asks_for_disabling(
    client: Any, name: str, server: Server, pipeline: Any
) -> None:
    from azure.ai.ml.entities import RecurrencePattern, RecurrenceTrigger

    pattern = RecurrencePattern(hours=[3], minutes=[15], week_days=["monday"])
    start = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    trigger = RecurrenceTrigger(frequency="week", interval=1, schedule=pattern, start_time=start)
    _made(client, name, trigger, pipeline)
    assert client.schedules.get(name).trigger.schedule.week_days == ["monday"]
    jobs = {client.schedules.trigger(name).job_name for _ in range(2)}
    assert len(jobs) == 2
    for job in jobs:
        until(lambda job=job: client.jobs.get(job).status == "Completed")
    assert {one["job"] for one in _history(server, name)} == jobs
    with pytest.raises(HttpResponseError, match="disable it before"):
        client.schedules.begin_delete(name).result()
    client.schedules.begin_disable(name).result()
    client.schedules.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        client.schedules.get(name)


def _properties(action: Any = None, **trigger: Any) -> dict[str, Any]:
    """Of a schedule that starts a command each Sunday, or does what it is given."""
    job = {"jobType": "Command", "command": "true", "experimentName": "e"}
    cron = {"triggerType": "Cron", "expression": "0 0 * * 0", **trigger}
    return {"trigger": cron, "action": {"actionType": "CreateJob", "jobDefinition": action or job}}


def test_a_schedule_that_is_over_can_be_disabled_and_deleted(server: Server, name: str) -> None:
    at = f"{WS}/schedules/{name}"
    end = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%S")
    assert server.call("PUT", at, {"properties": _properties(endTime=end)}).status_code == 201
    _forward(server, 120)
    told = server.call("GET", at).json()["properties"]
    reply = server.call("PUT", at, {"properties": told | {"isEnabled": False}})
    assert reply.status_code == 200, reply.text
    later = told["trigger"] | {"expression": "0 1 * * 0"}
    assert server.call("PUT", at, {"properties": told | {"trigger": later}}).status_code == 400
    assert server.call("DELETE", at).status_code == 200


def test_a_schedule_whose_job_is_gone_can_be_disabled_and_deleted(server: Server, name: str) -> None:
    """It cannot be enabled again, nor become one that nobody emulates."""
    job, at = f"{WS}/jobs/{name}", f"{WS}/schedules/{name}"
    node = {"name": "say", "type": "command", "command": "true"}
    body = {"properties": {"jobType": "Pipeline", "experimentName": name, "jobs": {"say": node}}}
    assert server.call("PUT", job, body).ok
    until(lambda: server.call("GET", job).json()["properties"]["status"] == "Completed")
    properties = _properties({"jobType": "Pipeline", "sourceJobId": job})
    assert server.call("PUT", at, {"properties": properties}).status_code == 201
    assert server.call("DELETE", job).status_code == 200
    told = server.call("GET", at).json()["properties"]
    assert server.call("PUT", at, {"properties": told}).status_code == 400
    monitor = told | {"isEnabled": False, "action": {"actionType": "CreateMonitor"}}
    assert server.call("PUT", at, {"properties": monitor}).status_code == 501
    reply = server.call("PUT", at, {"properties": told | {"isEnabled": False}})
    assert reply.status_code == 200, reply.text
    assert server.call("PUT", at, {"properties": told | {"isEnabled": True}}).status_code == 400
    assert server.call("DELETE", at).status_code == 200


def test_the_sdk_disables_what_is_over_and_whose_job_is_gone(
    client: Any, name: str, server: Server, pipeline: Any
) -> None:
    from azure.ai.ml.entities import CronTrigger

    earlier = client.jobs.create_or_update(pipeline)
    until(lambda: client.jobs.get(earlier.name).status in ("Completed", "Failed"))
    end = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%S")
    _made(client, name, CronTrigger(expression="0 0 * * 0", end_time=end), earlier.id)
    assert server.call("DELETE", f"{WS}/jobs/{earlier.name}").status_code == 200
    _forward(server, 120)
    assert client.schedules.begin_disable(name).result().is_enabled is False
    client.schedules.begin_delete(name).result()


def test_what_a_schedule_overrides_of_an_earlier_job_leaves_the_rest(server: Server, name: str) -> None:
    """As `inputs` under `create_job` in a schedule's file: the inputs, outputs and settings not named stay."""
    spec = {"type": "command", "command": "echo ${{inputs.a}} ${{inputs.b}}"}
    node = {"a": {"value": "${{parent.inputs.a}}"}, "b": {"value": "${{parent.inputs.b}}"}}
    earlier = {
        "jobType": "Pipeline",
        "experimentName": name,
        "jobs": {"say": {"name": "say", **spec, "inputs": node}},
        "inputs": {key: {"jobInputType": "literal", "value": key} for key in "ab"},
        "settings": {"default_compute": "cpu", "continue_on_step_failure": True},
        "tags": {"kept": "1"},
    }
    assert server.call("PUT", f"{WS}/jobs/{name}", {"properties": earlier}).ok
    over = {
        "jobType": "Pipeline",
        "sourceJobId": f"{WS}/jobs/{name}",
        "inputs": {"b": {"jobInputType": "literal", "value": "other"}},
        "settings": {"continue_on_step_failure": False},
        "tags": {"more": "2"},
    }
    trigger = {"triggerType": "Cron", "expression": "0 0 * * 0"}
    schedule = {"trigger": trigger, "action": {"actionType": "CreateJob", "jobDefinition": over}}
    made = server.call("PUT", f"{WS}/schedules/{name}", {"properties": schedule})
    assert made.ok, made.text
    job = server.call("POST", f"{WS}/schedules/{name}/trigger", {}).json()["submissionId"]
    started = server.call("GET", f"{WS}/jobs/{job}").json()["properties"]
    assert {key: one["value"] for key, one in started["inputs"].items()} == {"a": "a", "b": "other"}
    assert started["settings"] == {"default_compute": "cpu", "continue_on_step_failure": False}
    assert started["tags"] == {"kept": "1", "more": "2"}


def test_an_earlier_job_can_be_what_a_schedule_starts(
    client: Any, name: str, server: Server, pipeline: Any
) -> None:
    from azure.ai.ml.entities import CronTrigger

    earlier = client.jobs.create_or_update(pipeline)
    _made(client, name, CronTrigger(expression="0 0 * * 0"), earlier.id)
    job = client.jobs.get(client.schedules.trigger(name).job_name)
    assert job.experiment_name == name
    assert list(job.jobs) == ["say"]


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({"action": {"actionType": "CreateMonitor"}, "trigger": {}}, 501),
        ({"action": {"actionType": "CreateJob", "jobDefinition": {"jobType": "Spark"}}, "trigger": {}}, 501),
        ({"action": {"actionType": "CreateJob", "jobDefinition": {"sourceJobId": "/jobs/none"}}}, 400),
        ({"sometimes": True}, 400),
    ],
)
def test_what_a_schedule_cannot_do_is_refused(server: Server, properties: Any, status: int) -> None:
    reply = server.call("PUT", f"{WS}/schedules/odd", {"properties": properties})
    assert reply.status_code == status, reply.text


def test_day_of_month_in_cron_is_refused_since_azure_ignores_it(
    client: Any, name: str, pipeline: Any
) -> None:
    from azure.ai.ml.entities import CronTrigger

    with pytest.raises(HttpResponseError, match="use a recurrence with monthDays"):
        _made(client, name, CronTrigger(expression="0 3 1 * *"), pipeline)


def test_a_schedule_survives_a_kill_and_fires_each_time_once(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    job = {"jobType": "Command", "command": "true", "experimentName": "e"}
    trigger = {"triggerType": "Recurrence", "frequency": "hour", "interval": 1}
    properties = {"trigger": trigger, "action": {"actionType": "CreateJob", "jobDefinition": job}}
    assert server.call("PUT", f"{WS}/schedules/hourly", {"properties": properties}).status_code == 201
    until(lambda: _history(server, "hourly"))
    server.stop(signal.SIGKILL)
    server.start()
    assert len(_history(server, "hourly")) == 1
    _forward(server, HOUR + 1)
    until(lambda: len(_history(server, "hourly")) == 2)
    assert len(server.call("GET", f"{WS}/jobs?scheduled=true").json()["value"]) == 2
    server.stop()


@pytest.mark.parametrize("back", ["restart", "reset"])
def test_a_clock_that_was_put_forward_and_back_leaves_no_schedule_silent(
    new_server: Callable[..., Server], back: str
) -> None:
    def next_time(name: str) -> datetime:
        told = server.call("GET", f"/__localazure/schedules/{name}/history").json()["next"]
        return datetime.fromisoformat(told)

    def make(name: str) -> None:
        properties = _properties(expression="0 0 * * *")
        assert server.call("PUT", f"{WS}/schedules/{name}", {"properties": properties}).status_code == 201

    server = new_server()
    server.start()
    make("before")
    first = next_time("before")
    _forward(server, 9 * 24 * HOUR)
    until(lambda: next_time("before") > first + timedelta(days=7))
    make("meanwhile")
    if back == "restart":
        server.stop(signal.SIGKILL)
        server.start()
    else:
        assert server.call("POST", "/__localazure/reset").ok
    for name in ("before", "meanwhile"):
        assert next_time(name) - datetime.now(UTC) <= timedelta(days=1)
    server.stop()


@pytest.mark.slow
def test_the_next_minute_comes_by_itself(client: Any, name: str, server: Server, pipeline: Any) -> None:
    from azure.ai.ml.entities import CronTrigger

    _made(client, name, CronTrigger(expression="* * * * *"), pipeline)
    (fired,) = until(lambda: _history(server, name), seconds=70)
    assert client.jobs.get(fired["job"]).display_name.startswith(name)
    client.schedules.begin_disable(name).result()
