"""Data, models, components: what the SDK promises of versions, labels and archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError


def test_data_of_a_local_file(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Data

    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    data = Data(name=name, path=str(tmp_path / "rows.csv"), type=AssetTypes.URI_FILE, tags={"kind": "rows"})
    first, second = client.data.create_or_update(data), client.data.create_or_update(data)
    assert (first.version, second.version) == ("1", "2")
    assert client.data.get(name=name, label="latest").version == "2"
    assert client.data.get(name=name, version="1").tags == {"kind": "rows"}
    assert first.path.startswith("azureml://")
    assert {one.version for one in client.data.list(name=name)} == {"1", "2"}
    client.data.archive(name=name, version="2")
    assert [one.version for one in client.data.list(name=name)] == ["1"]
    client.data.archive(name=name)


def test_a_versions_path_is_fixed(client: Any, name: str) -> None:
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Data

    path = "azureml://datastores/workspaceblobstore/paths/conformance/{}/"
    given = {"name": name, "version": "1", "type": AssetTypes.URI_FOLDER}
    client.data.create_or_update(Data(path=path.format("a"), **given))
    again = client.data.create_or_update(Data(path=path.format("a"), tags={"seen": "twice"}, **given))
    assert again.tags == {"seen": "twice"}
    with pytest.raises(ResourceExistsError):
        client.data.create_or_update(Data(path=path.format("b"), **given))
    client.data.archive(name=name)


def test_what_is_not_there_is_not_found(client: Any, name: str) -> None:
    for ask in (client.data.get, client.models.get, client.components.get):
        with pytest.raises(ResourceNotFoundError):
            ask(name=name, version="1")
    with pytest.raises(ResourceNotFoundError):
        client.jobs.get(name)


def test_a_model_of_a_folder_comes_back(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Model

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.txt").write_text(name)
    made = client.models.create_or_update(
        Model(name=name, path=str(tmp_path / "model"), type=AssetTypes.CUSTOM_MODEL, description="weights")
    )
    assert (made.version, client.models.get(name=name, label="latest").description) == ("1", "weights")
    client.models.download(name=name, version="1", download_path=str(tmp_path / "down"))
    assert (tmp_path / "down" / name / "model" / "weights.txt").read_text() == name
    client.models.archive(name=name)


def test_a_component_is_registered_and_found(client: Any, name: str, python: str) -> None:
    from azure.ai.ml import Input, command

    made = command(
        name=name, version="1", command="echo ${{inputs.word}}", environment=python,
        inputs={"word": Input(type="string", default="hello")},
    ).component  # fmt: skip
    assert client.components.create_or_update(made).version == "1"
    assert client.components.get(name=name, version="1").inputs["word"].default == "hello"
    client.components.archive(name=name)
