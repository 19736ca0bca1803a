"""The storage account everybody uses locally: Azurite's well-known one, whose key is public."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the three services listen on 127.0.0.1: by default where `UseDevelopmentStorage=true` looks."""

    blob: int = 10000
    queue: int = 10001
    table: int = 10002


def connection_string(ports: Ports) -> str:
    """What `AzureWebJobsStorage` and every storage SDK take."""
    endpoints = {"Blob": ports.blob, "Queue": ports.queue, "Table": ports.table}
    addresses = "".join(
        f"{name}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};" for name, port in endpoints.items()
    )
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{addresses}"


def signature(account: str, expires: str) -> str:
    """A shared access signature, as a query string, that opens all of an account until then.

    source: https://learn.microsoft.com/rest/api/storageservices/create-account-sas
    """
    signed = {
        "sv": "2019-12-12",
        "ss": "bqt",
        "srt": "sco",
        "sp": "rwdxylacuptfi",
        "se": expires,
        "spr": "https,http",
    }
    lines = [
        account,
        signed["sp"],
        signed["ss"],
        signed["srt"],
        "",
        expires,
        "",
        signed["spr"],
        signed["sv"],
        "",
    ]
    digest = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    return urlencode({**signed, "sig": base64.b64encode(digest).decode()})
