"""Packages and their history in real blob storage: by digest, and never two deployments at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from commands.deployment import kept_packages
from commands.deployment.history import PASSED
from commands.deployment.kept_packages import KeptPackages
from commands.deployment.patience import Patience
from commands.packaging.archive import sha256
from commands.packaging.manifest import Manifest
from commands.stack.errors import StackError


@pytest.fixture
def kept(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptPackages]:
    storage = BlobServiceClient.from_connection_string(azurite)
    monkeypatch.setattr(kept_packages, "RELEASES", f"releases-{secrets.token_hex(4)}")
    container = storage.create_container(kept_packages.RELEASES)
    yield KeptPackages(storage, Patience(minutes=0.1))
    container.delete_container()


def package(folder: Path, content: bytes) -> tuple[Manifest, Path]:
    zipped = folder / f"{secrets.token_hex(4)}.zip"
    zipped.write_bytes(content)
    digest = sha256(zipped)
    made = Manifest(
        release=digest[:12], sha256=digest, size=len(content), python="3.13", commit="c", changed=(),
        functions={"work": ("steps",), "api": ()},
    )  # fmt: skip
    return made, zipped


def test_what_is_kept_comes_back_byte_for_byte(kept: KeptPackages, tmp_path: Path) -> None:
    manifest, zipped = package(tmp_path, b"a package")
    kept.keep(manifest, zipped)
    kept.keep(manifest, zipped)  # again is no harm
    with kept.fetched(manifest.sha256) as (found, file):
        assert (found, file.read_bytes()) == (manifest, b"a package")
    assert not file.exists()


def test_a_package_that_was_changed_where_it_lies_is_not_deployed(
    kept: KeptPackages, tmp_path: Path, azurite: str
) -> None:
    manifest, zipped = package(tmp_path, b"a package")
    kept.keep(manifest, zipped)
    container = BlobServiceClient.from_connection_string(azurite).get_container_client(kept_packages.RELEASES)
    container.upload_blob(f"{manifest.sha256}.zip", b"another", overwrite=True)
    with pytest.raises(StackError, match="has the digest"), kept.fetched(manifest.sha256):
        pass


def test_another_zip_than_described_is_not_kept(kept: KeptPackages, tmp_path: Path) -> None:
    manifest, zipped = package(tmp_path, b"a package")
    zipped.write_bytes(b"another")
    with pytest.raises(StackError, match="has the digest"):
        kept.keep(manifest, zipped)
    with pytest.raises(StackError, match="not in the container"), kept.fetched(manifest.sha256):
        pass


def test_of_two_deployments_at_once_the_later_one_ends(kept: KeptPackages, tmp_path: Path) -> None:
    manifest, _ = package(tmp_path, b"a package")

    def meanwhile_another(history: kept_packages.History) -> kept_packages.History:
        kept.note(lambda first: first.begun(manifest, "just before"))
        return history.begun(manifest, "now")

    with pytest.raises(StackError, match="another deployment is under way"):
        kept.note(meanwhile_another)
    with pytest.raises(StackError, match="another deployment is under way"):
        kept.note(meanwhile_another)
    assert [each.at for each in kept.history().deployments] == ["just before", "just before"]


def test_what_nothing_goes_back_to_is_forgotten(kept: KeptPackages, tmp_path: Path) -> None:
    made = [package(tmp_path, bytes([number])) for number in range(7)]
    for manifest, zipped in made:
        kept.keep(manifest, zipped)
        kept.note(lambda history, manifest=manifest: history.begun(manifest, "now").now(PASSED))  # type: ignore[misc]
    old = [manifest.sha256 for manifest, _ in made[:2]]
    assert sorted(kept.forget()) == sorted(f"{digest}.{end}" for digest in old for end in ("zip", "json"))
    assert kept.forget() == []
