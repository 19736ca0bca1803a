"""The error of every command: a sentence for people, and an exit code, instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class StackError(Exception):
    """What was requested of the stack cannot be done; the message says why and what to do."""


@contextmanager
def storage_in_words() -> Iterator[None]:
    """What storage says no to, or what the ledger cannot do on it, as a StackError with its reason."""
    try:
        yield
    except Exception as refusal:
        # Only now, since `--help` is said before anything is installed.
        from azure.core.exceptions import AzureError

        from shared.errors import CampanhaError

        if isinstance(refusal, CampanhaError):
            raise StackError(str(refusal)) from refusal
        if not isinstance(refusal, AzureError):
            raise
        raise StackError(f"Storage: {str(refusal.message).splitlines()[0]}") from refusal
