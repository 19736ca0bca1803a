"""The package's zip: the same content gives the same bytes, wherever and whenever it is packed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from commands.packaging import archive, libraries, sources
from commands.stack.errors import StackError

FILES = {
    "host.json": "{}",
    "shared/flow.py": "FLOW = ()",
    ".python_packages/lib/site-packages/a/__init__.py": "",
}


def _folder(home: Path, names: list[str], *, mode: int, time: int) -> Path:
    for name in names:
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FILES[name])
        file.chmod(mode)
        os.utime(file, (time, time))
    return home


def test_neither_times_nor_modes_nor_the_order_of_files_count(tmp_path: Path) -> None:
    one = _folder(tmp_path / "one", [*FILES], mode=0o644, time=1_000_000_000)
    other = _folder(tmp_path / "other", [*FILES][::-1], mode=0o755, time=1_700_000_000)
    packed = [archive.write_zip(folder, folder.with_suffix(".zip")) for folder in (one, other)]
    assert packed[0] == packed[1]
    assert ZipFile(tmp_path / "one.zip").namelist() == sorted(FILES)


def test_what_installers_write_about_themselves_and_this_machine_is_not_packed(tmp_path: Path) -> None:
    info, script = tmp_path / "a-1.dist-info", tmp_path / "bin" / "a"
    for file in (
        info / "INSTALLER",
        info / "METADATA",
        tmp_path / "a.py",
        script,
        tmp_path / "__pycache__" / "a.pyc",
    ):
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    lines = [
        "bin/a,sha256=of-the-path-here,9",
        "a.py,sha256=x,1",
        "a-1.dist-info/INSTALLER,,",
        "../../bin/a,,",
    ]
    (info / "RECORD").write_text("\n".join(lines))
    libraries.without_this_machine(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"a.py", "a-1.dist-info/METADATA", "a-1.dist-info/RECORD"}
    assert (info / "RECORD").read_text() == "a.py,sha256=x,1\n"


def test_files_are_the_tracked_ones_less_the_ignored(tmp_path: Path) -> None:
    (tmp_path / ".funcignore").write_text("/.funcignore\n/docs\n")
    for name in ("host.json", "docs/a.md", "web/docs/a.html", "untracked.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", ".funcignore", "host.json", "docs", "web"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    files = sources.source_files(tmp_path)
    assert files == ["host.json", "web/docs/a.html"]
    assert sources.changed_files(tmp_path, files) == []
    (tmp_path / "host.json").write_text("2")
    assert sources.changed_files(tmp_path, files) == ["host.json"]


def test_outside_of_a_checkout_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="is no checkout of git"):
        sources.source_files(tmp_path)
