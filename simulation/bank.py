"""The bank of the simulation: its policy, files that fit its contract, and what a run leaves in a model's folder."""

from __future__ import annotations

from typing import Any

from shared.adapters.memory import MemoryEndpoint
from shared.domain.models.answers import feature_table
from shared.domain.policy import Policy

DATASET = "bank"
POLICY = Policy(
    gather_quiet_seconds=10,
    gather_longest_seconds=60,
    gather_most_files=25,
    claim_seconds=60,
    endpoint_probe_seconds=0,
    release_baking_seconds=0,
)


def evaluation_of(
    version: int, champion: str | None, *, worse: bool = False, log_loss: float = 0.2, **more: Any
) -> dict[str, Any]:
    """What the pipeline's evaluation says of a refit that no guard objects to. more: of it

    champion: its folder
    worse: surely worse than the champion
    log_loss: the base rate's is 0.3
    """
    figures = {"auc": 0.8, "log_loss": log_loss, "average_precision": 0.5, "calibration_error": 0.01}
    figures |= {"profit": 100.0, "calls": 10}
    found = 0.02 if worse else -0.01
    compared = {
        "log_loss_difference": found,
        "low": found - 0.005,
        "high": found + 0.005,
        "probability_better": 0.0 if worse else 1.0,
        "resamples": 1000,
    }
    gain = log_loss - 0.3
    body: dict[str, Any] = {
        "rows": 400,
        "positives": 40,
        "challenger": {"name": DATASET, "version": str(version), **figures},
        "champion": None,
        "baseline": {
            **compared,
            "log_loss": 0.3,
            "log_loss_difference": gain,
            "low": gain - 0.02,
            "high": gain + 0.02,
        },
        "comparison": None,
        "newest": None,
        "calibration": {"mean_probability": 0.11, "rate": 0.1, "error": 0.01, "error_by_chance": 0.02},
        "segments": [{"column": "contact", "value": "cellular", "rows": 250, **compared}],
        "model": {
            "sha256": f"{version:064x}",
            "champion_sha256": None,
            "columns": ["age"],
            "list_columns": [],
            "trained_rows": 3600,
            "bytes": 60_000,
            "compiled": {"single": True},
        },
        "forbidden_columns": ["duration", "y"],
        "milliseconds_per_1000_rows": 2.1,
        "recipe": {"name": "blend"},
        "trial": {"live": "0" * 16, "replaced": "", "standings": []},
        **more,
    }
    if champion is not None:
        serves = champion.split("/")[-2]
        body["champion"] = {"name": DATASET, "version": serves, **figures}
        body["comparison"] = {**compared, "auc_difference": 0.01, "profit_difference": 4.0}
        body["newest"] = {"version": version, "rows": 120, **compared}
        body["drift"] = [{"column": "age", "psi": 0.02}]
    return body


def description_of(version: int) -> dict[str, Any]:
    """What model.json says of a model of one member."""
    member = {"name": "trees", "kind": "trees", "columns": ["age"], "weight": 1.0, "sha256": "5e1f" * 16}
    return {
        "format": 2,
        "name": DATASET,
        "version": str(version),
        "features": [{"name": "age", "type": "integer", "minimum": 17, "maximum": 120}],
        "list_columns": [],
        "variants": {"single": {"members": [member]}},
        "importance": {"single": [{"column": "age", "value": 0.41}]},
        "model_sha256": "ab12" * 16,
        "base_rate": 0.11,
        "call_cost": 10.0,
        "deposit_value": 80.0,
    }


def golden(version: int) -> dict[str, Any]:
    """Rows with the answers that the model of that version gives."""
    rows = [[age] for age in range(20, 40)]
    scores = MemoryEndpoint().score("e", f"model-{version}", feature_table(["age"], rows))
    return {"columns": ["age"], "rows": rows, "probability": scores.answers.scores().tolist()}


HEADER = (
    "age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;"
    "previous;poutcome;y"
)


def bank_rows(count: int, *, start: int = 0) -> str:
    """A file of the `bank` contract with `count` good rows, different for each `start`."""
    lines = [
        f"{20 + (start + i) % 60};technician;married;primary;no;{start + i};no;no;cellular;19;oct;{i};1;-1;0;unknown;"
        + ("yes" if i % 7 == 0 else "no")
        for i in range(count)
    ]
    return "\n".join([HEADER, *lines]) + "\n"
