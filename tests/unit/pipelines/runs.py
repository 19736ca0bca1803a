"""A training run on clients that never were: its parts, its manifest, and its steps one after the other."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines.training import evaluate, prepare, train, trial
from shared.adapters.contracts import load_contracts
from shared.adapters.recipes import load_recipes
from shared.domain.datasets.part_writer import PartWriter

ROOT = Path(__file__).parents[3]
BANK = load_contracts(ROOT / "contracts")[0]
RECIPES = [recipe.to_json() for recipe in load_recipes(ROOT / "recipes", first="blend")]
MONEY = ["--call-cost", "10", "--deposit-value", "80"]


def columns(rows: int, seed: int) -> dict[str, list[Any]]:
    """Clients that fit the contract; the older ones deposit, mostly."""
    chance = random.Random(seed)
    drawn: dict[str, list[Any]] = {}
    for column in BANK.columns:
        low, high = int(column.minimum or 0), int(column.maximum or 0)
        drawn[column.name] = [
            chance.choice(column.values) if column.type == "category" else chance.randint(low, high)
            for _ in range(rows)
        ]
    drawn[BANK.target] = [
        "yes" if chance.random() < (0.8 if age > 80 else 0.05) else "no" for age in drawn["age"]
    ]
    return drawn


def part(folder: Path, rows: int, seed: int, version: int = 1) -> dict[str, Any]:
    return part_of(folder, columns(rows, seed), version)


def part_of(folder: Path, drawn: dict[str, list[Any]], version: int = 1) -> dict[str, Any]:
    """As admission writes it. version: that it came in with"""
    rows = len(drawn[BANK.target])
    name = hashlib.sha256(repr(drawn).encode()).hexdigest()
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.parquet").open("wb") as file, PartWriter(BANK, file) as writer:
        writer.add(drawn)
    source = {"upload": f"upload/{name[:8]}.csv/0x1", "version": str(version)}
    listed = {"file": f"{name}.parquet", "rows": rows, "content_hash": name, "source": source}
    return {**listed, "sha256": writer.part.sha256}


def picked(drawn: dict[str, list[Any]], places: Iterable[int]) -> dict[str, list[Any]]:
    """Some rows, in the order of the places."""
    chosen = list(places)
    return {name: [values[place] for place in chosen] for name, values in drawn.items()}


def joined(*several: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [value for drawn in several for value in drawn[name]] for name in several[0]}


def manifest(file: Path, parts: list[dict[str, Any]], version: int = 1, **more: Any) -> Path:
    made = {"contract": BANK.to_json(), "recipes": RECIPES, "parts": parts}
    body = {"dataset": BANK.dataset, "version": version, **made, **more}
    file.write_text(json.dumps({**body, "rows": sum(part["rows"] for part in parts)}))
    return file


def trained(
    base: Path,
    parts: list[dict[str, Any]],
    *,
    version: int = 1,
    champion: Path | None = None,
    earlier: Path | None = None,
    **more: Any,
) -> Path:
    """prepare, train and evaluate, as their command lines are; the candidate's folder. more: of the manifest"""
    home = base / str(version)
    home.mkdir()
    listed = str(manifest(home / "manifest.json", parts, version, **more))
    folders = ("prepared", "trial", "model", "candidate")
    prepared, tried, model, candidate = (str(home / name) for name in folders)
    prepare.main(["--manifest", listed, "--parts", str(base / "parts"), "--prepared", prepared])
    named = ["--model-name", BANK.dataset, "--model-version", str(version)]
    known = ["--earlier", str(earlier)] if earlier else []
    trial.main(["--prepared", prepared, *known, "--false-change", "0.05", "--trial", tried])
    train.main(["--prepared", prepared, "--trial", tried, *named, *MONEY, "--model", model])
    serving = ["--champion", str(champion)] if champion else []
    evaluate.main(["--prepared", prepared, "--model", model, *serving, *MONEY, "--candidate", candidate])
    return home / "candidate"


def evaluation(candidate: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((candidate / "evaluation.json").read_text())
    return body
