"""What of a failed step's log becomes the run's reason: the sentence that it marked, and nothing else."""

from __future__ import annotations

import pytest

from pipelines.ending import CannotGoOn
from shared.domain.run_end import sentence_in

LOG = "Traceback (most recent call last):\n  age=41;balance=1506\nValueError: 41"


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("", ""),
        (LOG, ""),
        (f"{LOG}\ncampanha: too few rows; gather more\n", "too few rows; gather more"),
        ("exit code 1; the log ends with:\ncampanha: first\r\ncampanha: second", "second"),
        ('{"error": "User process exited. campanha: too few rows\\nmore"}', "too few rows"),
        (str(CannotGoOn("the rows of version 1 are in doubt")), "the rows of version 1 are in doubt"),
    ],
)
def test_only_a_marked_sentence_is_the_reason(told: str, sentence: str) -> None:
    assert sentence_in(told) == sentence
