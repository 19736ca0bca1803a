"""S11: a folder that says it is a model. The app reads figures and rows of it, as JSON; it never loads a model, so that
what a pickle would do is not done; and nothing in it is found by a path that the folder itself names."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from flow.world import World, bank_rows

from serving import model
from shared.domain.facts import RunMoved
from shared.ports import RunView

ROOT = Path(__file__).parents[2]
LOADERS = {
    "pickle",
    "cPickle",
    "dill",
    "joblib",
    "cloudpickle",
    "skops",
    "shelve",
    "marshal",
    "torch",
    "mlflow",
}
CALLS = {"eval", "exec", "compile", "__import__"}
OF_THE_APP = [
    file for folder in ("shared", "functions", "serving") for file in sorted((ROOT / folder).rglob("*.py"))
]


class Evil:
    """Whoever unpickles it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def test_no_module_that_runs_in_azure_can_load_a_pickle() -> None:
    found = []
    for file in OF_THE_APP:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{file}: {name}" for name in names if name.partition(".")[0] in LOADERS]
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in CALLS:
                found.append(f"{file}:{called.lineno}: {called.id}")
    assert len(OF_THE_APP) > 200
    assert found == []


def test_the_marker_would_be_made(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Evil(tmp_path / "marker")))  # noqa: S301  (that is the point)
    assert (tmp_path / "marker").exists()


HOSTILE: dict[str, Any] = {
    "a path outside": {"boosters": ["../../../../etc/passwd"], "booster": "/etc/passwd"},
    "an address": {"booster": "https://169.254.169.254/metadata"},
    "an entry point": {"loader_module": "os", "entry_script": "__import__('os').mkdir('x')"},
    "numbers that are none": {"columns": [float("nan")], "cuts": [1e308, -1e308]},
    "deep": "[" * 50_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_documents_that_name_other_places_make_no_model_that_answers(what: str) -> None:
    """A run that ends well and leaves them: nothing is deployed, nothing unpickled, and the next run may begin."""
    unpickled: list[str] = []
    listening = True
    sys.addaudithook(
        lambda event, _: unpickled.append(event) if listening and event == "pickle.find_class" else None
    )
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.workspace.documents["bank", 1] = dict.fromkeys(("evaluation", "golden", "model"), HOSTILE[what])
    world.workspace.runs["bank-v1-a1"] = RunView(name="bank-v1-a1", status="Completed")
    world.tell(RunMoved(run="bank-v1-a1"))
    listening = False
    assert unpickled == []
    assert (world.state("run", "bank-v1-a1"), world.workspace.states) == ("failed", {})


@pytest.mark.parametrize(
    "how", ["a pickle beside it", "a pickle under its name", "a link", "a folder", "a path outside"]
)
def test_a_folder_that_is_no_model_of_ours_does_not_start_the_server(how: str, tmp_path: Path) -> None:
    folder, marker = tmp_path / "model", tmp_path / "marker"
    folder.mkdir()
    evil = pickle.dumps(Evil(marker))
    if how == "a pickle beside it":
        (folder / "model.pkl").write_bytes(evil)
    elif how == "a pickle under its name":
        (folder / model.DESCRIPTION).write_bytes(evil)
    elif how == "a link":
        (folder / model.DESCRIPTION).symlink_to("/etc/passwd")
    elif how == "a folder":
        (folder / model.DESCRIPTION).mkdir()
    else:
        (tmp_path / "outside.txt").write_bytes(evil)
        described = _described("../outside.txt", hashlib.sha256(evil).hexdigest())
        (folder / model.DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(Exception) as refused:  # noqa: PT011  (whatever it is, the server does not start)
        model.load(folder)
    assert not isinstance(refused.value, AttributeError | NameError)
    assert "root:" not in str(refused.value)
    assert how != "a path outside" or "lies elsewhere" in str(refused.value)
    assert not marker.exists()


def _described(file: str, sha256: str) -> dict[str, Any]:
    """A description that is as it was written, of a model in that file."""
    member = {"name": "a", "kind": "lightgbm", "file": file, "sha256": sha256}
    said = {
        "format": model.FORMAT,
        "features": [],
        "list_columns": [],
        "variants": {"all": {"members": [member]}},
    }
    return {**said, model.DIGEST: model._digest(said)}
