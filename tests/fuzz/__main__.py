"""Fuzzes one target for so many seconds, led by the branches it takes: `./dev fuzz TARGET --seconds N`.

What makes it crash is kept in `tests/fuzz/found/TARGET/`, and tried by the tests from then on.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import atheris

FOUND = Path(__file__).parent / "found"


def main() -> None:
    made = argparse.ArgumentParser(prog="tests.fuzz")
    made.add_argument("target")
    made.add_argument("--seconds", type=int, default=60)
    given = made.parse_args()
    # Before anything of ours is imported: what is imported earlier has no branches to be led by.
    with atheris.instrument_imports(include=["shared.domain", "shared.adapters.contracts", "functions"]):
        targets = importlib.import_module("tests.fuzz.targets")
    target = targets.TARGETS[given.target]
    with tempfile.TemporaryDirectory() as scratch:
        corpus, words = Path(scratch, "corpus"), Path(scratch, "words")
        corpus.mkdir()
        for number, seed in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(seed)
        words.write_bytes(b"\n".join(_entry(word) for word in target.words) + b"\n")
        found = FOUND / given.target
        found.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={given.seconds}", f"-artifact_prefix={found}/", f"-dict={words}"]
        options += ["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *options, str(corpus)], target.tried)
        atheris.Fuzz()


def _entry(word: str) -> bytes:
    """As libFuzzer's dictionaries are written."""
    return b'"%s"' % b"".join(b"\\x%02x" % octet for octet in word.encode())


main()
