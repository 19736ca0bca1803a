"""What is worth knowing of the machine that something was measured on."""

from __future__ import annotations

import os
import platform
from typing import Any


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def load() -> list[float] | None:
    """The load averages: what else ran on the cores shows here."""
    return [round(one, 2) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None
