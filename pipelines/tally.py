"""Change set of a publication: says thing by thing what it found and what it made, and collects what was new."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]


class Tally:
    """Says each thing as it is settled, and collects what was new."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.new: list[str] = []

    def there(self, what: str) -> None:
        self._say(f"{what} is there")

    def made(self, what: str) -> None:
        self._say(f"{what} made")
        self.new.append(what)
