"""How a program learns that it should end: by SIGTERM, by Ctrl-C, by its terminal's end, or because a part says so."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from collections.abc import Iterable

_HANGUP = getattr(signal, "SIGHUP", None)
"""Windows has none."""
_USUAL = tuple(filter(None, (signal.SIGTERM, signal.SIGINT, _HANGUP)))


class Ending:
    """The main thread waits for it; anybody may ask for it. Once asked for, it stays so.

    Neither a threading.Event nor a queue does for this. A signal that comes on the way into `wait` is handled
    after it (the wait is for ever), or in the midst of it (the handler waits for the lock that its own thread
    holds). What the interpreter writes into a socket at that moment stays there until somebody looks.
    """

    def __init__(self) -> None:
        self._hears, self._tells = socket.socketpair()
        self._tells.setblocking(False)

    def on_signals(self, numbers: Iterable[signal.Signals] = _USUAL) -> Ending:
        """From now on these ask for it; to be called in the main thread. Under nohup a closed terminal still does not."""
        signal.set_wakeup_fd(self._tells.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            if number == _HANGUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, lambda *_: None)
        return self

    def ask(self) -> None:
        with contextlib.suppress(BlockingIOError):  # so full of askings that nobody can miss it
            self._tells.send(b"!")

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it is asked for: at once, within so many seconds, or ever."""
        heard, _, _ = select.select([self._hears], [], [], seconds)
        return bool(heard)
