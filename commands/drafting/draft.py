"""Decides what a contract says of each column, and says why where a person should look."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.drafting.profile import Profile
from shared.domain.tables.contract import Mend
from shared.errors import ConfigurationError

GIVES_AWAY = 0.9
"""AUC of one column alone from which on it is taken for the answer itself, or for what only the call brings."""
INDEX_COLUMN = ("", "Unnamed: 0")
"""Names of a first column that spreadsheets and data frames number the rows by."""
MOST_WORDS = 100
"""Of a category; a column with more holds free text, or names its rows."""
MOST_BLANK = 0.2
"""Share of rows without a value from which on a column is left out: each such row would be rejected."""
PERSONAL_SHARE = 0.5
"""Of the values that look like personal data."""
POSITIVE = ("yes", "y", "true", "t", "1", "sim", "si", "oui", "ja", "positive", "good")
TARGETS = ("y", "target", "label", "class", "outcome", "response", "deposit", "subscribed", "churn", "churned",
           "default", "defaulted", "converted", "bought", "exited", "approve", "approved", "accepted", "deny", "denied",
           "rejected", "responded", "renewed", "creditability")  # fmt: skip
PERSONAL_NAMES = re.compile(
    r"(^|[_.\s-])(first|last|full|sur)?_?name$|e-?mail|phone|mobile|telem|address|street|morada|iban|nif|ssn|passport"
    r"|birth|^dob$|nome|account_?(no|number)|card_?(no|number)",
    re.IGNORECASE,
)
PROTECTED_NAMES = re.compile(
    r"(^|[_.\s-])(sex|gender|male|female|race|ethnic(ity)?|black|white|hispan(ic)?|religion|nationality|native_country)$",
    re.IGNORECASE,
)
PERSONAL_VALUES = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}"),
    "IBANs": re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,30}"),
    "telephone numbers": re.compile(r"(\+|00)[0-9][0-9 ()-]{7,18}"),
}
DATE = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./](19|20)[0-9]{2}.*")
NUMBERING = re.compile(r"(^|[_.\s-])(id|key|no|nr|number|index|code)$|^id|^unnamed|^$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """What the contract says of one column."""

    name: str
    body: dict[str, Any] | None
    """As the contract has it; None: it is ignored."""
    note: str = ""
    """What a person should look at, or why it is ignored."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A contract, and what a person should look at in it."""

    dataset: str
    title: str
    target: dict[str, Any]
    target_note: str
    columns: tuple[Drafted, ...]
    mend: tuple[Mend, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As `Contract.from_json` takes it."""
        body: dict[str, Any] = {"dataset": self.dataset, "title": self.title, "target": self.target}
        if self.mend:
            body["mend"] = list(self.mend)
        ignored = [each.name for each in self.columns if each.body is None]
        if ignored:
            body["ignored"] = ignored
        body["columns"] = [each.body for each in self.columns if each.body is not None]
        return body


def target_among(profiles: Sequence[Profile], wanted: str = "") -> Profile:
    """The column that holds the answer: the one named, or else by its name, or else the last of two words.

    raises: ConfigurationError that lists what there is
    """
    two = [each for each in profiles if len(each.words) == 2]
    if wanted:
        named = [each for each in profiles if each.name == wanted]
        if not named:
            raise ConfigurationError(
                f"there is no column {wanted!r}; there are {_list(each.name for each in profiles)}"
            )
        if named[0] not in two:
            words = _list(named[0].commonest[:5])
            raise ConfigurationError(
                f"column {wanted!r} has {len(named[0].words)} values ({words}); the answer has two, such as yes and no"
            )
        return named[0]
    by_name = [each for each in two if each.name.strip().casefold() in TARGETS]
    if not two:
        raise ConfigurationError("no column has exactly two values, so none can be the answer to predict")
    if not by_name and two[-1] is not profiles[-1]:
        raise ConfigurationError(
            f"which column is the answer? Say --target NAME; two values have {_list(each.name for each in two)}"
        )
    return (by_name or two)[-1]


def doubt_about(answer: Profile, profiles: Sequence[Profile]) -> str:
    """Why the answer may be another column; empty when its name says that it is this one, or no other could be."""
    others = [each.name for each in profiles if len(each.words) == 2 and each is not answer]
    if not others or answer.name.strip().casefold() in TARGETS:
        return ""
    return f"taken since it is the last column; --target names another of two values: {_list(others[:8])}"


def positive_of(target: Profile, wanted: str = "") -> tuple[str, str]:
    """The answer that is looked for, and how it was chosen. raises: ConfigurationError"""
    if wanted and wanted not in target.words:
        raise ConfigurationError(f"{wanted!r} is none of the answers {_list(target.commonest)}")
    if wanted:
        return wanted, ""
    known = [word for word in target.words if word.casefold() in POSITIVE]
    if len(known) == 1:
        return known[0], ""
    rarer = target.commonest[-1]
    return rarer, f"is {rarer!r} what is looked for? It is the rarer answer; --positive says otherwise"


def drafted(
    dataset: str, title: str, profiles: Sequence[Profile], target: Profile, positive: tuple[str, str]
) -> Draft:
    """profiles: of the other columns. raises: ConfigurationError for one without a name"""
    word, note = positive
    indexed = bool(profiles) and profiles[0].name in INDEX_COLUMN and _numbers_rows(profiles[0])
    named = profiles[1:] if indexed else profiles
    if nameless := [place for place, each in enumerate(profiles, 1) if not each.name and each in named]:
        raise ConfigurationError(f"column {nameless[0]} has no name; give it one in the header")
    return Draft(
        dataset=dataset,
        title=title,
        target={"name": target.name, "values": sorted(target.words), "positive": word},
        target_note=note,
        columns=tuple(_column(each) for each in named),
        mend=_mends([*named, target], indexed=indexed),
    )


def _column(one: Profile) -> Drafted:
    if why := _left_out(one):
        return Drafted(name=one.name, body=None, note=why)
    body: dict[str, Any] = {"name": one.name}
    if one.form == "words":
        body |= {"type": "category", "values": sorted(one.words)}
    else:
        low, high = _bounds(one)
        body |= {"type": one.form, "minimum": low, "maximum": high}
    notes = []
    if PROTECTED_NAMES.search(one.name):
        notes.append(
            "a protected attribute by its name: where a decision may not rest on it, name it under ignored"
        )
    if one.alone is not None and one.alone > GIVES_AWAY:
        body["known_only_after_call"] = True
        notes.append(
            f"gives the answer away (AUC {one.alone:.2f} alone): only known after the call? If it is known before, take"
            " known_only_after_call out"
        )
    if one.blank:
        notes.append(f"{one.blank:,} of {one.rows:,} rows have no value: they will be rejected")
    return Drafted(name=one.name, body=body, note="; ".join(notes))


def _left_out(one: Profile) -> str:
    """Why a column is ignored; empty where it is not."""
    return next(_reasons(one), "")


def _reasons(one: Profile) -> Iterator[str]:
    if not one.words:
        yield "is empty"
        return
    if len(one.words) == 1 and not one.blank:
        yield f"is always {one.commonest[0]!r}"
    if PERSONAL_NAMES.search(one.name):
        yield "looks like personal data, by its name"
    for what, form in PERSONAL_VALUES.items():
        if _share(one, form) > PERSONAL_SHARE:
            yield f"looks like personal data: {what}"
    if _share(one, DATE) > PERSONAL_SHARE:
        yield "holds dates, which no model reads: give it days since, or a month"
    if _numbers_rows(one):
        yield "numbers the rows"
    if one.form == "words" and len(one.words) > MOST_WORDS:
        yield f"has {len(one.words):,} different texts: free text, or names of rows"
    if one.blank > MOST_BLANK * one.rows:
        yield f"{one.blank:,} of {one.rows:,} rows have no value"


def _numbers_rows(one: Profile) -> bool:
    if len(one.words) < one.rows or one.rows <= 2:
        return False
    return bool(NUMBERING.search(one.name)) or (one.form == "integer" and one.high - one.low == one.rows - 1)


def _share(one: Profile, form: re.Pattern[str]) -> float:
    """Of the rows, those whose value has the form."""
    return sum(count for word, count in one.words.items() if form.fullmatch(word)) / one.rows


def _bounds(one: Profile) -> tuple[float, float]:
    """Room for values to come: twice as far as was seen, rounded; two numbers that stand for two words have none."""
    if one.form == "integer" and len(one.words) == 2:
        low, high = one.low, one.high
    elif one.low >= 0:
        low, high = (-_rounded_up(-one.low / 2) if one.low > one.high / 2 else 0.0), _rounded_up(2 * one.high)
    else:
        reach = _rounded_up(2 * max(-one.low, one.high))
        low, high = -reach, reach
    return (int(low), int(high)) if one.form == "integer" else (low, high)


def _rounded_up(value: float) -> float:
    """Away from zero for what is above it, towards it for what is below: one digit, 1, 2 or 5."""
    if value == 0:
        return 0.0
    size = 10.0 ** math.floor(math.log10(abs(value)))
    if value < 0:
        return -size * max(step for step in (1, 2, 5) if step <= -value / size)
    return size * min(step for step in (1, 2, 5, 10) if step >= value / size)


def _mends(there: Sequence[Profile], *, indexed: bool) -> tuple[Mend, ...]:
    found: list[tuple[Mend, bool]] = [
        ("blanks", any(each.padded for each in there)),
        ("whole-numbers", any(each.whole for each in there)),
        ("decimal-comma", any(each.comma for each in there)),
        ("index-column", indexed),
    ]
    return tuple(name for name, wanted in found if wanted)


def _list(names: Iterable[str]) -> str:
    found = [repr(name) for name in names]
    return ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")
