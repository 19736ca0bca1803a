"""The cost of drift, as it is recorded of an upload or a batch: what can be said in money, and what cannot, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from shared.domain.drift.ahead import Ahead
from shared.domain.drift.expected_loss import Money, expected_loss, too_little
from shared.domain.drift.score_places import ScorePlaces, probability_of
from shared.domain.outcomes.expectation import WIDE


@dataclass(frozen=True, kw_only=True)
class PerClient:
    """Money for each client, and how sure the mean is."""

    money: float
    variance: float
    """Of the mean."""


def worth_of(asked: ScorePlaces, money: Money) -> PerClient | None:
    """What the calls by these scores are expected to bring for each client, if the scores are right; None without any.

    asked: those whom the model would have called marked
    """
    rows = int(asked.rows.sum())
    if not rows:
        return None
    each = money.of_calls(probability_of(asked.odds))
    mean = float((each * asked.marked).sum() / rows)
    squares = float((each**2 * asked.marked).sum() / rows)
    return PerClient(money=mean, variance=max(squares - mean**2, 0.0) / rows)


def worth_when_judged(documents: Mapping[str, Any], money: Money) -> PerClient | None:
    """What the calls brought for each held-out row when the model was judged; None where that is not known.

    documents: of the model's folder. Its profit is at the prices of that day, which say how many deposits there were;
    these and the calls are counted anew at today's.
    """
    evaluation, then = documents.get("evaluation", {}), documents.get("model", {})
    figures, rows = evaluation.get("challenger", {}), evaluation.get("rows", 0)
    profit, calls = figures.get("profit"), figures.get("calls")
    call_cost, deposit_value = then.get("call_cost"), then.get("deposit_value")
    if not rows or None in (profit, calls, call_cost, deposit_value):
        return None
    gain = money.deposit_value - money.call_cost
    deposits = min(max((profit + call_cost * calls) / deposit_value, 0.0), calls)
    mean = (deposits * gain - (calls - deposits) * money.call_cost) / rows
    squares = (deposits * gain**2 + (calls - deposits) * money.call_cost**2) / rows
    return PerClient(money=mean, variance=max(squares - mean**2, 0.0) / rows)


def cost_of(
    asked: ScorePlaces,
    seen: ScorePlaces,
    judged: PerClient | None,
    ahead: Ahead | str,
    money: Money,
) -> dict[str, Any]:
    """The fields of `kinds.drift.DriftCost`.

    asked: the clients of the list, those whom the model would call marked
    seen: rows that came since the model learned, the positive ones marked
    judged: as `worth_when_judged` has it
    """
    rows = int(asked.rows.sum())
    values: dict[str, Any] = {"rows": rows, "answers": int(seen.rows.sum())}
    values |= _moved_worth(worth_of(asked, money), judged)
    why = "no row has a score" if not rows else too_little(seen)
    if why:
        return values | {"not_said_because": why}
    found = expected_loss(asked, seen, money)
    values |= {"loss": found.loss, "loss_low": found.low, "loss_high": found.high}
    values["loss_probability"] = found.probability
    if isinstance(ahead, str):
        return values | {"not_said_because": f"of the time until the next retrain nothing is said: {ahead}"}
    times = ahead.clients / rows
    return values | {
        "ahead_clients": ahead.clients,
        "ahead_days": ahead.days,
        "loss_ahead": round(found.loss * times, 2),
        "loss_ahead_low": round(found.low * times, 2),
        "loss_ahead_high": round(found.high * times, 2),
    }


def _moved_worth(worth: PerClient | None, judged: PerClient | None) -> dict[str, Any]:
    """What the clients are worth by their scores, beside those whom the model was judged on."""
    if worth is None:
        return {}
    values = {"worth_per_client": round(worth.money, 4)}
    if judged is None:
        return values
    difference, spread = worth.money - judged.money, WIDE * sqrt(worth.variance + judged.variance)
    return values | {
        "judged_worth_per_client": round(judged.money, 4),
        "worth_difference_low": round(difference - spread, 4),
        "worth_difference_high": round(difference + spread, 4),
    }
