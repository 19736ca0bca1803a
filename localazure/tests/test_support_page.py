"""The support matrix is as its tables say, and its tables are as the tests are."""

from __future__ import annotations

import re

import pytest

from localazure import support
from localazure.workspace.bodies import BODIES
from localazure.workspace.support import SUPPORT


def test_the_page_is_up_to_date() -> None:
    assert support.PAGE.read_text(encoding="utf-8") == support.page(), "run python -m localazure.support"


@pytest.mark.parametrize("name", ["README.md", "introduction.md"])
def test_the_page_leads_to_what_the_distribution_has(name: str) -> None:
    text = (support.ROOT / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        place = (support.ROOT / link).resolve()
        assert place.is_relative_to(support.ROOT.resolve()), link
        assert place.exists(), link
    for what in re.findall(r"pip install '?([^\s'`]+)", text):
        assert what.startswith("./localazure"), f"no registry has {what}"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("a feature", "yes", "", ""), "no test shows it"),
        (("a feature", "maybe", "", ""), "it must be one of"),
        (
            ("a feature", "yes", "tests/test_support_page.py::test_that_is_not", ""),
            "which is not there",
        ),
        (("a feature", "yes", "tests/nowhere.py::test_the_page_is_up_to_date", ""), "which is not there"),
    ],
)
def test_a_row_that_no_test_shows_is_an_error(row: support.Support, says: str) -> None:
    with pytest.raises(support.NotTrue, match=says):
        support.check("a part", row)


def test_what_is_not_all_of_azures_says_what_is_missing() -> None:
    assert [feature for feature, state, _, difference in SUPPORT if state != "yes" and not difference] == []
    assert len({feature for feature, *_ in SUPPORT}) == len(SUPPORT)


def test_no_field_is_acted_on_and_kept_or_refused_at_once() -> None:
    for body in BODIES:
        assert not body.used & (set(body.kept) | set(body.refused)), body.where
        assert not set(body.kept) & set(body.refused), body.where
