"""/api/events: every move of anything from one state to the next, as CloudEvents; and their replay to subscribers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from functions.http.dependencies.actions import Action, Requested
from functions.http.dependencies.parameters import Filters
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination, schemas
from functions.http.views.event_replay import asked, plan_of
from functions.http.views.event_schemas import CloudEvent
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.shape import page_of
from shared.domain import facts as f

routes = APIRouter(tags=["events"])


class EventSpan(BaseModel):
    """A span of the event history."""

    starts_at: datetime = Field(
        alias="startsAt", description="Only events that happened at this time or later.",
        examples=["2026-11-24T08:00:00Z"],
    )  # fmt: skip
    ends_at: datetime | None = Field(
        default=None,
        alias="endsAt",
        description="Only events that happened before this time; now when left out.",
        examples=["2026-11-24T09:00:00Z"],
    )  # fmt: skip
    type: str = Field(
        default="",
        max_length=100,
        description="Only events whose type begins so.",
        examples=["Campanha.Model"],
    )
    subscriber: str = Field(
        default="", max_length=100, description="Only to this subscriber, by its name; all when left out.",
        examples=["webhook-4f1c2a9be0d7"],
    )  # fmt: skip


class EventReplay(EventSpan):
    """What is to be replayed."""

    reason: str = Field(default="", max_length=500, description="Why.", examples=["restored from a backup"])


@routes.get("/api/events", response_model=page_of(CloudEvent))
def list_events(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest events first: one for every move of anything from one state to the next."""
    return JsonAnswer(pagination.events(filters, request, services))


@routes.get("/api/events/replay", response_model=schemas.EventReplayPlan, responses=problems(404))
def get_event_replay(services: Wired, span: Annotated[EventSpan, Query()]) -> JsonAnswer:
    """What a replay would deliver: how many events, which, and to whom. Nothing is delivered."""
    return JsonAnswer(
        plan_of(asked(span.starts_at, span.ends_at, span.type, span.subscriber, services), services)
    )


@routes.post("/api/events/replay", status_code=202, responses=accepted(404))
def replay_events(requested: Requested, span: EventReplay) -> JsonAnswer:
    """Has a span of the history delivered to subscribers once more, the oldest event first, each with the id that it always
    had: who keeps ids does nothing twice. New events go on being delivered meanwhile."""

    def begin(operation: str) -> Action:
        found = asked(span.starts_at, span.ends_at, span.type, span.subscriber, requested.services)
        if not found.subscribers:
            raise Problem(
                409, "Nobody has subscribed: see WEBHOOKS in docs/settings.md.", code="NoSubscriber"
            )
        replay = f.EventReplayRequested(operation=operation, **asdict(found))
        return Action(says=f"replay events from {found.since} to {found.until}", facts=(replay,))

    content = f"{span.starts_at} {span.ends_at} {span.type} {span.subscriber}".encode()
    return requested.once(begin, reason=span.reason, content=content)
