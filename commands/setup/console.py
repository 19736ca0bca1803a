"""Says what set-up is doing: one line for each part at work, with the time it takes and what is left."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from commands.setup.counting import Silent, Words

REWRITE_SECONDS, REPEAT_SECONDS = 0.25, 10.0
"""How often lines are shown anew: on a terminal in place, in a log one below the other."""
LINES_IN_ERROR = 20
_running: set[subprocess.Popen[str]] = set()


class SetupError(Exception):
    """A part of the set-up did not work; the message says which, and what to do."""


class NotForThisSystem(SetupError):
    """Nobody has made it for this system or this Python; what only makes use of it goes another way."""


def say(line: str) -> None:
    """Progress goes to stderr, so that `eval "$(./dev env)"` sees only what the command prints."""
    print(line, file=sys.stderr, flush=True)


class Line:
    """One part at work."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.words: Words = Silent()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def at_work(self) -> str:
        """What is shown while it works."""
        left = self.words.left()
        return f"  {self.label} ... {self.seconds:.0f} s{', ' if left else ''}{left}"


class Screen:
    """The lines of all parts at work; each stays, with how it ended, once its part is done."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._lines: list[Line] = []
        self._drawn = 0
        self._guard = threading.Lock()
        self._done = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Screen:
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._ticker.join()
        with self._guard:
            self._draw([])

    def begin(self, label: str) -> Line:
        line = Line(label)
        with self._guard:
            self._lines.append(line)
            if not self._live:
                say(f"  {label} ...")
        return line

    def end(self, line: Line, how: str) -> None:
        """how: `done` with its figures, or `FAILED`"""
        with self._guard:
            self._lines.remove(line)
            self._draw([f"  {line.label} ... {how}"])

    def _tick(self) -> None:
        while not self._done.wait(REWRITE_SECONDS if self._live else REPEAT_SECONDS):
            with self._guard:
                self._draw([] if self._live else [line.at_work() for line in self._lines])

    def _draw(self, lasting: list[str]) -> None:
        """Write these lines for good, and on a terminal those at work below them, over what was drawn before."""
        if not self._live:
            for text in lasting:
                say(text)
            return
        width = shutil.get_terminal_size().columns - 1
        fleeting = [line.at_work()[:width] for line in self._lines]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        sys.stderr.write(up + "\r\x1b[J" + "".join(f"{text}\n" for text in lasting + fleeting))
        sys.stderr.flush()
        self._drawn = len(fleeting)


@contextmanager
def on_screen(label: str) -> Iterator[Line]:
    """A single line for a single piece of work."""
    with Screen() as screen:
        line = screen.begin(label)
        try:
            yield line
        except BaseException:
            screen.end(line, f"FAILED after {line.seconds:.0f} s")
            raise
        screen.end(line, f"done in {line.seconds:.0f} s")


def run(
    command: Sequence[str],
    *,
    line: Line,
    log: Path,
    words: Words | None = None,
    env: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Run `command`; all it says goes to `log`, and `words` make of it what is shown on `line`.

    raises: SetupError with the end of what it said
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    line.words = words or Silent()
    tail: deque[str] = deque(maxlen=LINES_IN_ERROR)
    with log.open("w", encoding="utf-8") as written:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env=env, cwd=directory,
        )  # fmt: skip
        _running.add(process)
        assert process.stdout is not None  # noqa: S101  (PIPE was requested)
        for said in process.stdout:
            written.write(said)
            tail.append(said)
            line.words.saw(said)
        code = process.wait()
        _running.discard(process)
    if code != 0:
        raise SetupError(f"`{' '.join(command[:4])} ...` ended with {code}.\n{''.join(tail)}All of it: {log}")


def end_all() -> None:
    """End what `run` has started and still waits for: nobody waits for its result any more."""
    for process in tuple(_running):
        process.terminate()
