"""Training, step 5, register: the candidate in the model registry, once, under the dataset's name and version."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from pipelines import workspace
from serving.model import DIGEST, load


def tags(candidate: Path) -> dict[str, str]:
    """Where the model comes from and how good it is; the workspace shows them in its lists."""
    description = load(candidate).description
    evaluation = json.loads((candidate / "evaluation.json").read_text(encoding="utf-8"))
    figures = evaluation["challenger"]
    shown = {name: figures[name] for name in ("auc", "log_loss", "average_precision", "profit")}
    return {
        "dataset": str(description["name"]),
        "dataset_version": str(description["version"]),
        "run": os.environ.get("AZUREML_ROOT_RUN_ID", ""),
        DIGEST: str(description[DIGEST]),
        **{name: f"{value:.6g}" for name, value in shown.items() if value is not None},
    }


def register(client: Any, candidate: Path, name: str, version: str) -> str:
    """Registers once: a step that is run again after a crash finds its own model, and that is fine."""
    from azure.ai.ml.entities import Model

    wanted = tags(candidate)
    known = _known(client, name, version)
    if known is None:
        model = Model(path=str(candidate), type="custom_model", name=name, version=version, tags=wanted)
        client.models.create_or_update(model)
        return f"registered {name}:{version}"
    if (known.tags or {}).get(DIGEST) != wanted[DIGEST]:
        raise SystemExit(f"{name}:{version} is registered with other members; a version is never replaced")
    return f"{name}:{version} is registered already, with the same members"


def _known(client: Any, name: str, version: str) -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return client.models.get(name=name, version=version)
    except ResourceNotFoundError:
        return None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidate", type=Path, required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", required=True)
    given = parser.parse_args(arguments)
    print(register(workspace.client(), given.candidate, given.model_name, given.model_version))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
