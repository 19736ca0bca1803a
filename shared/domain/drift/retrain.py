"""Whether drift asks for a retrain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.policy import Policy

SURE = 0.8
"""How probable it has to be that the model loses at all: four to one. Of a model that is right it never was, in 500
simulations (`./dev bench drift`)."""


def reason_to_retrain(cause: str, cost: Mapping[str, Any], model: int, policy: Policy) -> str:
    """In a sentence; empty where none is asked for.

    A column that moved is no reason: with each season some do, and clients of another kind may be scored as rightly as any.
    What counts is that the model very likely loses money.

    cause: what showed it; cost: the values of `kinds.drift.DriftCost`; model: the version that serves
    """
    loss = cost.get("loss")
    if policy.drift_retrain == "off" or loss is None or loss <= policy.drift_retrain_loss:
        return ""
    if cost["loss_probability"] < SURE:
        return ""
    return (
        f"{cause}: by what came since, model {model} loses {loss:,.2f} [{cost['loss_low']:,.2f},"
        f" {cost['loss_high']:,.2f}] on its {cost['rows']:,} clients"
    )
