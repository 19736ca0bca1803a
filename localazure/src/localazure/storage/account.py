"""The storage account everybody uses locally: Azurite's well-known one, whose key is public."""

from __future__ import annotations

from dataclasses import dataclass

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
