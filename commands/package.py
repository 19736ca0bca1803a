"""Pack the app as Azure Functions gets it: a zip with the locked libraries for Linux, its bill of materials, its manifest.

The same commit gives the same bytes. The manifest names the release and its digest, for `./dev release`. The folder
`.package/app` holds what is in the zip of the Python chosen: `./dev demo --package` and `./dev up --package` run it here.
`azd` packs and zips its two services at the same time, so each has a folder of its own (`--folder work`, `--folder api`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.client import tables
from commands.client.output import as_json
from commands.packaging import libraries, package
from commands.packaging.manifest import APPS, seal
from commands.packaging.sources import commit_of
from commands.setup.disk import megabytes
from commands.setup.lock import only_one
from commands.setup.process_environment import settle

OUT = ROOT / ".package"
APP = OUT / "app"
FOLDERS = (APP.name, *APPS)
LOCK = "lock"
HEAVIEST = 10


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev package", description=__doc__)
    chosen = made.add_mutually_exclusive_group()
    chosen.add_argument(
        "--python",
        choices=libraries.PYTHONS,
        default=libraries.wanted(),
        help="default: $CAMPANHA_PYTHON, else the newest (now: %(default)s)",
    )
    chosen.add_argument("--all", action="store_true", help="a zip for each Python that Azure Functions has")
    made.add_argument(
        "--folder",
        choices=FOLDERS,
        default=APP.name,
        help="of .package, to lay it out in (default: %(default)s)",
    )
    made.add_argument("--json", action="store_true")
    given = made.parse_args(arguments)
    settle(ROOT)
    OUT.mkdir(exist_ok=True)
    with only_one(OUT / LOCK, waiting_for="another ./dev is packing"):
        pythons = libraries.PYTHONS if given.all else (given.python,)
        found = [_packed(python, OUT / given.folder) for python in pythons]
    if given.json:
        as_json(found)
        return 0
    for one in found:
        print(
            f"\nrelease {one['release']}\n{one['zip']}  {megabytes(one['bytes'])}, unpacked {megabytes(one['unpacked'])}"
        )
        print(f"SHA-256 {one['sha256']}\nbill of materials {one['sbom']}")
    heaviest = [{"library": name, "size": megabytes(size)} for name, size in found[-1]["heaviest"]]
    tables.show("The ten heaviest libraries", heaviest, ("library", "size"))
    if found[-1]["changed"]:
        print(f"It is of no commit: {', '.join(found[-1]['changed'])} changed since.", file=sys.stderr)
    return 0


def _packed(python: str, app: Path) -> dict[str, Any]:
    """One zip with its bill of materials. app: the folder to lay it out in"""
    from commands.packaging.sbom import write_sbom

    changed = package.lay_out(ROOT, app, python)
    packed, bill = OUT / f"campanha-{python}.zip", OUT / f"campanha-{python}.cdx.json"
    made = seal(app, packed, python=python, commit=commit_of(ROOT), changed=changed)
    write_sbom(app / libraries.FOLDER, made.sha256, bill)
    return {
        "python": python,
        "zip": packed.relative_to(ROOT).as_posix(),
        "release": made.release,
        "manifest": packed.with_suffix(".json").relative_to(ROOT).as_posix(),
        "sha256": made.sha256,
        "bytes": made.size,
        "unpacked": sum(path.stat().st_size for path in app.rglob("*") if path.is_file()),
        "sbom": bill.relative_to(ROOT).as_posix(),
        "heaviest": libraries.by_weight(app / libraries.FOLDER)[:HEAVIEST],
        "changed": changed,
    }
