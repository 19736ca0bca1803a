"""Where the conformance scripts run: the embedded workspace, or one in Azure that variables name."""

from __future__ import annotations

import os
from dataclasses import dataclass

NAMED = ("CONFORMANCE_SUBSCRIPTION", "CONFORMANCE_GROUP", "CONFORMANCE_WORKSPACE")
IN_AZURE = all(os.environ.get(name) for name in NAMED)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The workspace that the scripts run against; `variables` lead the SDKs to it."""

    subscription: str
    group: str
    workspace: str
    variables: dict[str, str]

    @property
    def compute(self) -> str:
        return os.environ.get("CONFORMANCE_COMPUTE", "serverless")

    @property
    def patience(self) -> float:
        """Seconds that a job or a deployment may take."""
        return 3600 if IN_AZURE else 120
