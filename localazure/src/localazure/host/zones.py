"""The time zone in which schedules are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from localazure.host.errors import BadSetting

SETTING = "WEBSITE_TIME_ZONE"


def zone(environ: Mapping[str, str]) -> tzinfo | None:
    """The zone the settings name; None for that of the machine (or TZ)."""
    name = environ.get(SETTING)
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise BadSetting(f"{SETTING} is {name!r}: write a name like Europe/Lisbon.") from cause
