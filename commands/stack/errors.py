"""The error of every command: a sentence for people, and an exit code, instead of a traceback."""

from __future__ import annotations


class StackError(Exception):
    """What was requested of the stack cannot be done; the message says why and what to do."""
