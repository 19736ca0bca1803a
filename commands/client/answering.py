"""Which model answers: the endpoint and deployment that a dataset is served by, as the app's status says."""

from __future__ import annotations

from dataclasses import dataclass

from commands.client.status_api import Client
from commands.stack.errors import StackError


@dataclass(frozen=True, kw_only=True)
class Answering:
    """The deployment that gets a dataset's traffic."""

    dataset: str
    endpoint: str
    deployment: str


def answering(client: Client, dataset: str | None) -> Answering:
    """Of `dataset`; without one, of the only dataset whose model answers.

    raises: StackError when there is none, or when there are several to choose from
    """
    rows = [row for row in client.get("status")["datasets"] if row.get("serving")]
    chosen = [row for row in rows if dataset in (None, row["dataset"])]
    if len(chosen) == 1:
        name, serving = chosen[0]["dataset"], chosen[0]["serving"]
        return Answering(dataset=name, endpoint=serving["endpoint"], deployment=serving["deployment"])
    if rows:
        raise StackError(
            f"models of {', '.join(row['dataset'] for row in rows)} answer: choose by --dataset."
        )
    raise StackError(
        "no model answers yet: `./dev drop FILE` trains the first, `./dev status` shows how far it is."
    )
