"""User agents of what the embedded Azure itself calls, by which they are told from an app's calls."""

from __future__ import annotations

EVENTS, WORKSPACE = "localazure-events", "localazure-workspace"
