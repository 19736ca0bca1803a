"""A stack with roles: what of infra/ is assigned on what stands for Azure, and what its two apps are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from commands.stack import parts, settings
from commands.stack.access import PERSON, book, client_id, new_secrets, write_access
from commands.stack.errors import StackError
from commands.stack.processes import Process, birth
from commands.stack.state import Stack
from localazure.access.access import Access
from localazure.access.policy import Need
from localazure.storage.account import KEY
from shared.resources.app_settings import APP_SETTINGS
from shared.resources.assignments import ASSIGNMENTS
from shared.resources.identities import API, DEPLOYER, WORK, Identity


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    made = Stack(tmp_path)
    made.use_roles(new_secrets())
    write_access(made)
    return made


def test_all_that_infra_assigns_is_assigned_and_nothing_else(stack: Stack) -> None:
    told = book(stack)
    assigned = [
        (one["identity"], one["role"]) for one in told["assignments"] if one["identity"] != PERSON.name
    ]
    assert assigned == [(each.identity.name, each.role) for each in ASSIGNMENTS]
    assert len({one["scope"] for one in told["assignments"]}) > 20
    assert {one["role"] for one in told["assignments"]} <= told["roles"].keys()


def test_each_assignment_allows_what_it_is_said_to_be_needed_for(stack: Stack) -> None:
    """The list in the code names the actions; the role, as Microsoft has it, must have them, on that very thing."""
    policy = Access(stack.access_file, "test").book.policy
    for each, assigned in zip(ASSIGNMENTS, book(stack)["assignments"], strict=False):
        for action in each.needs:
            needs = [Need(action, assigned["scope"], is_data) for is_data in (True, False)]
            assert any(policy.allows(each.identity.name, need) for need in needs), f"{each}: {action}"


@pytest.mark.parametrize("app", [WORK, API], ids=["work", "api"])
def test_no_setting_of_an_app_has_a_key(stack: Stack, app: Identity) -> None:
    values = settings.app_settings(stack, app.name)
    told = json.dumps(values)
    for secret in (KEY, stack.event_key, stack.signing_key, "SharedAccessSignature", "UseDevelopmentStorage"):
        assert secret not in told
    assert values["AZURE_CLIENT_ID"] == client_id(app)
    assert values["IDENTITY_HEADER"] == stack.identity_secrets[app.name]
    known = {one.name for one in APP_SETTINGS}
    by_identity = {name for name in values if name.startswith("CAMPANHA_STORAGE__")}
    assert by_identity <= known
    assert by_identity


def test_both_apps_are_hosts_of_their_own(stack: Stack, tmp_path: Path) -> None:
    assert [part.name for part in parts.of(stack)] == ["storage", "events", "workspace", "host", "work"]
    plain = Stack(tmp_path / "plain")
    plain.prepare()
    assert [part.name for part in parts.of(plain)] == ["storage", "events", "workspace", "host"]
    settings.write_app_settings(stack)
    serves = {
        app.name: json.loads(stack.settings_file_of(app.name).read_text())["Values"]["SERVES"]
        for app in (WORK, API)
    }
    assert serves == {"work": "work", "api": "api"}


def test_who_publishes_is_the_deployer_and_who_drops_a_person(stack: Stack) -> None:
    assert settings.sdk_settings(stack, DEPLOYER)["AZURE_CLIENT_ID"] == client_id(DEPLOYER)
    assert settings.script_environment(stack)["AZURE_CLIENT_ID"] == client_id(PERSON)
    assert "AZURE_STORAGE_CONNECTION_STRING" not in settings.script_environment(stack)


def test_roles_are_for_good_and_not_for_what_runs_without_them(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(stack.identity_secrets)
    stack.use_roles(new_secrets())
    assert Stack(stack.state).identity_secrets == before
    assert stack.access_file.stat().st_mode & 0o077 == 0
    plain = Stack(tmp_path / "plain")
    plain.prepare()
    plain.started("storage", access_process())
    with pytest.raises(StackError, match=r"\./dev down"):
        plain.use_roles(new_secrets())


def access_process() -> Process:
    """This very process, which is alive."""
    return Process(pid=os.getpid(), born=birth(os.getpid()))
