"""List the models with figures and verdicts; show one; promote one."""

from __future__ import annotations

from typing import Any

from commands.client import states, tables
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Json
from commands.client.target import FINE, command, find, model_path, parser

COLUMNS = ("id", "state", "logLoss", "againstServing", "auc", "deployment", "reason", "lastModifiedAt")
FIGURES = ("figure", "thisModel", "servingModelThen")
DRIFT = ("column", "psi", "meaning")
MOVED, SHIFTED = 0.1, 0.25


@command
def main(arguments: list[str]) -> int:
    made = parser("models", __doc__)
    made.add_argument("model", nargs="?", metavar="DATASET:VERSION", help="one model (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("model"))
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument(
        "--card", action="store_true", help="this model's card: all that is known of it, as JSON"
    )
    made.add_argument(
        "--promote", action="store_true", help="put this model behind the endpoint, tested first"
    )
    made.add_argument("--reason", help="why; kept in the model's record and the audit trail")
    given = made.parse_args(arguments)
    if given.promote and not given.reason:
        made.error("--promote needs a --reason")
    if given.promote and not given.model:
        made.error("--promote needs the model: DATASET:VERSION")
    if given.card and not given.model:
        made.error("--card needs the model: DATASET:VERSION")
    path = model_path(made, given.model) if given.model else ""
    client = find(given).client
    if given.model:
        if given.promote:
            done = f"Model {given.model} is on its way. `./dev watch` shows it."
            return acted(client, f"{path}/promote", reason=given.reason, given_json=given.json, done=done)
        if given.card:
            as_json(client.get(f"{path}/card"))
            return FINE
        return _one(client.get(path), given_json=given.json)
    found = client.listed("models", most=given.most, state=given.only, dataset=given.dataset)
    shown = found if given.json else [_row(model) for model in found]
    return listing("Models", shown, COLUMNS, given_json=given.json)


def _row(model: Json) -> dict[str, Any]:
    metrics, comparison = model.get("metrics") or {}, model.get("comparison") or {}
    against = comparison.get("logLossDifference")
    return {
        **model,
        "logLoss": metrics.get("logLoss"),
        "auc": metrics.get("auc"),
        "againstServing": None if against is None else f"{against:+.4f}",
    }


def _one(model: Json, *, given_json: bool) -> int:
    if given_json:
        as_json(model)
        return end_of(model)
    values(model)
    rival = model.get("championMetrics") or {}
    rows = [{"figure": tables.words(name), "thisModel": value, "servingModelThen": rival.get(name)}
            for name, value in (model.get("metrics") or {}).items()]  # fmt: skip
    if rows:
        tables.show("Figures, on the same held-out rows", rows, FIGURES)
    drift = sorted(model.get("drift") or [], key=lambda each: -each["psi"])
    if drift:
        tables.show("Data drift", [{**each, "meaning": _meaning(each["psi"])} for each in drift], DRIFT)
    return end_of(model)


def _meaning(psi: float) -> str:
    return "shifted" if psi >= SHIFTED else "moved" if psi >= MOVED else "stable"
