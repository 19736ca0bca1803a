"""A machine behind a proxy must not ask it for 127.0.0.1, where all of the embedded Azure listens."""

from __future__ import annotations

from collections.abc import Mapping

NAMES = ("NO_PROXY", "no_proxy")
"""Both: requests and urllib look at the second first, other programs know only the first."""
_HERE = ("127.0.0.1", "localhost")


def without_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say so, in either spelling with what is named in any of them already."""
    there = [name.strip() for spelled in NAMES for name in environ.get(spelled, "").split(",")]
    return dict.fromkeys(NAMES, ",".join(dict.fromkeys([*filter(None, there), *_HERE])))
