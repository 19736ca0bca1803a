"""How a run's end reaches whoever asks why: one marked sentence of a failed step, found in what the workspace says of it.

What else a step's log ends with is no answer: a traceback may hold values of rows.
"""

from __future__ import annotations

import re

MARK = "campanha: "
_SENTENCE = re.compile(rf"{MARK}([^\r\n\"]+)")


def marked(sentence: str) -> str:
    """As a step has to say it, in a line of its own."""
    return f"{MARK}{sentence}"


def sentence_in(told: str) -> str:
    """The last marked sentence of a text; empty without one."""
    found = _SENTENCE.findall(told.replace("\\n", "\n"))
    return found[-1].strip() if found else ""
