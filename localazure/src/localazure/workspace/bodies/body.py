"""A kind of request body: which fields are acted on, which are only kept, which are refused by name.

A field that is only kept comes back when the resource is read; its reason says why that can be left at that. Any
other field is refused: what is not understood must not be ignored. Values that say nothing (null, "", {}, [])
always pass, as does what the service itself puts into a resource, since clients send that back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localazure.workspace.wire.calls import Refusal

_ECHOED = {"provisioningState", "status", "isArchived", "isAnonymous", "properties", "tags", "description"}
BODIES: list[Body] = []


@dataclass(frozen=True, kw_only=True)
class Body:
    """One kind of body. `where` is for people: "the online deployment"."""

    where: str
    used: frozenset[str]
    kept: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def check(self, given: Mapping[str, Any]) -> None:
        """Raises for the first field that would be ignored."""
        for name, value in given.items():
            if name in self.refused and _says_something(value):
                raise Refusal(501, "NotImplemented", f"{name!r} of {self.where}: {self.refused[name]}")
            known = name in self.used or name in self.kept or name in self.refused or name in _ECHOED
            if not known and _says_something(value):
                raise Refusal(400, "UserError", f"{self.where} has no {name!r} here; it would be ignored")


def body(
    where: str,
    used: Iterable[str],
    kept: Mapping[str, str] | None = None,
    refused: Mapping[str, str] | None = None,
) -> Body:
    made = Body(where=where, used=frozenset(used), kept=kept or {}, refused=refused or {})
    BODIES.append(made)
    return made


def _says_something(value: Any) -> bool:
    return value not in (None, "", {}, [])


ONE_MACHINE = "every compute is this machine"
NO_IDENTITY = "there are no permissions here"
NO_CONTAINERS = "there are no containers here"
NO_DELETION = "nothing deletes itself here"
STUDIO = "a word for the studio"
