"""JSON that people read too: what is written beside files, for whoever looks at them in storage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def in_lines(body: Mapping[str, Any], *, ensure_ascii: bool = True) -> bytes:
    """A line for each member, and for each item of a list of them.

    As quick as JSON in one line, which `json.dumps` with an indent is not: Python indents in Python, and a manifest may
    list thousands of parts.
    """

    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii)

    def member(value: Any) -> str:
        if not isinstance(value, list) or not value:
            return text(value)
        return "[\n  " + ",\n  ".join(map(text, value)) + "\n ]"

    lines = (f" {text(name)}: {member(value)}" for name, value in body.items())
    return ("{\n" + ",\n".join(lines) + "\n}").encode()
