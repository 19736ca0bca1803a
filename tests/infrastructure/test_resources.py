"""The one list of Azure resources, held against everything that names any: code, bindings, settings, samples, layout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import Any

import pytest

from commands import ROOT
from commands.stack import layout
from functions.uploads import ARRIVED, CREATED, RENAMED
from localazure.events.subscriptions import parse
from shared.adapters import queues
from shared.domain import names
from shared.resources import assignments, events, roles, storage
from shared.resources.app_settings import (
    APP_SETTINGS,
    CHOSEN_SCHEDULE,
    CONNECTION,
    HOST_PREFIXES,
    OF_CONNECTION,
    SCHEDULES,
    SIGN_IN,
)
from shared.resources.assignments import ASSIGNMENTS, OF_THE_PRIVATE_NETWORK, Assignment
from shared.resources.identities import API, IDENTITIES, STORAGE_TOPIC, WORK, WORKSPACE_ITSELF
from shared.settings import Settings

BINDINGS = """
import json, function_app
found = function_app.app.get_functions()
print(json.dumps([[each.get_function_name(), each.get_trigger().get_dict_repr()] for each in found], default=str))
"""


def bindings(serves: str, **settings: str) -> dict[str, dict[str, Any]]:
    """By function its trigger, as the host indexes them."""
    done = subprocess.run(
        [sys.executable, "-c", BINDINGS], cwd=ROOT, env={"SERVES": serves, "PATH": "", **settings}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def functions() -> dict[str, dict[str, Any]]:
    return bindings("all")


def test_a_function_listens_to_every_queue_of_the_list_and_to_no_other(functions: dict[str, Any]) -> None:
    triggers = [each for each in functions.values() if each["type"] == "queueTrigger"]
    assert sorted(each["queueName"] for each in triggers) == sorted(storage.QUEUE_NAMES)
    assert {each["connection"] for each in triggers} == {CONNECTION}


def test_clocks_go_by_the_schedules_of_the_list(functions: dict[str, Any]) -> None:
    named = [each["schedule"].strip("%") for each in functions.values() if each["type"] == "timerTrigger"]
    assert sorted(named) == sorted(SCHEDULES)
    chosen = bindings("work", **{CHOSEN_SCHEDULE: "0 0 4 * * *"})
    assert {each["schedule"] for each in chosen.values() if "schedule" in each} == {
        *(f"%{name}%" for name in (*SCHEDULES, CHOSEN_SCHEDULE))
    }


def test_names_of_functions_can_be_switched_off(functions: dict[str, Any]) -> None:
    """`AzureWebJobs.NAME.Disabled` takes no hyphen on Linux."""
    assert [name for name in functions if not re.fullmatch(r"[a-z_]+", name)] == []


def test_two_apps_share_the_functions() -> None:
    everything, work, api = (bindings(serves) for serves in ("all", "work", "api"))
    assert work.keys() | api.keys() == everything.keys()
    assert not work.keys() & api.keys()
    assert {each["type"] for each in api.values()} == {"httpTrigger"}
    assert {each["type"] for each in work.values()} == {"queueTrigger", "timerTrigger"}


def test_an_app_that_serves_nothing_known_does_not_start() -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        bindings("web")
    assert "KeyError: 'web'" in raised.value.stderr


def test_the_bus_sends_to_queues_of_the_list() -> None:
    assert {queues.STEPS, queues.SHARDS} < set(storage.QUEUE_NAMES)


def test_the_code_names_every_container_of_the_list() -> None:
    named = {value for name, value in vars(names).items() if name in CONTAINERS_OF_CODE}
    assert {each.name for each in storage.CONTAINERS} - NO_APPS == named


NO_APPS = {storage.EVENT_DEAD_LETTERS, storage.RELEASES}
"""Containers that no app reads or writes."""
CONTAINERS_OF_CODE = (
    "INCOMING",
    "SCORING",
    "QUARANTINE",
    "DATASETS",
    "SCORED",
    "OUTCOMES",
    "SUPPRESSION",
    "RECIPES",
)


def test_blobs_that_are_read_upon_an_event_have_a_subscription_and_no_others_do() -> None:
    of_blobs = [each for each in events.SUBSCRIPTIONS if each.source == events.STORAGE]
    wanted = {f"/blobServices/default/containers/{container}/" for container in ARRIVED}
    assert {each.subject for each in of_blobs} == wanted
    assert {each.types for each in of_blobs} == {(CREATED, RENAMED)}
    assert {each.queue for each in of_blobs} == {"blob-events"}


def test_what_subscriptions_name_is_in_the_list() -> None:
    containers = {each.name for each in storage.CONTAINERS}
    for each in events.SUBSCRIPTIONS:
        assert each.queue in {queue.name for queue in storage.QUEUES}
        assert each.dead_letters in containers - set(ARRIVED)  # else its dead letters would be events again
        assert each.source in events.TOPIC_TYPES


def test_the_embedded_event_grid_takes_the_same_subscriptions() -> None:
    made = [parse(entry, where="the list") for entry in layout.SUBSCRIPTIONS]
    for read, listed in zip(made, events.SUBSCRIPTIONS, strict=True):
        assert (read.name, read.topic) == (listed.name, listed.source)
        assert read.destination.name == listed.queue  # type: ignore[union-attr]
        assert read.dead_letters == listed.dead_letters
        assert read.filter.event_types == listed.types
        assert read.filter.subject_begins_with == listed.subject
        assert (read.life_minutes, read.max_attempts) == (events.LIFE_MINUTES, events.MOST_ATTEMPTS)


# --- settings -----------------------------------------------------------------------------------------------


def of_class() -> dict[str, bool]:
    """By setting of the class whether it is required."""
    return {field.alias or name.upper(): field.is_required() for name, field in Settings.model_fields.items()}


def is_of_the_host(name: str) -> bool:
    return name.startswith(HOST_PREFIXES) or name in (*SCHEDULES, CHOSEN_SCHEDULE, *OF_CONNECTION, SIGN_IN)


@pytest.mark.parametrize("app", [WORK.name, API.name])
def test_every_setting_of_an_app_is_one_that_somebody_reads_and_none_is_missing(app: str) -> None:
    given = {each.name for each in APP_SETTINGS if app in each.apps}
    known = of_class()
    assert {name for name in given if name not in known and not is_of_the_host(name)} == set()
    assert {name for name, required in known.items() if required} <= given


@pytest.mark.parametrize("app", [WORK.name, API.name])
def test_the_settings_of_an_app_are_valid(app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in of_class():
        monkeypatch.delenv(name, raising=False)
    for each in APP_SETTINGS:
        if app in each.apps:
            found = {"SERVES": app, "ALERT_CHANNELS": "[]"}.get(each.name, "https://given")
            monkeypatch.setenv(each.name, each.value or found)
    read = Settings()  # type: ignore[call-arg]
    assert (read.serves, read.campanha_storage) == (app, None)
    assert (read.http_uploads == "refused") == (app == API.name)


def test_no_setting_holds_a_key() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    held = {each.name for each in APP_SETTINGS if each.name.lower() in secret}
    assert held == {"ALERT_CHANNELS"}, "which is a reference to a secret of a vault"
    (channels,) = [each for each in APP_SETTINGS if each.name == "ALERT_CHANNELS"]
    assert channels.value == ""


def test_the_sample_has_settings_that_somebody_reads_and_every_schedule() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    known = of_class()
    assert [name for name in sample if name not in known and not is_of_the_host(name)] == []
    assert set(SCHEDULES) <= sample.keys()
    deployed = {each.name: each.value for each in APP_SETTINGS if each.name in SCHEDULES}
    assert {name: sample[name] for name in SCHEDULES} == deployed


# --- roles --------------------------------------------------------------------------------------------------

ALL = (*ASSIGNMENTS, *OF_THE_PRIVATE_NETWORK)


@pytest.fixture(scope="module")
def built_in() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = json.loads(
        (ROOT / "infra/facts/roles.json").read_text(encoding="utf-8")
    )
    return read


def allows(role: str, action: str, built_in: dict[str, dict[str, Any]]) -> bool:
    """Whether the role has the action, or the data action."""
    custom = {each.name: each.actions for each in roles.CUSTOM}
    if role in custom:
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in custom[role])
    told = built_in[role]
    return any(
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in told[kind])
        and not any(
            fnmatchcase(action.lower(), pattern.lower())
            for pattern in told[f"not{kind[0].upper()}{kind[1:]}"]
        )
        for kind in ("actions", "dataActions")
    )


def test_roles_have_the_ids_that_microsoft_gave_them(built_in: dict[str, dict[str, Any]]) -> None:
    assert {name: role["id"] for name, role in built_in.items()} == roles.BUILT_IN


@pytest.mark.parametrize("given", ALL, ids=str)
def test_every_role_allows_the_call_it_is_assigned_for(
    given: Assignment, built_in: dict[str, dict[str, Any]]
) -> None:
    refused = [action for action in given.needs if not allows(given.role, action, built_in)]
    assert refused == []
    assert given.why
    assert given.identity in (*IDENTITIES, WORKSPACE_ITSELF)


@pytest.mark.parametrize("given", ALL, ids=str)
def test_no_role_is_surplus(given: Assignment, built_in: dict[str, dict[str, Any]]) -> None:
    """Without it one of its calls is refused, whatever else the identity may do on the same thing."""
    others = [
        each
        for each in ALL
        if each is not given
        and (each.identity, each.scope, each.on) == (given.identity, given.scope, given.on)
    ]
    assert any(not any(allows(each.role, action, built_in) for each in others) for action in given.needs)


def test_every_built_in_role_is_assigned_to_somebody() -> None:
    assert {each.role for each in ALL} == {*roles.BUILT_IN, *(role.name for role in roles.CUSTOM)}


def test_what_is_assigned_on_is_in_the_list() -> None:
    there = {
        assignments.CONTAINER: {each.name for each in storage.CONTAINERS},
        assignments.QUEUE: set(storage.QUEUE_NAMES),
        assignments.TABLE: set(storage.TABLES),
        assignments.IDENTITY: {each.name for each in IDENTITIES if each.user_assigned},
        assignments.TOPIC: {events.OUTGOING},
        assignments.ACCOUNT: {
            assignments.HOST_OF_WORK, assignments.HOST_OF_API, assignments.WORKSPACE_ACCOUNT, assignments.DATA_ACCOUNT,
        },
    }  # fmt: skip
    for each in ALL:
        assert each.on in there.get(each.scope, {each.scope})


def test_the_worker_has_a_role_on_every_container_queue_and_table() -> None:
    of_work = {(each.scope, each.on) for each in ASSIGNMENTS if each.identity == WORK}
    wanted = {(assignments.CONTAINER, each.name) for each in storage.CONTAINERS}
    wanted |= {(assignments.QUEUE, name) for name in storage.QUEUE_NAMES}
    wanted |= {(assignments.TABLE, name) for name in storage.TABLES}
    assert wanted - of_work == {(assignments.CONTAINER, name) for name in NO_APPS}


def test_what_faces_http_cannot_write_data(built_in: dict[str, dict[str, Any]]) -> None:
    """Blobs of the data account and of the workspace, messages that it could take away, and what the other app runs."""
    blobs, messages = assignments.BLOBS, assignments.MESSAGES
    writes = [f"{blobs}/{verb}" for verb in ("write", "delete", "add/action", "move/action")]
    writes += [f"{assignments.CONTAINERS}/{verb}" for verb in ("write", "delete")]
    writes += [f"{messages}/{verb}" for verb in ("read", "delete", "process/action")]
    mine = [each for each in ASSIGNMENTS if each.identity == API and each.on != assignments.HOST_OF_API]
    assert [str(each) for each in mine for action in writes if allows(each.role, action, built_in)] == []
    assert [str(each) for each in mine if each.on == assignments.HOST_OF_WORK] == []


def test_nobody_is_handed_a_key(built_in: dict[str, dict[str, Any]]) -> None:
    keys = (
        "Microsoft.Storage/storageAccounts/listKeys/action",
        f"{roles.ML}/listKeys/action",
        f"{roles.ML}/listStorageAccountKeys/action",
        f"{roles.ML}/onlineEndpoints/listKeys/action",
        f"{roles.ML}/computes/listKeys/action",
        f"{roles.ML}/datastores/listSecrets/action",
    )
    apps = [each for each in ASSIGNMENTS if each.identity.user_assigned]
    assert [str(each) for each in apps for key in keys if allows(each.role, key, built_in)] == []


def test_event_grid_may_lay_down_what_it_cannot_deliver() -> None:
    assert [str(each) for each in ASSIGNMENTS if each.identity == STORAGE_TOPIC] == [
        "storageTopic is Storage Queue Data Message Sender on queue blob-events",
        "storageTopic is Storage Blob Data Contributor on container event-dead-letters",
    ]
