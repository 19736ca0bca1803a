"""The story with roles: everybody signs in, nobody has a key, and each assignment of infra/ is needed for a call."""

from __future__ import annotations

from pathlib import Path

import pytest

from localazure.storage.account import KEY
from tests.story.running import running
from tests.story.with_roles import SETTINGS, asked, everything, refused, shown_here


@pytest.mark.slow
def test_everything_is_done_by_the_roles_of_infra_and_none_is_surplus(tmp_path: Path) -> None:
    with running(tmp_path, roles=True, **SETTINGS) as story:
        everything(story)
        calls = asked(story.stack)
        assert refused(calls, story.stack) == []
        surplus = [str(each) for each in shown_here() if not refused(calls, story.stack, without=each)]
        assert surplus == []
        for app in ("work", "api"):
            assert KEY not in story.stack.settings_file_of(app).read_text()
