"""Retirement of deployments: the one before the released stays as standby for a rollback, older ones are removed."""

from __future__ import annotations

from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.ports import DeploymentPlan
from shared.procedures.deployment_removal import remove
from shared.procedures.open_batches import deployments_in_use
from shared.services import Services


def retire(deployment: str, plan: DeploymentPlan, *, taken_back: bool) -> list[Change]:
    """The model that answered until now: replaced by a better one, or taken back by an operator.

    plan: of what answers in its place
    """
    id_ = dataset_id(plan.model, int(deployment.removeprefix("model-")))
    reason = {"reason": f"rolled back to model {plan.version} by an operator"} if taken_back else {}
    state = "rolled-back" if taken_back else "previous"
    return [
        Change(kind="model", id=id_, state=state, values=reason),
        Change(
            kind="deployment",
            id=f"{plan.endpoint}/{deployment}",
            state="standby",
            values={"traffic_percent": 0},
        ),
    ]


def collect_unneeded(plan: DeploymentPlan, previous: str, services: Services) -> list[Change]:
    """Removes those that neither answer, nor stand by for a rollback, nor are pinned by a batch under way.

    plan: of what answers
    """
    needed = {plan.deployment, previous, *deployments_in_use(services)}
    unneeded = [name for name in services.workspace.deployments(plan.endpoint) if name not in needed]
    return [change for name in unneeded for change in remove(plan.endpoint, name, services)]
