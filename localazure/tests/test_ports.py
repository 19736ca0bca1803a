"""Ports for several servers that are started only afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localazure import ports


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    chances: Iterator[int] = iter((20011, 20011, 20012))
    monkeypatch.setattr("localazure.ports.secrets.choice", lambda _: next(chances))
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert (ports.lasting_port(), ports.lasting_port()) == (20011, 20012)
