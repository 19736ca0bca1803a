"""What is known of a model's release: the shadow comparison, the watch under a share of the traffic, and the decisions."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import names
from shared.domain.kinds.field import Moment, public
from shared.domain.kinds.state import State, Tone

DECISIONS = (
    State(name="promoted", tone=Tone.OK, sentence="was asked to answer"),
    State(name="approved", tone=Tone.OK, sentence="may get traffic"),
    State(name="rejected", tone=Tone.WARN, sentence="gets no traffic"),
    State(name="rolled-back", tone=Tone.WARN, word="rolled back", sentence="is to get no more traffic"),
    State(name="undecided", tone=Tone.WARN, sentence="was decided on by nobody in time"),
)
"""What was decided on a model's release."""


@dataclass(frozen=True, kw_only=True)
class ReleaseDecision:
    """Who decided what on a model's release, and why."""

    decision: str = public("What was decided; more words may come.", example="approved", known=DECISIONS)
    by: str = public("Who decided.", example="key:operator")
    reason: str | None = public("Why.", example="checked the ten largest changes by hand")
    decided_at: Moment = public("When.", example="2026-11-24T08:02:40.300+00:00")


@dataclass(frozen=True, kw_only=True)
class ColumnInfluence:
    """How much of the change in scores goes with one column."""

    column: str = public("The column.", example="euribor3m")
    share: float = public(
        "Share of the variance of the change that differs by the column's values, 0 to 1.",
        least=0,
        most=1,
        example=0.41,
    )


@dataclass(frozen=True, kw_only=True)
class ShadowComparison:
    """The new model and the serving one on rows that the serving one scored last, in pairs."""

    batch: str = public("The batch whose rows they are.", pattern=names.BATCH_ID, example="may-csv-0a1b2c3d")
    champion: int = public("The version that had scored them.", least=1, example=2)
    rows: int = public("Rows that were compared.", least=0, example=2000)
    decisions_differing: float = public(
        "Share of the rows whose decision differs, 0 to 1.", least=0, most=1, example=0.034
    )
    newly_called: float = public(
        "Share of the rows that only the new model would have called, 0 to 1.", least=0, most=1, example=0.021
    )
    mean_difference: float = public(
        "Mean of the probabilities' differences, new minus serving.", unit="of probability", example=0.004
    )
    mean_absolute_difference: float = public(
        "Mean of the differences' sizes, 0 to 1.", least=0, most=1, example=0.018
    )
    p95_absolute_difference: float = public(
        "95 of 100 rows differ by at most this, 0 to 1.", least=0, most=1, example=0.061
    )
    psi: float = public("Population stability index of the scores.", least=0, example=0.021)
    columns: list[ColumnInfluence] | None = public("What the change goes with, the most first.")


@dataclass(frozen=True, kw_only=True)
class RequestsSeen:
    """What a deployment was asked meanwhile, probes included, as its endpoint counted; known some minutes late."""

    requests: int = public("Requests.", least=0, example=412)
    errors: int = public("Those that ended in a fault of the deployment's own.", least=0, example=0)
    p50_ms: float | None = public(
        "Half of the answers took at most this long.", unit="ms", least=0, example=8.4
    )
    p95_ms: float | None = public(
        "95 of 100 answers took at most this long, in the mean of the minutes.",
        unit="ms",
        least=0,
        example=20.0,
    )


@dataclass(frozen=True, kw_only=True)
class BakingScores:
    """The new model's scores beside the serving one's, on a batch that this one scored meanwhile."""

    batch: str = public("The batch whose rows they are.", pattern=names.BATCH_ID, example="may-csv-0a1b2c3d")
    rows: int = public("Rows that both scored.", least=0, example=2000)
    psi: float = public("Population stability index of the two.", least=0, example=0.021)
    limit: float = public(
        "What it may be, by chance for so many rows and by `RELEASE_SHADOW_PSI`; above it the release is rolled back.",
        least=0,
        example=0.25,
    )


@dataclass(frozen=True, kw_only=True)
class Baking:
    """How a model did while it was watched with a share of the traffic."""

    percent: int = public("Its share of the traffic.", unit="%", least=1, most=50, example=10)
    started_at: Moment = public("When it got it.", example="2026-11-24T08:02:40.300+00:00")
    seconds: int = public("How long it had it so far.", unit="s", least=0, example=600)
    probes: int = public(
        "Probes with rows of known answers that it was given meanwhile.", least=0, example=60
    )
    faults: int = public("Those of them that were not answered, or wrongly.", least=0, example=0)
    p95_ms: float | None = public(
        "95 of 100 answers took at most this long.", unit="ms", least=0, example=20.0
    )
    serving_p95_ms: float | None = public(
        "The same of the serving model at the same time.", unit="ms", least=0, example=18.0
    )
    scores: BakingScores | None = public(
        "How its scores differ from the serving model's on the newest batch that came meanwhile; absent where none did."
    )
    requests: RequestsSeen | None = public("What it was asked, as far as its endpoint has told.")
    serving_requests: RequestsSeen | None = public("The same of the serving model.")
