"""`./dev logs`: the deployment's by the SDK of Azure ML, the app's from the stack, and Application Insights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from browser.fake_app import FakeApp

from commands import logs
from commands.client.workspace import PLACE, answer_of, workspace
from commands.stack.errors import StackError
from commands.stack.state import Stack

Run = Callable[..., tuple[int, str, str]]


class Deployments:
    """The SDK's operations on online deployments, over one that is there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.deployment = SimpleNamespace(app_insights_enabled=False)
        self.updates = 0

    def get_logs(self, name: str, endpoint_name: str, lines: int) -> str:
        self.asked.append((name, endpoint_name, lines))
        if name == "model-1":
            raise ResourceNotFoundError("Deployment model-1 is not there\nCorrelation: 7")
        return "started\nscored 3 rows\n\n"

    def get(self, name: str, endpoint_name: str) -> Any:
        return self.deployment

    def begin_create_or_update(self, deployment: Any) -> Any:
        self.updates += 1
        return SimpleNamespace(result=lambda: deployment)


@pytest.fixture
def deployments(monkeypatch: pytest.MonkeyPatch) -> Deployments:
    made = Deployments()
    monkeypatch.setattr(logs, "workspace", lambda stack: SimpleNamespace(online_deployments=made))
    return made


def test_the_log_of_the_deployment_that_answers(run: Run, deployments: Deployments) -> None:
    assert run("logs", "--lines", "7") == (0, "started\nscored 3 rows\n", "")
    run("logs", "--deployment", "model-6")
    endpoint = "campanha-bank-additional"
    assert deployments.asked == [("model-7", endpoint, 7), ("model-6", endpoint, 100)]


def test_what_azure_ml_says_instead_is_one_sentence(run: Run, deployments: Deployments) -> None:
    code, out, err = run("logs", "--deployment", "model-1")
    assert (code, out, err) == (1, "", "Azure ML: Deployment model-1 is not there\n")


@pytest.mark.parametrize("dataset", ["nobody", "bank"])
def test_a_dataset_without_a_model_is_not_another_ones(
    run: Run, deployments: Deployments, dataset: str
) -> None:
    code, _, err = run("logs", "--dataset", dataset)
    assert code == 1
    assert err == "models of bank-additional answer: choose by --dataset.\n"
    assert deployments.asked == []


def test_application_insights_are_turned_on_once(run: Run, deployments: Deployments) -> None:
    of = "campanha-bank-additional/model-7"
    assert run("logs", "--app-insights")[1] == f"Application Insights is on for {of}.\n"
    assert run("logs", "--app-insights")[1] == f"Application Insights was on already for {of}.\n"
    assert deployments.updates == 1


def test_the_apps_own_log_is_in_the_stacks_folder(
    state: Path, app: FakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Stack(state).log("host")
    log.parent.mkdir()
    log.write_text("".join(f"line {number}\n" for number in range(5)))
    assert logs.main(["--state", str(state), "--app", "--lines", "2"]) == 0
    assert capsys.readouterr().out == "line 3\nline 4\n"


def test_a_workspace_that_is_not_named_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLACE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_RESOURCE_GROUP", "ours")
    with pytest.raises(StackError, match=r"^set AZURE_SUBSCRIPTION_ID, AZUREML_WORKSPACE: the workspace"):
        workspace(None)


def test_the_first_line_of_an_error_is_told() -> None:
    def fails() -> None:
        raise HttpResponseError("No quota left\nActivity: 1")

    with pytest.raises(StackError, match=r"^Azure ML: No quota left$"):
        answer_of(fails)
    assert answer_of(lambda: 7) == 7
