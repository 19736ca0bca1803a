"""What things in a state wait for, before the next one: words that the API says, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One thing that is waited for."""

    name: str
    sentence: str
    """What a line says after "waits for"."""
    begins: bool = False
    """Whether it begins something new, and so is not had while work is paused."""


ADMISSION = Wait(name="admission", sentence="its rows to be validated against the contract")
GATHER_WINDOW = Wait(
    name="gather-window", sentence="more files of its dataset, so that all that come now make one version"
)
RUN_SLOT = Wait(name="run-slot", sentence="its training run: one at a time for a dataset", begins=True)
WORKSPACE = Wait(name="workspace", sentence="Azure Machine Learning, which has the run")
OUTCOME = Wait(name="outcome", sentence="what its run found to be read and judged")
RELEASE = Wait(name="release", sentence="its turn to be put behind the endpoint", begins=True)
NEW_DEPLOYMENT = Wait(name="deployment", sentence="its deployment to be made and tested")
APPROVAL = Wait(name="approval", sentence="a person who approves or rejects its release")
BAKING = Wait(
    name="baking", sentence="the end of the time in which it is watched with a share of the traffic"
)
PLAN = Wait(
    name="plan",
    sentence="the file to be cut into shards, pinned to the model that answers, and read as a whole",
)
SHARDS = Wait(name="shards", sentence="its shards to be scored, and sealed")
JOIN = Wait(name="join", sentence="its lines to be joined to the scored rows that they speak of")
END_OF_CAUSE = Wait(name="end-of-cause", sentence="what it was raised for to be over")
RESUMPTION = Wait(name="resumption", sentence="an operator who lets work go on: it is paused")

WAITS: tuple[Wait, ...] = (
    ADMISSION,
    GATHER_WINDOW,
    RUN_SLOT,
    WORKSPACE,
    OUTCOME,
    RELEASE,
    NEW_DEPLOYMENT,
    APPROVAL,
    BAKING,
    PLAN,
    SHARDS,
    JOIN,
    END_OF_CAUSE,
    RESUMPTION,
)
