"""One line a record on stderr, with the function and the invocation it belongs to; keys are masked."""

from __future__ import annotations

import logging
import sys

from localazure.host.invoke import current
from localazure.host.keys import Keys, mask_code

LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}


class Lines(logging.Formatter):
    """`time LEVEL [function invocation] text`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(origin)s%(message)s")
        self.keys: Keys | None = None

    def format(self, record: logging.LogRecord) -> str:
        function, invocation = current.get()
        record.origin = f"[{function} {invocation[:8]}] " if invocation else ""
        line = super().format(record)
        return self.keys.masked(line) if self.keys else mask_code(line)


def begin() -> Lines:
    """Log to stderr from now on."""
    lines = Lines()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(lines)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("azure", "urllib3", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return lines


def set_level(name: str) -> None:
    """The level host.json asks for; an unknown one leaves it at INFO."""
    logging.getLogger().setLevel(LEVELS.get(name.lower(), logging.INFO))
