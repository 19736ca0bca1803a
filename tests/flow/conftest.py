"""Fixtures of the flow tests."""

from __future__ import annotations

import pytest
from flow.world import World


@pytest.fixture
def world() -> World:
    return World()
