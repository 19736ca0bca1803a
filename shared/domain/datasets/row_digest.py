"""Row digests: 64 bits that say what a row holds, whatever part, version or order it comes in.

Equal values in the named columns give equal digests, and it does not matter in which order the columns stand. Over the
features alone (never the answer) they say on which side of the hold-out a row stands; over all columns, which rows
repeat others exactly. Among a million different rows the chance that any two digests are equal is 3 in 100 million.

source: the finaliser is splitmix64's; Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Digests = npt.NDArray[np.uint64]

LEARNED = "learned.npy"
"""In a model's folder: the digests of the features of the rows it learned from, sorted. It is judged on none of them."""
SALT = "campanha row 1"
"""Another salt is another digest for each row: what is kept of older ones would fit no row any more. Never change it."""


def row_digests(table: Any, names: Iterable[str]) -> Digests:
    """A digest for each row of an Arrow table, of the named columns; one that is not there is null in every row."""
    import numpy as np

    state = np.full(table.num_rows, seed(SALT), dtype=np.uint64)
    for name in sorted(set(names)):
        found = _values(table.column(name)) if name in table.column_names else _nulls(table.num_rows)
        state = mixed((state << np.uint64(1) | state >> np.uint64(63)) ^ mixed(found ^ seed(name)))
    return state


def seed(text: str) -> Any:
    """A number for a text: the first eight bytes of its SHA-256."""
    import numpy as np

    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def mixed(state: Digests) -> Digests:
    """The finaliser: each bit of the result depends on each bit given. uint64 arrays wrap around silently, as it wants."""
    import numpy as np

    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _values(column: Any) -> Digests:
    """Numbers by their bits, texts by their SHA-256, which is computed once for each different text."""
    import numpy as np
    import pyarrow as pa

    column = column.combine_chunks()
    there = column.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_string(column.type):
        coded = column.dictionary_encode()
        texts = [seed(f"text {text}") for text in coded.dictionary.to_pylist()]
        codes = coded.indices.fill_null(len(texts)).to_numpy()
        digests: Digests = np.array([*texts, _null()], dtype=np.uint64)[codes]
        return digests
    numbers = column.fill_null(0).to_numpy()
    if numbers.dtype == np.float64:
        numbers = np.where(numbers == 0, 0.0, numbers)  # 0 is 0, whatever its sign
    bits: Digests = np.where(there, numbers.view(np.uint64), _null())
    return bits


def _nulls(rows: int) -> Digests:
    import numpy as np

    return np.full(rows, _null(), dtype=np.uint64)


def _null() -> Any:
    return seed("null")
