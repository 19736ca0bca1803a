"""The size of a request's body: how large it may be, by address; a larger one is 413 before it is read."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Message, Receive

from functions.http.problems import Problem

FILES = ("/api/uploads/", "/api/batches/", "/api/outcomes/")
QUESTIONS = "/api/endpoints/"
LARGEST_JSON = 64 * 1024
"""Bytes of a body that is neither a file nor a question to the model."""
LARGEST_QUESTION = 4 * 1024 * 1024
"""Bytes of the body of a scoring request."""


def largest_body(path: str, largest_file: int) -> int:
    """Bytes a body at this address may have."""
    if path.startswith(FILES):
        return largest_file
    return LARGEST_QUESTION if path.startswith(QUESTIONS) else LARGEST_JSON


def check_length(headers: Mapping[str, str], largest: int) -> None:
    """raises: Problem when more is announced than is allowed"""
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Problem(400, "Content-Length is not a number.")
    if int(length) > largest:
        raise _too_large(largest)


def bounded(receive: Receive, largest: int) -> Receive:
    """`receive`, which ends the request when more comes than was announced or is allowed."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > largest:
            raise _too_large(largest)
        return message

    return counted


def _too_large(largest: int) -> Problem:
    return Problem(413, f"The body is larger than the {largest:,} bytes allowed here.")
