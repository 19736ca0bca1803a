"""Registering once: again is no harm, other trees under the same version are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from trees_model import save_trees

from pipelines import workspace
from pipelines.training import register
from serving.features import Feature
from serving.model import ModelBroken

PLACE = "azureml://datastores/workspaceblobstore/paths/azureml/run-1/candidate/"


class Registry:
    """A workspace's models, as far as the step uses them."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}

    def find(self, name: str, version: str) -> dict[str, Any] | None:
        return self.kept.get((name, version))

    def add(self, name: str, version: str, properties: dict[str, Any]) -> None:
        assert (name, version) not in self.kept
        self.kept[name, version] = properties


@pytest.fixture
def registry() -> Any:
    return Registry()


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


def test_a_model_is_registered_where_its_run_has_left_it(
    registry: Any, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_ROOT_RUN_ID", "run-1")
    register.register(registry, candidate, PLACE, "bank", "4")
    model = registry.kept["bank", "4"]
    assert (model["modelUri"], model["modelType"], model["jobName"]) == (PLACE, "custom_model", "run-1")


def test_tags_say_where_it_comes_from_and_how_good_it_is(
    registry: Any, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_ROOT_RUN_ID", "run-1")
    register.register(registry, candidate, PLACE, "bank", "4")
    tags = registry.kept["bank", "4"]["tags"]
    assert {
        "dataset": "bank",
        "dataset_version": "4",
        "run": "run-1",
        "log_loss": "0.25",
    }.items() <= tags.items()
    assert "auc" not in tags


def test_again_is_no_harm(registry: Any, candidate: Path) -> None:
    register.register(registry, candidate, PLACE, "bank", "4")
    assert "already" in register.register(registry, candidate, PLACE, "bank", "4")


def test_other_members_under_the_same_version_are_refused(registry: Any, candidate: Path) -> None:
    register.register(registry, candidate, PLACE, "bank", "4")
    registry.kept["bank", "4"]["tags"]["model_sha256"] = "0"
    with pytest.raises(SystemExit, match="never replaced"):
        register.register(registry, candidate, PLACE, "bank", "4")


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


def test_outside_of_a_run_there_is_no_run_to_name(
    registry: Any, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZUREML_ROOT_RUN_ID", raising=False)
    register.register(registry, candidate, PLACE, "bank", "4")
    model = registry.kept["bank", "4"]
    assert (model["tags"]["run"], model["jobName"]) == ("", None)


@pytest.mark.parametrize("tags", [None, {}])
def test_a_model_registered_by_hand_without_tags_is_not_taken_for_ours(
    registry: Any, candidate: Path, tags: dict[str, str] | None
) -> None:
    registry.kept["bank", "4"] = {"tags": tags}
    with pytest.raises(SystemExit, match="bank:4 is registered with other members"):
        register.register(registry, candidate, PLACE, "bank", "4")


def test_a_candidate_whose_trees_were_changed_is_not_registered(registry: Any, candidate: Path) -> None:
    with (candidate / "single-trees.txt").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelBroken):
        register.register(registry, candidate, PLACE, "bank", "4")
    assert registry.kept == {}


def test_a_candidate_whose_description_was_changed_is_not_registered(registry: Any, candidate: Path) -> None:
    file = candidate / "model.json"
    file.write_text(file.read_text().replace('"weight": 1.0', '"weight": 0.5'))
    with pytest.raises(ModelBroken):
        register.register(registry, candidate, PLACE, "bank", "4")
    assert registry.kept == {}


def test_the_command_registers_in_the_runs_own_workspace(
    registry: Any, candidate: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workspace, "registry", lambda: registry)
    given = ["--candidate", str(candidate), "--place", PLACE, "--model-name", "bank", "--model-version", "9"]
    assert (register.main(given), register.main(given)) == (0, 0)
    assert list(registry.kept) == [("bank", "9")]
    assert registry.kept["bank", "9"]["modelUri"] == PLACE
    first, again = capsys.readouterr().out.splitlines()
    assert (first, again) == ("registered bank:9", "bank:9 is registered already, with the same members")


@pytest.mark.parametrize("step", ["prepare", "register"])
def test_a_step_that_predicts_nothing_loads_no_learner_and_no_sdk(step: str) -> None:
    """Each costs more to import than the step's own work."""
    loaded = (
        f"import sys; from pipelines.training import {step};"
        " from pipelines import workspace; print(*{'lightgbm', 'scipy', 'azure.ai.ml'} & {*sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""
