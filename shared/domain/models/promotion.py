"""Is the challenger truly better? Champion and challenger on the same held-out rows, and how sure that makes us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision, the reason in a sentence, and the figures it rests on."""

    accepted: bool
    reason: str
    figures: dict[str, Any]
    """As the model's record has them: see `shared.domain.kinds.model`."""


def judge(evaluation: Mapping[str, Any], *, serving: int | None, policy: Policy) -> Verdict:
    """Decides whether the challenger takes the champion's place.

    evaluation: what the pipeline's `evaluate` step wrote (both models' figures on one hold-out)
    serving: the version that answers now; a comparison against any other proves nothing
    source: paired bootstrap of the log-loss difference, Efron & Tibshirani, An Introduction to the Bootstrap, ch. 16
    """
    challenger, champion = evaluation["challenger"], evaluation.get("champion")
    compared_with = int(champion["version"]) if champion else None
    if compared_with != serving:
        reason = f"it was compared with {_named(compared_with)}, but {_named(serving)} serves now"
        return Verdict(accepted=False, reason=reason, figures=_figures(evaluation))
    if evaluation.get("not_compared"):
        reason = f"nothing shows that it is better: {evaluation['not_compared']}; promote it by hand if it is to serve"
        return Verdict(accepted=False, reason=reason, figures=_figures(evaluation))
    if champion is None:
        return _first(evaluation, challenger["log_loss"], evaluation["baseline"]["log_loss"])
    return _against_champion(evaluation, champion, policy)


def _first(evaluation: Mapping[str, Any], log_loss: float, baseline: float) -> Verdict:
    better = log_loss < baseline
    than = "better than" if better else "no better than"
    reason = f"first model: log loss {log_loss:.4f}, {than} the base rate's {baseline:.4f}"
    return Verdict(accepted=better, reason=reason, figures=_figures(evaluation))


def _against_champion(evaluation: Mapping[str, Any], champion: Mapping[str, Any], policy: Policy) -> Verdict:
    comparison = evaluation["comparison"]
    sure, gain = comparison["probability_better"], comparison["log_loss_difference"]
    accepted = sure >= policy.promotion_confidence
    reason = (
        f"log loss {gain:+.4f} [{comparison['low']:+.4f}, {comparison['high']:+.4f}] against model"
        f" {champion['version']} on the same {evaluation['rows']} rows; better with probability {sure:.2f},"
        f" {'at least' if accepted else 'below'} the {policy.promotion_confidence:.2f} asked for"
    )
    if left_out := evaluation.get("left_out_rows"):
        reason += f"; {left_out} held-out rows more, from which model {champion['version']} had learned, do not count"
    return Verdict(accepted=accepted, reason=reason, figures=_figures(evaluation))


def _figures(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "metrics": _of_model(evaluation["challenger"], evaluation),
        "champion_metrics": _of_model(evaluation.get("champion"), evaluation),
        **{name: evaluation.get(name) for name in ("comparison", "baseline", "drift", "left_out_rows")},
    }
    if evaluation.get("champion"):
        found["champion"] = int(evaluation["champion"]["version"])
    return {name: value for name, value in found.items() if value}


def _of_model(found: Mapping[str, Any] | None, evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """One model's figures, less what it is called, with the rows they are of."""
    figures = {name: value for name, value in (found or {}).items() if name not in ("name", "version")}
    if not figures:
        return None
    return {**figures, "rows": evaluation.get("rows")}


def _named(version: int | None) -> str:
    return "no model" if version is None else f"model {version}"
