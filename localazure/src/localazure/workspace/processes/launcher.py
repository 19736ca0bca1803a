"""Between the emulator and a child: leaves its record, ties its life to the emulator's, becomes the command.

Run as a file by any Python 3, so it imports nothing of ours. Arguments: parent's process id, folder of the
records, the command.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent(parent: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # it ended before we could ask to be told


def main() -> None:
    """Does not come back."""
    parent, folder, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with open(os.path.join(folder, str(os.getpid())), "w", encoding="utf-8") as record:
        record.write(command[0])
    _die_with_parent(parent)
    os.execvpe(command[0], command, os.environ)  # noqa: S606 - the command is the job's


if __name__ == "__main__":
    main()
