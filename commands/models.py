"""List the models with figures and verdicts; show one; promote one, or roll a dataset back."""

from __future__ import annotations

from typing import Any

from commands.client import states, tables
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Json
from commands.client.target import command, find, parser

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
    doing = made.add_mutually_exclusive_group()
    doing.add_argument(
        "--promote", action="store_true", help="put this model behind the endpoint, tested first"
    )
    doing.add_argument("--roll-back", metavar="DATASET", help="let the model before answer again")
    made.add_argument("--reason", help="why; written to the audit trail")
    given = made.parse_args(arguments)
    if (given.promote or given.roll_back) and not given.reason:
        made.error("--promote and --roll-back need a --reason")
    if given.promote and not given.model:
        made.error("--promote needs the model: DATASET:VERSION")
    if given.model and ":" not in given.model:
        made.error(f"a model is named DATASET:VERSION, such as bank:2, not {given.model}")
    client = find(given).client
    if given.roll_back:
        path, done = f"endpoints/{given.roll_back}/rollback", "The model before answers again."
        return acted(client, path, reason=given.reason, given_json=given.json, done=done)
    if given.model:
        path = f"models/{'/'.join(given.model.rsplit(':', 1))}"
        if given.promote:
            done = f"Model {given.model} is on its way. `./dev watch` shows it."
            return acted(client, f"{path}/promote", reason=given.reason, given_json=given.json, done=done)
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
