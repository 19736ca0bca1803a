"""The API's versions: which there are, and until when; Deprecation (RFC 9745) and Sunset (RFC 8594) of the older ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime


@dataclass(frozen=True, kw_only=True)
class ApiVersion:
    """One version: what clients say in `?api-version=`."""

    name: str
    """The day from which on it is as it is: `YYYY-MM-DD`."""
    deprecated: datetime | None = None
    """From then on clients are told to move on to a newer version."""
    sunset: datetime | None = None
    """From then on it is refused."""
    about: str = "/api/docs"
    """Where one reads what changed, and how to move on."""

    def ended(self, now: datetime) -> bool:
        return self.sunset is not None and self.sunset <= now

    def headers(self) -> dict[str, str]:
        """What answers to its requests say of its end; nothing, while no end of it is known."""
        said: dict[str, str] = {}
        if self.deprecated:
            said["Deprecation"] = f"@{int(self.deprecated.timestamp())}"
        if self.sunset:
            said["Sunset"] = format_datetime(self.sunset.astimezone(UTC), usegmt=True)
        if said:
            links = (f'<{self.about}>; rel="{name.lower()}"; type="text/html"' for name in said)
            said["Link"] = ", ".join(links)
        return said


VERSIONS: tuple[ApiVersion, ...] = (ApiVersion(name="2026-11-29"),)
"""The oldest first. A change that breaks clients makes a new one; the one before it is deprecated then, and its sunset is
not before the next year."""


def newest() -> ApiVersion:
    return VERSIONS[-1]


def named(name: str) -> ApiVersion | None:
    return next((version for version in VERSIONS if version.name == name), None)


def working(now: datetime) -> list[str]:
    """The names of those that are answered."""
    return [version.name for version in VERSIONS if not version.ended(now)]
