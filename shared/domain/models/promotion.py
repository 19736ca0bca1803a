"""The verdict on a refit: may it take the champion's place? What the guards find, in a sentence, with the figures.

Which recipe is live is another question, which the evidence of many drops answers: see `recipe_gate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.models import guards
from shared.domain.models.doubt import remedy
from shared.domain.models.guards import Finding
from shared.errors import Refused

Outcome = Literal["accepted", "refused", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision, the reason in a sentence, and the figures it rests on."""

    outcome: Outcome
    reason: str
    figures: dict[str, Any]
    """As the model's record has them: see `shared.domain.kinds.model`."""
    rows_needed: int | None = None
    """Of an undecided one: about how many more rows would decide it."""


def judge(evaluation: Mapping[str, Any] | None, *, serving: int | None) -> Verdict:
    """Decides whether the model may answer.

    evaluation: what the pipeline's `evaluate` step wrote
    serving: the version that answers now; a comparison against any other proves nothing
    raises: Refused for a model that was not evaluated, or by another version of the pipeline
    """
    if evaluation is None:
        raise Refused(f"the run's model has no evaluation (evaluation.json); {REMEDY}")
    try:
        return _judged(evaluation, serving)
    except (LookupError, TypeError, ValueError, AttributeError) as cause:
        raise Refused(
            f"the evaluation (evaluation.json) of the run's model cannot be read; {REMEDY}"
        ) from cause


REMEDY = "publish the training pipeline of this version of the app, and have the dataset trained again"


def _judged(evaluation: Mapping[str, Any], serving: int | None) -> Verdict:
    champion = evaluation.get("champion")
    compared_with = int(champion["version"]) if champion else None
    if compared_with != serving:
        return _stale(
            evaluation, f"it was compared with {_named(compared_with)}, but {_named(serving)} serves now"
        )
    found = guards.find(evaluation)
    if not found:
        return Verdict(outcome="accepted", reason=_why(evaluation), figures=_figures(evaluation, found))
    return _objected(evaluation, found)


def _stale(evaluation: Mapping[str, Any], why: str) -> Verdict:
    """What needs no champion may object all the same. Else nobody knows: a version is trained once, and the next one is
    compared with what serves by then."""
    found = [each for each in guards.find(evaluation) if each.guard not in guards.AGAINST_CHAMPION]
    if found:
        return _objected(evaluation, found)
    reason = f"{why}; the next version's run compares with that one, or promote this model by hand"
    return Verdict(outcome="undecided", reason=reason, figures=_figures(evaluation, []))


def _objected(evaluation: Mapping[str, Any], found: Sequence[Finding]) -> Verdict:
    outcome: Outcome = "refused" if any(each.outcome == "refused" for each in found) else "undecided"
    needed = [each.rows_needed for each in found if each.rows_needed]
    more = max(needed) if outcome == "undecided" and needed else None
    reason = "; ".join(each.reason for each in found)
    if more:
        reason += f"; about {_rounded(more):,} more rows would decide it"
    return Verdict(outcome=outcome, reason=reason, figures=_figures(evaluation, found), rows_needed=more)


def _why(evaluation: Mapping[str, Any]) -> str:
    ours, recipe = evaluation["challenger"], evaluation["recipe"]["name"]
    comparison, champion = evaluation.get("comparison"), evaluation.get("champion")
    if not comparison or not champion:
        baseline = evaluation["baseline"]
        return (
            f"{recipe}: log loss {ours['log_loss']:.4f}, better than the base rate's {baseline['log_loss']:.4f} by"
            f" {-baseline['log_loss_difference']:.4f} [{-baseline['high']:.4f}, {-baseline['low']:.4f}]"
        )
    reason = (
        f"{recipe}, refitted: log loss {comparison['log_loss_difference']:+.4f} [{comparison['low']:+.4f},"
        f" {comparison['high']:+.4f}] against model {champion['version']} on {evaluation['rows']} held-out rows; no guard"
        " objects"
    )
    if left_out := evaluation.get("left_out_rows"):
        reason += f"; {left_out} held-out rows more, from which model {champion['version']} had learned, do not count"
    return reason


def _figures(evaluation: Mapping[str, Any], found: Sequence[Finding]) -> dict[str, Any]:
    told = {
        "metrics": _of_model(evaluation["challenger"], evaluation),
        "champion_metrics": _of_model(evaluation.get("champion"), evaluation),
        "recipe": evaluation["recipe"]["name"],
        "findings": [{"guard": each.guard, "reason": each.reason} for each in found],
        "doubts": [
            {**each, "remedy": remedy(evaluation["challenger"]["name"], each["version"])}
            for each in evaluation.get("doubts") or ()
        ],
        **{
            name: evaluation.get(name)
            for name in (
                "comparison",
                "newest",
                "baseline",
                "calibration",
                "drift",
                "left_out_rows",
            )
        },
    }
    told["hashes"] = _hashes(evaluation)
    if evaluation.get("champion"):
        told["champion"] = int(evaluation["champion"]["version"])
    return {name: value for name, value in told.items() if value}


def _hashes(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """What the verdict is about, by content: a version number does not say which rows and which model were meant."""
    model = evaluation["model"]
    found = {
        "dataset": evaluation.get("dataset_id"),
        "hold_out": evaluation.get("holdout_id"),
        "model": model["sha256"],
        "champion": model["champion_sha256"],
    }
    return {name: value for name, value in found.items() if value}


def _of_model(found: Mapping[str, Any] | None, evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """One model's figures, less what it is called, with the rows they are of."""
    figures = {name: value for name, value in (found or {}).items() if name not in ("name", "version")}
    if not figures:
        return None
    return {**figures, "rows": evaluation.get("rows")}


def _named(version: int | None) -> str:
    return "no model" if version is None else f"model {version}"


def _rounded(rows: int) -> int:
    """Two digits that count."""
    step: int = max(10 ** (len(str(rows)) - 2), 1)
    return -(-rows // step) * step
