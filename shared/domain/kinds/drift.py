"""What is known of drift: by column, of the scores, and in money. Uploads and batches have all three alike."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.kinds.field import public

CURRENCY = "the currency of the costs"


@dataclass(frozen=True, kw_only=True)
class ListDrift:
    """How far a column of the file is from what its model learned."""

    column: str = public("The column.", example="euribor3m")
    psi: float = public("Population stability index.", least=0, example=0.187)
    limit: float = public(
        "What the index may be, by chance and by what matters, for so many rows.", least=0, example=0.1
    )
    moved: bool = public("Whether it is above its limit.", example=True)
    new_share: float = public(
        "The share of rows in groups that were never learned: new categories.", least=0, most=1, example=0.0
    )


@dataclass(frozen=True, kw_only=True)
class ScoreDrift:
    """How far the scores are from those of the rows that were held out when the model learned."""

    psi: float = public("Population stability index over the ten tenths.", least=0, example=0.042)
    limit: float = public("What it may be for so many rows.", least=0, example=0.1)
    moved: bool = public("Whether it is above its limit.", example=False)


@dataclass(frozen=True, kw_only=True)
class DriftCost:
    """What it costs, in money, that the model no longer says what comes true; an estimate, and what it rests on."""

    rows: int = public("Clients of the file that the model scored for it.", least=0, example=1850)
    answers: int = public(
        "Clients with a known answer that the model has not learned from: they say how far off it is.",
        least=0,
        example=1850,
    )
    worth_per_client: float | None = public(
        "What its calls are expected to bring for each client of the file, less what they cost, if it is right.",
        unit=CURRENCY,
        example=2.41,
    )
    judged_worth_per_client: float | None = public(
        "What its calls brought for each held-out row when it was judged, at the prices of today.",
        unit=CURRENCY,
        example=3.02,
    )
    worth_difference_low: float | None = public(
        "Lower end of the difference's 95 % interval, file minus held-out rows: these clients are worth more or less.",
        unit=CURRENCY,
        example=-0.91,
    )
    worth_difference_high: float | None = public("Its upper end.", unit=CURRENCY, example=-0.31)
    loss: float | None = public(
        "Expected loss on such a file: what its decisions bring less than those by probabilities mended by the answers.",
        unit=CURRENCY,
        example=412.6,
    )
    loss_low: float | None = public(
        "Lower end of its 95 % interval; below 0 where it may as well be none.", unit=CURRENCY, example=120.3
    )
    loss_high: float | None = public("Upper end of its 95 % interval.", unit=CURRENCY, example=733.9)
    loss_probability: float | None = public(
        "How probable it is that there is a loss at all, 0 to 1.", least=0, most=1, example=0.93
    )
    ahead_clients: int | None = public(
        "Clients that the model is likely to score until the next retrain, by the pace so far.",
        least=0,
        example=9200,
    )
    ahead_days: float | None = public(
        "Days until then, by how often models came so far.", unit="days", least=0, example=21.5
    )
    loss_ahead: float | None = public(
        "Expected loss until the next retrain, if the clients to come are like these.",
        unit=CURRENCY,
        example=2051.9,
    )
    loss_ahead_low: float | None = public(
        "Lower end of its 95 % interval, which knows how sure the model's error is, and not the pace.",
        unit=CURRENCY,
        example=598.3,
    )
    loss_ahead_high: float | None = public("Upper end of its 95 % interval.", unit=CURRENCY, example=3649.7)
    not_said_because: str | None = public(
        "Why a figure is missing.",
        example="of clients that the model has not learned from, 0 answers are known, 0 of them positive: it takes 100, and"
        " 10 of either kind",
    )
