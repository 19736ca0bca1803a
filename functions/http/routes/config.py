"""/api/config: choices of the owner that change without a restart."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictFloat, StrictInt, StrictStr

from functions.http.dependencies.actions import Action, Requested
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted
from functions.http.views import schemas
from functions.http.views.config import config_body
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.shape import absent
from shared.domain import facts as f
from shared.domain.live_choices import LiveChoices
from shared.errors import ConfigurationError
from shared.procedures.live_config import ALL, LIVE_CONFIG
from shared.services import Services
from shared.settings import read_choices

routes = APIRouter(tags=["config"])


class ConfigChange(BaseModel):
    """Choices by the names of their app settings, and why they are changed."""

    settings: dict[str, StrictInt | StrictFloat | StrictStr] = Field(
        default_factory=dict, description="Each with its new value.", examples=[{"RUNS_PER_DAY": 5}]
    )
    reset: list[str] = Field(
        default_factory=list,
        description="Those that are given back to their app settings.",
        examples=[["RUN_LEAST_NEW_ROWS"]],
    )
    reason: str = Field(
        min_length=1,
        max_length=500,
        description="Why; kept with the change, and in the audit trail.",
        examples=["month end"],
    )
    version: StrictInt = absent(
        ge=0,
        description="The version that was looked at: the change is refused when another came between.",
        examples=[0],
    )


@routes.get("/api/config", response_model=schemas.Config)
def get_config(services: Wired) -> JsonAnswer:
    """Each choice that changes without a restart: its value, and what the app setting says."""
    return JsonAnswer(config_body(_choices(services), services.policy))


@routes.post("/api/config", status_code=202, responses=accepted())
def change_config(requested: Requested, change: ConfigChange) -> JsonAnswer:
    """Changes choices, all or none; they are in force everywhere within seconds. A release that is being watched keeps
    the share that it began with."""

    def begin(operation: str) -> Action:
        if not change.settings and not change.reset:
            raise Problem(
                400, "Name a choice: in `settings` with its value, or in `reset`.", code="NotAChoice"
            )
        try:
            values = read_choices({**change.settings, **dict.fromkeys(change.reset)})
        except ConfigurationError as fault:
            raise Problem(400, str(fault), code="NotAChoice") from fault
        version = _choices(requested.services).version
        if change.version not in (None, version):
            raise Problem(
                409,
                f"It was changed meanwhile: version {version} is the newest. Look again, and decide again.",
                code="ChangedMeanwhile",
            )
        changed = f.ConfigChanged(
            operation=operation, by=requested.caller.name, reason=change.reason, values=values
        )
        said = ", ".join(f"{name.upper()}={_word(value)}" for name, value in values.items())
        return Action(says=f"set {said}", facts=(changed,), at_once=True)

    content = change.model_dump_json().encode()
    return requested.once(begin, reason=change.reason, content=content)


def _choices(services: Services) -> LiveChoices:
    document = services.ledger.documents.read(LIVE_CONFIG, ALL)
    return document.value if document else LiveChoices()


def _word(value: object) -> str:
    return "(as the app setting)" if value is None else str(value)
