"""A model as Azure's AutoML leaves one: an MLflow model's folder, a scoring script, a conda file. No pickle."""

from __future__ import annotations

import platform
import shutil
import zipfile
from importlib.metadata import version
from pathlib import Path

from localazure.workspace.automl.search import automl_model

_SERVER = "azureml-inference-server-http"
_MLMODEL = """\
flavors:
  python_function:
    loader_module: automl_model
    code: code
    data: data
    env: conda.yaml
    python_version: {python}
run_id: {run}
signature:
  params: '[{{"name": "method", "type": "string", "default": "{method}", "shape": null}}]'
"""
"""The parameter is for `mlflow.pyfunc`: see `_ForMlflow.predict`. MLflow drops one that the signature does not name."""
_CONDA = """\
name: automl_model
channels:
- conda-forge
dependencies:
- python={python}
- pip
- pip:
  - numpy=={numpy}
  - lightgbm=={lightgbm}
  - {server}
"""
_SCORING = Path(__file__).with_name("scoring_script.py")


def write(model: automl_model.Model, outputs: Path, run: str) -> None:
    """Into a run's `outputs` folder, under the names Azure's have."""
    folder = outputs / "mlflow-model"
    automl_model.save(model, folder / "data")
    (folder / "code").mkdir(exist_ok=True)
    shutil.copyfile(automl_model.__file__, folder / "code" / "automl_model.py")
    conda = _conda()
    (folder / "conda.yaml").write_text(conda, encoding="utf-8")
    (folder / "MLmodel").write_text(
        _MLMODEL.format(python=platform.python_version(), run=run, method=automl_model.PROBABILITIES),
        encoding="utf-8",
    )
    (outputs / "conda_env_v_1_0_0.yml").write_text(conda, encoding="utf-8")
    shutil.copyfile(_SCORING, outputs / "scoring_file_v_2_0_0.py")
    _pack(folder, outputs / "model.pkl")


def _pack(folder: Path, file: Path) -> None:
    """The same folder as one file, by the name Azure's has, under which it is registered; a zip, and no pickle."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in sorted(folder.rglob("*")):
            packed.write(one, one.relative_to(folder))


def _conda() -> str:
    python = ".".join(platform.python_version_tuple()[:2])
    return _CONDA.format(
        python=python,
        numpy=version("numpy"),
        lightgbm=version("lightgbm"),
        server=_SERVER,
    )
