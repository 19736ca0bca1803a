"""An event of the app in one line: when, what, about which file or thing, and why."""

from __future__ import annotations

from commands.client.status_api import Json

COLUMNS = ("time", "what", "about", "reason")
REASONS = (
    "reason",
    "postponedBecause",
    "heldBecause",
    "approvedBecause",
    "decidedBecause",
    "withdrawnBecause",
    "trustedBecause",
    "doubtedBecause",
    "pausedBecause",
    "resumedBecause",
    "retrainAskedBecause",
)
"""Why something moved, under the name that its kind has for it."""


def row(event: Json) -> Json:
    """An event in four words."""
    data = event["data"]
    what = event["type"].removeprefix("Campanha.").partition(".v")[0]
    about = data.get("name") or data.get("about") or data.get("action") or _name(data["kind"], data["id"])
    reason = next((data[name] for name in REASONS if data.get(name)), None)
    return {"time": event["time"], "what": what, "about": about, "reason": reason}


def _name(kind: str, id_: str) -> str:
    """A file's id holds its name: upload/NAME/ETAG."""
    return id_.removeprefix("upload/").rpartition("/")[0] if kind in ("upload", "quarantine") else id_
