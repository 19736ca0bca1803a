"""What every answer's schema is made of: a base, a time, a field that may be absent, a page of a list."""

from __future__ import annotations

from functools import cache
from types import GenericAlias
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, UTC."""


class Shape(BaseModel):
    """Answers may gain fields within a version; they lose none."""

    model_config = ConfigDict(extra="allow")


def absent(**constraints: Any) -> Any:
    """A field that is not there when it is not known. A default would put null into the description."""
    return Field(default_factory=lambda: None, **constraints)


def list_of(item: type[Shape]) -> Any:
    """The type of a list of these, which are made while the app starts."""
    return GenericAlias(list, (item,))


@cache
def page_of(item: type[Shape]) -> type[Shape]:
    """A page of a list of these."""
    fields: dict[str, Any] = {
        "value": (list_of(item), ...),
        "nextLink": (str, absent(description="The next page; absent on the last.")),
    }
    return create_model(f"{item.__name__}Page", __base__=Shape, **fields)
