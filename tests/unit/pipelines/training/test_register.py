"""Registering once: again is no harm, other trees under the same version are refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightgbm
import numpy as np
import pytest

from pipelines.training import register
from serving.model import Feature, save

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
    save(
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


def test_other_trees_under_the_same_version_are_refused(candidate: Path) -> None:
    client = SimpleNamespace(models=Models())
    register.register(client, candidate, "bank", "4")
    client.models.kept["bank", "4"].tags["booster_sha256"] = "0"
    with pytest.raises(SystemExit, match="never replaced"):
        register.register(client, candidate, "bank", "4")
