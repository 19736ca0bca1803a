"""Training, step 5, register: the candidate in the model registry, once, under the dataset's name and version.

Its files stay where the run has left them; the model says where that is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from pipelines import workspace
from pipelines.workspace import Registry
from serving.model import DIGEST, read_description

RUN = "AZUREML_ROOT_RUN_ID"


def tags(candidate: Path) -> dict[str, str]:
    """Where the model comes from and how good it is; the workspace shows them in its lists. raises: ModelBroken"""
    description = read_description(candidate)
    evaluation = json.loads((candidate / "evaluation.json").read_text(encoding="utf-8"))
    figures = evaluation["challenger"]
    shown = {name: figures[name] for name in ("auc", "log_loss", "average_precision", "profit")}
    return {
        "dataset": str(description["name"]),
        "dataset_version": str(description["version"]),
        "run": os.environ.get(RUN, ""),
        DIGEST: str(description[DIGEST]),
        **{name: f"{value:.6g}" for name, value in shown.items() if value is not None},
    }


def register(registry: Registry, candidate: Path, place: str, name: str, version: str) -> str:
    """Registers once: a step that is run again after a crash finds its own model, and that is fine.

    place: where the candidate's folder is, for Azure ML
    """
    wanted = tags(candidate)
    known = registry.find(name, version)
    if known is None:
        model = {"modelUri": place, "modelType": "custom_model", "jobName": wanted["run"] or None}
        registry.add(name, version, {**model, "tags": wanted})
        return f"registered {name}:{version}"
    if (known.get("tags") or {}).get(DIGEST) != wanted[DIGEST]:
        raise SystemExit(f"{name}:{version} is registered with other members; a version is never replaced")
    return f"{name}:{version} is registered already, with the same members"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidate", type=Path, required=True)
    parser.add_argument("--place", required=True, help="where its folder is: azureml://...")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", required=True)
    given = parser.parse_args(arguments)
    registry = workspace.registry()
    print(register(registry, given.candidate, given.place, given.model_name, given.model_version))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
