"""The kind `deployment`: one model version behind an endpoint, from its making until it is taken down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import ModelReleased
from shared.domain.kinds.field import Moment, public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import BAKING, NEW_DEPLOYMENT
from shared.domain.names import dataset_id

HEALTH = (
    State(name="pass", tone=Tone.OK, sentence="answers right, and in time"),
    State(name="warn", tone=Tone.WARN, sentence="is slow, or was wrong lately"),
    State(name="fail", tone=Tone.BAD, sentence="did not answer, or answered wrong"),
)


@dataclass(frozen=True, kw_only=True)
class DeploymentHealth:
    """What a deployment's answers to rows of known answers were like lately."""

    status: str = public("The whole in a word.", example="pass", one_of=HEALTH)
    p50_ms: float | None = public(
        "Half of the answers took at most this long.", unit="ms", least=0, example=8.4
    )
    p95_ms: float | None = public(
        "95 of 100 answers took at most this long.", unit="ms", least=0, example=20.0
    )
    requests: int = public("Requests in the window.", least=0, example=60)
    errors: int = public("Those of them that were not answered, or wrongly.", least=0, example=0)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is known of a deployment."""

    endpoint: str = public("The online endpoint it stands behind.", example="campanha-bank")
    deployment: str = public("Its name at the endpoint.", example="model-3")
    dataset: str = public("The name of its model.", example="bank")
    version: int = public("The version of its model.", least=1, example=3)
    traffic_percent: int = public(
        "Its share of the endpoint's traffic.", unit="%", least=0, most=100, example=100
    )
    released_at: Moment | None = public("When it began to answer.", example="2026-11-24T08:02:40.300+00:00")
    health: DeploymentHealth | None = public("What its answers were like lately.")


def _serving(fact: ModelReleased) -> Iterable[Change]:
    if not fact.endpoint:
        return
    about = {"endpoint": fact.endpoint, "dataset": fact.dataset, "version": fact.version}
    yield Change(
        kind="deployment",
        id=f"{fact.endpoint}/{fact.deployment}",
        state="serving",
        round=fact.requested_ms or None,
        values={**about, "deployment": fact.deployment, "traffic_percent": 100},
    )


def _links(deployment: Thing[Deployment]) -> Mapping[str, str | None]:
    return {"model": dataset_id(deployment.values.dataset, deployment.values.version)}


DEPLOYMENT = Kind(
    name="deployment",
    plural="deployments",
    sentence="One model version behind an endpoint.",
    id_pattern=names.DEPLOYMENT_ID,
    id_example="campanha-bank/model-3",
    states=(
        State(
            name="creating",
            tone=Tone.RUN,
            word="being made",
            sentence="is being made",
            waits_for=NEW_DEPLOYMENT,
        ),
        State(
            name="canary",
            tone=Tone.RUN,
            sentence="is watched with a share of the traffic",
            waits_for=BAKING,
        ),
        State(name="serving", tone=Tone.OK, sentence="serves", final=True),
        State(name="standby", tone=Tone.REST, sentence="stands by for the way back", final=True),
        # also what could not be made, or failed its test: it is deleted at once, and its model's record says why
        State(name="removed", tone=Tone.REST, sentence="was taken down", final=True),
    ),
    values=Deployment,
    projections={ModelReleased: _serving},
    links=_links,
)
