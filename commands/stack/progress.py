"""A line on stderr for each part that serves: how long its start took, and its address."""

from __future__ import annotations

import sys

from commands.stack.state import Stack
from commands.stack.supervisor import Announce


def on_stderr(stack: Stack) -> Announce:
    """Prints a line when a part serves."""

    def announce(part: str, seconds: float, now: bool) -> None:
        scheme = "https" if stack.roles else "http"
        address = {
            "faults": f"http://127.0.0.1:{stack.ports['faults']}" if stack.faults else "",
            "storage": f"{scheme}://127.0.0.1:{stack.ports['blob']}",
            "events": f"{scheme}://127.0.0.1:{stack.ports['events']}",
            "workspace": stack.workspace_url,
            "host": stack.host_url,
            "work": f"http://127.0.0.1:{stack.ports.get('work')}",
        }[part]
        how = f"ready in {seconds:.1f} s" if now else "runs already"
        print(f"  {part:<10} {how:<16} {address}", file=sys.stderr, flush=True)

    return announce
