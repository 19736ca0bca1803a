"""`./dev up --faults`: fronts at the parts' addresses, for as long as the stack is asked to have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from commands import faults as command
from commands.stack import ports, supervisor
from commands.stack.errors import StackError
from commands.stack.parts import EVENTS, FAULTS, WORKSPACE
from commands.stack.settings import app_settings, script_environment
from commands.stack.state import Stack
from localazure import faults
from localazure.faults.kinds import FRONTS
from tests.unit.commands.small_stack import IN_MEMORY


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    parts = {"faults": FAULTS, "storage": IN_MEMORY, "events": EVENTS}
    monkeypatch.setattr(supervisor, "PARTS", parts)
    monkeypatch.setattr(supervisor, "STAGES", ((FAULTS,), (IN_MEMORY,), (EVENTS,)))
    made = Stack(tmp_path)
    yield made
    supervisor.down(made)


def _up(stack: Stack) -> None:
    supervisor.up(stack, lambda part, seconds, now: None)


def _health(stack: Stack) -> int:
    return requests.get(f"http://127.0.0.1:{stack.ports['events']}/health", timeout=10).status_code


def test_the_addresses_stay_and_calls_fail_by_command(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    _up(stack)
    before = stack.connection_string
    assert stack.process("faults") is None
    with pytest.raises(StackError, match=r"was started without faults: `\./dev down` first"):
        stack.use_faults(wanted=True)
    supervisor.down(stack)
    stack.use_faults(wanted=True)
    _up(stack)
    assert stack.connection_string == before
    assert _health(stack) == 200
    state = ["--state", str(stack.state)]
    assert command.main(["add", "error", "--part", "events", "--count", "1", "--status", "502", *state]) == 0
    assert [_health(stack), _health(stack)] == [502, 200]
    assert command.main(["list", *state]) == 0
    assert "1 hit of 2 that fitted" in capsys.readouterr().out
    with pytest.raises(StackError, match=r"was started with faults: `\./dev down` first"):
        stack.use_faults(wanted=False)
    supervisor.down(stack)
    stack.use_faults(wanted=False)
    _up(stack)
    assert _health(stack) == 200
    assert command.main(["list", *state]) == 2
    assert "start the embedded Azure with --faults" in capsys.readouterr().err


def test_with_roles_too_each_part_is_behind_its_front(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.use_roles({})
    stack.use_faults(wanted=True)
    fronts = [each for each in FAULTS.arguments(stack) if each.startswith("--front=")]
    assert len(fronts) == len(FRONTS)
    assert [each for each in fronts if not each.endswith(":tls")] == [
        f"--front=identity={stack.ports['identity']}:{stack.ports['behind_identity']}"
    ]
    assert f"--listen-port={stack.ports['behind_workspace']}" in WORKSPACE.arguments(stack)
    taken = [*FAULTS.listens_on(stack).values(), *IN_MEMORY.listens_on(stack).values()]
    assert len(set(taken)) == len(taken)
    assert set(ports.OF_FAULTS) <= stack.ports.keys()


def test_programs_find_the_control_by_a_variable(stack: Stack) -> None:
    stack.prepare()
    (stack.state / "workspace").mkdir()
    (stack.state / "workspace" / "identity-header").write_text("secret")
    assert faults.VARIABLE not in script_environment(stack)
    stack.use_faults(wanted=True)
    assert script_environment(stack)[faults.VARIABLE] == str(stack.state / "faults" / "control.json")
    assert faults.VARIABLE not in app_settings(stack)
