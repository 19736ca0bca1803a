"""What every answer's schema is made of: a base, a time, a field that may be absent, a page of a list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import GenericAlias
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema, create_model

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, UTC."""
Address = Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]
"""A URL within the API, without its host."""
Link = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
"""A whole URL."""
GROWING = "x-extensible-enum"
"""Where OpenAPI tools look for the words known today of a list that may grow."""


class Shape(BaseModel):
    """Answers may gain fields within a version; they lose none."""


def absent(**constraints: Any) -> Any:
    """A field that is not there when it is not known. A default would put null into the description."""
    return Field(default_factory=lambda: None, **constraints)


def list_of(item: type[Shape]) -> Any:
    """The type of a list of these, which are made while the app starts."""
    return GenericAlias(list, (item,))


def growing(words: Iterable[str]) -> dict[str, Any]:
    """The words of today in a list that may grow, for a field's schema. As an `enum` they would be promised to be all, and
    generated clients would fail at the next one."""
    return {GROWING: list(dict.fromkeys(words))}


@cache
def page_of(item: type[Shape]) -> type[Shape]:
    """A page of a list of these."""
    fields: dict[str, Any] = {
        "value": (list_of(item), Field(description="The items of this page.")),
        "nextLink": (
            Link,
            absent(
                description="The address of the next page; absent on the last.",
                examples=["http://localhost:7071/api/uploads?api-version=2026-11-29&after=50"],
            ),
        ),
        "deltaLink": (
            Link,
            absent(
                description="The address of what changed since; on the last page, in place of `nextLink`.",
                examples=["http://localhost:7071/api/uploads?api-version=2026-11-29&deltatoken=eNqLNtSp1l"],
            ),
        ),
        "removed": (
            list[str],
            absent(
                description="Of what changed since, with the filter `state`: the ids of what was in that state, and is "
                "not any more. Absent when there is nothing.",
                examples=[["upload/may.csv/0x8DD5A3B1C2D4E5F"]],
            ),
        ),
    }
    return create_model(f"{item.__name__}Page", __base__=Shape, __doc__="A page of a list.", **fields)
