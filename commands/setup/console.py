"""Says what set-up is doing: one line a step, with the time it takes and how far it is."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path


class SetupError(Exception):
    """A step of the set-up did not work; the message says which, and what to do."""


def say(line: str) -> None:
    """Progress goes to stderr, so that `eval "$(./dev env)"` sees only what the command prints."""
    print(line, file=sys.stderr, flush=True)


def run(
    command: Sequence[str],
    *,
    label: str,
    log: Path,
    counted: str,
    env: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Run `command`, showing the time and how many lines matched `counted`; all it says goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    step = _Step(label, re.compile(counted))
    ticker = threading.Thread(target=step.tick, daemon=True)
    ticker.start()
    with log.open("w", encoding="utf-8") as written:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=env,
            cwd=directory,
        )
        assert process.stdout is not None  # noqa: S101  (PIPE was requested)
        for line in process.stdout:
            written.write(line)
            step.saw(line)
        code = process.wait()
    step.finish(ok=code == 0)
    ticker.join()
    if code != 0:
        tail = "".join(step.tail)
        raise SetupError(
            f"{label}: `{' '.join(command[:4])} ...` ended with {code}.\n{tail}\nAll of it: {log}"
        )


class _Step:
    """The line on screen for one running step."""

    def __init__(self, label: str, counted: re.Pattern[str]) -> None:
        self.tail: deque[str] = deque(maxlen=20)
        self._label, self._counted = label, counted
        self._count, self._doing = 0, ""
        self._started = time.monotonic()
        self._done = threading.Event()
        self._live = sys.stderr.isatty()

    def saw(self, line: str) -> None:
        self.tail.append(line)
        if self._counted.search(line):
            self._count += 1
        elif line.startswith("Installing collected packages"):  # pip says nothing more until it is done
            self._doing = ", putting them in place"

    def tick(self) -> None:
        """On a terminal, rewrite the line four times a second; in a log, add one every ten seconds."""
        if not self._live:
            say(f"  {self._label} ...")
        while not self._done.wait(0.25 if self._live else 10):
            self._show(end="" if self._live else "\n")

    def finish(self, *, ok: bool) -> None:
        self._done.set()
        self._doing = ""
        self._show(end="\n", mark="done" if ok else "FAILED")

    def _show(self, *, end: str, mark: str = "") -> None:
        seconds = time.monotonic() - self._started
        progress = f", {self._count} packages{self._doing}" if self._count else ""
        start = "\r\x1b[2K" if self._live else ""
        sys.stderr.write(
            f"{start}  {self._label} ... {mark}{' ' if mark else ''}{seconds:.0f} s{progress}{end}"
        )
        sys.stderr.flush()
