"""Delta tokens: a reader's place in a list, as the links of its pages carry it: opaque, and checked when it comes back."""

from __future__ import annotations

import base64
import zlib
from datetime import datetime, timedelta
from itertools import accumulate, chain, pairwise
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.ledger import Cursor
from shared.ledger.change_feed import BEGINNING, MOST_SEEN

LARGEST = 64 * 1024
"""Bytes of a token unpacked; a larger one is none of ours."""
Count = Annotated[int, Field(ge=0, le=10**12)]
Milliseconds = Annotated[int, Field(ge=0, le=10**14)]
"""Since 1970."""
Pairs = Annotated[list[Count], Field(max_length=2 * MOST_SEEN)]
Packed = tuple[Literal[1], str, Count, Milliseconds, Milliseconds, Pairs]
"""The form's version, the list, and the cursor: its events and times, and of each record seen how far its number is
from the one before, and its `seq`."""
_packed: TypeAdapter[Packed] = TypeAdapter(Packed)


def pack(cursor: Cursor, of: str) -> str:
    """of: the list, and its filter"""
    seen = sorted(cursor.seen.items())
    gaps = [after - before for before, after in pairwise([0, *(number for number, _ in seen)])]
    pairs = chain.from_iterable(zip(gaps, (seq for _, seq in seen), strict=True))
    times = _milliseconds(cursor.settled), _milliseconds(cursor.seen_at) + 1
    body = _packed.dump_json((1, of, cursor.next, *times, list(pairs)))
    return base64.urlsafe_b64encode(zlib.compress(body, 9)).decode().rstrip("=")


def unpack(token: str, of: str) -> Cursor:
    """raises: ValueError for a token that is none, or one of another list or filter"""
    unpacked = zlib.decompressobj()
    try:
        body = unpacked.decompress(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), LARGEST)
    except zlib.error as cause:
        raise ValueError("the token is damaged") from cause
    if not unpacked.eof or unpacked.unused_data:
        raise ValueError("the token is cut short, or longer than it was")
    _, list_, next_, settled, seen_at, pairs = _packed.validate_json(body, strict=True)
    if list_ != of:
        raise ValueError("the token is of another list")
    numbers = accumulate(pairs[::2])
    return Cursor(
        next=next_,
        settled=_moment(settled),
        seen=dict(zip(numbers, pairs[1::2], strict=True)),
        seen_at=_moment(seen_at),
    )


def _milliseconds(moment: datetime) -> int:
    return (moment - BEGINNING) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    return BEGINNING + timedelta(milliseconds=milliseconds)
