"""Path and query parameters that several routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from functions.http.views.pagination import ListQuery

Name = Annotated[str, Path(min_length=1, max_length=1024)]
Version = Annotated[int, Path(ge=1, le=10**9)]
Filters = Annotated[ListQuery, Query()]
