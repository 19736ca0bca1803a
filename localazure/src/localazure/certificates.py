"""TLS certificates of a state folder: an authority of its own, and what clients trust (certifi's authorities and ours)."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import trustme

from localazure.private import private_folder


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for 127.0.0.1 and localhost, with the files of `folder` made when they are not there."""
    if not all((folder / name).exists() for name in ("ca.pem", "bundle.pem", "server.pem")):
        _issue(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def _issue(folder: Path) -> None:
    """The authority's own key is not kept: a lost server.pem means a new authority."""
    private_folder(folder)
    authority = trustme.CA(organization_name="localazure")
    leaf = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    ours = authority.cert_pem.bytes()
    _write(folder / "ca.pem", ours)
    _write(folder / "bundle.pem", Path(certifi.where()).read_bytes() + b"\n" + ours)
    _write(folder / "server.pem", leaf.private_key_pem.bytes() + chain)


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, and for the owner's eyes only."""
    beside = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        written.write(content)
    beside.replace(file)
