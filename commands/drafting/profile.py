"""What the values of one column look like: how many, of what form, and how well the column alone tells the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipelines.training.metrics import auc
from serving.features import Floats
from shared.domain.tables.values import DECIMAL_COMMA, NUMBER, WHOLE

Form = Literal["integer", "number", "words"]

INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
"""No leading zero: what has one is a code, a postal one or a branch's, and no amount."""
LEAST_OF_WORD = 30
"""Rows of a word in each half, so that its rate says something."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One column of a file."""

    name: str
    rows: int
    blank: int
    """Rows without a value."""
    words: Counter[str]
    """The values without the blanks around them, and how often each comes."""
    form: Form
    padded: bool = False
    """Some values have blanks around them,"""
    whole: bool = False
    """some integers are written as `57.0`,"""
    comma: bool = False
    """numbers are written with a decimal comma."""
    low: float = 0.0
    high: float = 0.0
    """Of numbers."""
    alone: float | None = None
    """AUC of this column alone against the answer; None where it cannot be told."""

    @property
    def commonest(self) -> list[str]:
        return [word for word, _ in self.words.most_common()]


def profiled(name: str, texts: Sequence[str]) -> Profile:
    words = Counter(text.strip() for text in texts)
    blank = words.pop("", 0)
    form, whole, comma = _form(words)
    numbers = [] if form == "words" else [_number(word) for word in words]
    return Profile(
        name=name,
        rows=len(texts),
        blank=blank,
        words=words,
        form=form,
        padded=any(text != text.strip() for text in texts),
        whole=whole,
        comma=comma,
        low=min(numbers, default=0.0),
        high=max(numbers, default=0.0),
    )


def beside_answers(one: Profile, texts: Sequence[str], answers: Floats) -> Profile:
    """The profile with what the column alone says of the answers. answers: of each row 1 or 0"""
    return replace(one, alone=_alone(one, [text.strip() for text in texts], answers))


def _form(words: Counter[str]) -> tuple[Form, bool, bool]:
    """And whether integers are written as whole numbers, and numbers with a decimal comma."""
    if not words:
        return "words", False, False
    if all(INTEGER.fullmatch(word) for word in words):
        return "integer", False, False
    if all(INTEGER.fullmatch(word) or WHOLE.fullmatch(word) for word in words):
        return "integer", True, False
    if all(NUMBER.fullmatch(word) for word in words) and not any(_is_code(word) for word in words):
        return "number", False, False
    if all(INTEGER.fullmatch(word) or DECIMAL_COMMA.fullmatch(word) for word in words):
        return "number", False, True
    return "words", False, False


def _is_code(word: str) -> bool:
    return len(word) > 1 and word.isdigit() and word[0] == "0"


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _alone(one: Profile, plain: Sequence[str], answers: Floats) -> float | None:
    """How well the column ranks the rows by itself, in whichever direction."""
    known = np.array([bool(text) for text in plain])
    numbers = one.form != "words"
    said = np.array([_number(text) for text in plain if text]) if numbers else _rates(plain, answers)[known]
    found = auc(answers[known], said)
    return None if found is None else max(found, 1 - found)


def _rates(plain: Sequence[str], answers: Floats) -> Floats:
    """Of each row the rate of its word among the other half of the rows, or the base rate for a rare word: a word that
    came once would else tell its own answer."""
    _, place = np.unique(np.array(plain), return_inverse=True)
    half = np.arange(len(plain)) % 2 == 0
    rates = np.empty(len(plain))
    for mine in (half, ~half):
        rows = np.bincount(place[~mine], minlength=place.max() + 1)
        positives = np.bincount(place[~mine], weights=answers[~mine], minlength=place.max() + 1)
        base = float(answers[~mine].mean()) if (~mine).any() else 0.0
        of_word = np.where(rows >= LEAST_OF_WORD, positives / np.maximum(rows, 1), base)
        rates[mine] = of_word[place[mine]]
    return rates
