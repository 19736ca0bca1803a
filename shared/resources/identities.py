"""Who acts: the managed identities, split so that what faces HTTP cannot write data."""

from __future__ import annotations

from dataclasses import dataclass

from shared.resources.events import STORAGE, WORKSPACE


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A principal that roles are assigned to."""

    name: str
    who: str
    user_assigned: bool = True
    """Else it belongs to the resource that acts, or to a person."""


WORK = Identity(name="work", who="the app `work`: queues and clocks")
API = Identity(name="api", who="the app `api`: the HTTP API and the dashboard")
CLUSTER = Identity(name="cluster", who="the compute cluster that the pipelines' steps run on")
ENDPOINT = Identity(name="endpoint", who="the online endpoints that the app makes")
STORAGE_TOPIC = Identity(
    name=f"{STORAGE}Topic", who="Event Grid's topic of the data account", user_assigned=False
)
WORKSPACE_TOPIC = Identity(
    name=f"{WORKSPACE}Topic", who="Event Grid's topic of the workspace", user_assigned=False
)
DEPLOYER = Identity(name="deployer", who="whoever runs `azd up`", user_assigned=False)
WORKSPACE_ITSELF = Identity(
    name=WORKSPACE, who="the workspace itself, as it makes its managed network", user_assigned=False
)
"""Nobody of ours signs in as it, so it is none of `IDENTITIES`."""
IDENTITIES = (WORK, API, CLUSTER, ENDPOINT, STORAGE_TOPIC, WORKSPACE_TOPIC, DEPLOYER)
