"""A program ends when it is asked to, at whatever moment the asking comes."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from localazure.ending import Ending

SIGNALS_ON_THE_WAY_INTO_THE_WAIT = """
import signal
from localazure.ending import Ending

for moment in range(3_000):
    ending = Ending().on_signals([signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, (1 + moment % 50) / 1e6)
    ending.wait()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no timers that send signals")
def test_a_signal_that_comes_on_the_way_into_the_wait_is_heard() -> None:
    """With a threading.Event, and with a queue, one of the first few hundred is not."""
    subprocess.run([sys.executable, "-c", SIGNALS_ON_THE_WAY_INTO_THE_WAIT], check=True, timeout=30)


HANGS_UP = """
import os, signal, sys
from localazure.ending import Ending

signal.signal(signal.SIGHUP, getattr(signal, sys.argv[1]))
ending = Ending().on_signals()
os.kill(os.getpid(), signal.SIGHUP)
print(ending.wait(0.5))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")
@pytest.mark.parametrize(("before", "heard"), [("SIG_DFL", "True\n"), ("SIG_IGN", "False\n")])
def test_a_closed_terminal_ends_it_except_under_nohup(before: str, heard: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", HANGS_UP, before], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (0, heard)


def test_a_part_of_the_program_may_ask_and_it_stays_asked_for() -> None:
    ending = Ending()
    assert not ending.wait(0)
    threading.Thread(target=ending.ask).start()
    assert ending.wait()
    assert ending.wait(0)
