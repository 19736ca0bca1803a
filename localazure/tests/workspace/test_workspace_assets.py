"""Data, models, environments: through the SDK, as the product uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError


def test_data_gets_the_next_version_and_latest(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    url = "http://127.0.0.1:10000/devstoreaccount1/datasets/x/manifests/{}.json"
    for number in (1, 2):
        made = client.data.create_or_update(Data(name=name, path=url.format(number), type="uri_file"))
        assert made.version == str(number)
    assert client.data.get(name, label="latest").version == "2"
    assert [one.version for one in client.data.list(name)] == ["2", "1"]


def test_tags_of_a_version_can_change_but_its_path_cannot(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    asset = Data(name=name, version="7", path="https://x.blob.core.windows.net/c/a.json", type="uri_file")
    client.data.create_or_update(asset)
    asset.tags = {"rows": "12"}
    assert client.data.create_or_update(asset).tags == {"rows": "12"}
    with pytest.raises(ResourceExistsError, match="Asset paths cannot be updated"):
        client.data.create_or_update(
            Data(name=name, version="7", path="https://x.blob.core.windows.net/c/b.json", type="uri_file")
        )


def test_what_is_not_there_is_not_found(client: Any, name: str) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.data.get(name, version="1")


def test_archived_versions_leave_the_list(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    client.data.create_or_update(Data(name=name, version="1", path="https://x/c/a.json", type="uri_file"))
    client.data.archive(name, version="1")
    assert list(client.data.list(name)) == []
    client.data.restore(name, version="1")
    assert len(list(client.data.list(name))) == 1


def test_a_folder_of_files_goes_up_and_comes_back(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    folder = tmp_path / "model"
    (folder / "deeper").mkdir(parents=True)
    (folder / "model.txt").write_text(name)
    (folder / "deeper" / "empty.json").write_text("{}")
    made = client.models.create_or_update(
        Model(name=name, version="3", path=str(folder), type="custom_model", tags={"dataset": "bank"})
    )
    assert made.version == "3"
    client.models.download(name, version="3", download_path=str(tmp_path / "down"))
    assert (tmp_path / "down" / name / "model" / "model.txt").read_text() == name
    assert client.models.get(name, label="latest").tags == {"dataset": "bank"}
    assert [model.name for model in client.models.list(name)] == [name]


def test_registering_an_equal_model_again_is_fine_and_another_is_not(
    client: Any, name: str, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Model

    file = tmp_path / "model.txt"
    file.write_text(name)
    for _ in range(2):
        client.models.create_or_update(Model(name=name, version="1", path=str(file), type="custom_model"))
    file.write_text(name + "other")
    with pytest.raises(HttpResponseError):
        client.models.create_or_update(Model(name=name, version="1", path=str(file), type="custom_model"))


def test_environments_have_versions(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Environment

    conda = tmp_path / "conda.yaml"
    conda.write_text("dependencies: [python=3.11, {pip: [pyyaml]}]\n")
    made = client.environments.create_or_update(Environment(name=name, image="ubuntu", conda_file=conda))
    assert (made.version, client.environments.get(name, label="latest").version) == ("1", "1")
