"""Path and query parameters that several routes share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from functions.http.views.pagination import BatchQuery, LearnedQuery, ListQuery, PageQuery


def _named(description: str) -> Any:
    """A text in the path."""
    return Path(min_length=1, max_length=1024, description=description)


UploadName = Annotated[str, _named("The file's name, with its container or without.")]
DatasetName = Annotated[str, _named("The dataset's name.")]
ModelName = Annotated[str, _named("The model's name: that of the dataset it was trained on.")]
RunName = Annotated[str, _named("The run's name.")]
EndpointName = Annotated[str, _named("The endpoint's name.")]
DeploymentName = Annotated[str, _named("The deployment's name at the endpoint.")]
OutcomeId = Annotated[str, _named("The id of the file of outcomes.")]
BatchId = Annotated[str, _named("The batch's id.")]
AlertId = Annotated[str, _named("The alert's id.")]
FailureId = Annotated[str, _named("The failure's id.")]
OperationId = Annotated[str, _named("The operation's id, as the action's answer has it.")]
LineageKey = Annotated[str, _named("The file's name, its SHA-256, or the hash of its content.")]
Version = Annotated[int, Path(ge=1, le=10**9, description="The version.")]
PageSize = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Filters = Annotated[ListQuery, Query()]
LearnedFilters = Annotated[LearnedQuery, Query()]
BatchFilters = Annotated[BatchQuery, Query()]
Paged = Annotated[PageQuery, Query()]
