"""Who holds a lock: a process by machine, pid and start; and whether that process is surely gone."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from urllib.parse import quote


def this_process() -> str:
    """What is written beside a lock that this process holds."""
    return f"{_machine()}/{os.getpid()}/{_birth(os.getpid())}"


def is_gone(owner: str) -> bool:
    """True when the process was on this machine and is no more; False when that cannot be known."""
    machine, pid_text, born = [*owner.rsplit("/", 2), "", ""][:3]
    if machine != _machine() or not pid_text.isdigit() or sys.platform == "win32":
        return False
    pid = int(pid_text)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(born) and _birth(pid) != born


def _machine() -> str:
    return quote(platform.node(), safe="")


def _birth(pid: int) -> str:
    """When a process started, in the kernel's own count; empty for a dead one, and where nobody tells."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
