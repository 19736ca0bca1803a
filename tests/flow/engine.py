"""The scoring pipeline in memory, and its runs in a flow test's world."""

from __future__ import annotations

from flow.world import World

from shared.domain.facts import RunMoved
from shared.ports import RunView, StepView
from shared.procedures.released_model import RELEASED, ReleasedModel
from simulation.cluster import score, write_told

__all__ = ["STEPS", "end", "output", "release", "score", "write_told"]
STEPS = ("retrieve", "prepare", "predict", "publish")


def end(world: World, name: str, *, status: str = "Completed", error: str = "") -> None:
    """The workspace ends a run and says so."""
    request = next(asked for asked in world.scoring_pipeline.submissions if asked.name == name)
    if status == "Completed":
        score(request, world.files)
    steps = tuple(StepView(name=step, status=status) for step in STEPS)
    world.workspace.runs[name] = RunView(name=name, status=status, error=error, steps=steps)
    world.tell(RunMoved(run=name))


def release(world: World, version: int, dataset: str = "bank") -> None:
    """As if a model had been judged and released."""
    world.workspace.documents.setdefault((dataset, version), {})
    over = world.ledger.documents.read(RELEASED, dataset)
    value = ReleasedModel(
        version=version,
        deployment=f"model-{version}",
        previous="",
        endpoint="campanha-bank",
        since=world.now().isoformat(),
    )
    world.ledger.documents.write(RELEASED, dataset, value, over=over)


def output(world: World) -> dict[str, bytes]:
    """All blobs a reader is promised, by their names within the batch's folder."""
    found = {blob.name.partition("/")[2]: blob for blob in world.files.list("scored")}
    unlike = ("plan.json", "shards.json")  # the time of the plan; what only a run leaves
    return {name: b"".join(world.files.read(blob)) for name, blob in found.items() if name not in unlike}
