"""Registering once: again is no harm, other trees under the same version are refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightgbm
import numpy as np
import pytest
from trees_model import save_trees

from pipelines import workspace
from pipelines.training import register
from serving.features import Feature
from serving.model import ModelBroken

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # the SDK warns about its own internals


class Models:
    """A workspace's models, as far as the step uses them."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}

    def get(self, *, name: str, version: str) -> Any:
        from azure.core.exceptions import ResourceNotFoundError

        if (name, version) not in self.kept:
            raise ResourceNotFoundError(f"{name}:{version}")
        return self.kept[name, version]

    def create_or_update(self, model: Any) -> None:
        assert (model.name, model.version) not in self.kept
        self.kept[model.name, model.version] = model


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    data = lightgbm.Dataset(np.arange(60.0).reshape(-1, 1), np.arange(60.0) > 30)
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 2)
    save_trees(
        tmp_path,
        booster,
        [Feature(name="a", type="number")],
        {"name": "bank", "version": "4", "threshold": 0.1},
    )
    figures = {"auc": None, "log_loss": 0.25, "average_precision": 0.5, "profit": 120.0}
    (tmp_path / "evaluation.json").write_text(json.dumps({"challenger": figures}))
    return tmp_path


def test_tags_say_where_it_comes_from_and_how_good_it_is(
    candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_ROOT_RUN_ID", "run-1")
    models = Models()
    register.register(SimpleNamespace(models=models), candidate, "bank", "4")
    model = models.kept["bank", "4"]
    assert model.type == "custom_model"
    assert {
        "dataset": "bank",
        "dataset_version": "4",
        "run": "run-1",
        "log_loss": "0.25",
    }.items() <= model.tags.items()
    assert "auc" not in model.tags


def test_again_is_no_harm(candidate: Path) -> None:
    client = SimpleNamespace(models=Models())
    register.register(client, candidate, "bank", "4")
    assert "already" in register.register(client, candidate, "bank", "4")


def test_other_members_under_the_same_version_are_refused(candidate: Path) -> None:
    client = SimpleNamespace(models=Models())
    register.register(client, candidate, "bank", "4")
    client.models.kept["bank", "4"].tags["model_sha256"] = "0"
    with pytest.raises(SystemExit, match="never replaced"):
        register.register(client, candidate, "bank", "4")


def test_figures_are_short_and_money_is_among_them(candidate: Path) -> None:
    figures = {
        "auc": 0.123456789,
        "log_loss": 1e-7,
        "average_precision": 1.0,
        "profit": -1234567.8,
        "calls": 3,
    }
    (candidate / "evaluation.json").write_text(json.dumps({"challenger": figures}))
    told = register.tags(candidate)
    assert {name: told[name] for name in ("auc", "log_loss", "average_precision", "profit")} == {
        "auc": "0.123457",
        "log_loss": "1e-07",
        "average_precision": "1",
        "profit": "-1.23457e+06",
    }
    assert "calls" not in told
    assert all(isinstance(value, str) for value in told.values())  # as Azure ML takes them


def test_outside_of_a_run_there_is_no_run_to_name(candidate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZUREML_ROOT_RUN_ID", raising=False)
    assert register.tags(candidate)["run"] == ""


def test_a_model_registered_by_hand_without_tags_is_not_taken_for_ours(candidate: Path) -> None:
    client = SimpleNamespace(models=Models())
    register.register(client, candidate, "bank", "4")
    client.models.kept["bank", "4"].tags = None
    with pytest.raises(SystemExit, match="bank:4 is registered with other members"):
        register.register(client, candidate, "bank", "4")


def test_a_workspace_that_does_not_answer_is_no_workspace_without_the_model(candidate: Path) -> None:
    from azure.core.exceptions import ServiceRequestError

    class Silent(Models):
        def get(self, *, name: str, version: str) -> Any:
            raise ServiceRequestError("no route")

    client = SimpleNamespace(models=Silent())
    with pytest.raises(ServiceRequestError):
        register.register(client, candidate, "bank", "4")
    assert client.models.kept == {}


def test_a_candidate_whose_trees_were_changed_is_not_registered(candidate: Path) -> None:
    with (candidate / "single-trees.txt").open("a") as file:
        file.write(" ")
    client = SimpleNamespace(models=Models())
    with pytest.raises(ModelBroken):
        register.register(client, candidate, "bank", "4")
    assert client.models.kept == {}


def test_the_command_registers_in_the_runs_own_workspace(
    candidate: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = SimpleNamespace(models=Models())
    monkeypatch.setattr(workspace, "client", lambda: client)
    given = ["--candidate", str(candidate), "--model-name", "bank", "--model-version", "9"]
    assert (register.main(given), register.main(given)) == (0, 0)
    assert list(client.models.kept) == [("bank", "9")]
    assert Path(client.models.kept["bank", "9"].path) == candidate
    first, again = capsys.readouterr().out.splitlines()
    assert (first, again) == ("registered bank:9", "bank:9 is registered already, with the same members")
