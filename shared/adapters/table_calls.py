"""A table of Azure Table storage over the shortest pipeline of azure-core: signed, tried again, and nothing else.

azure-data-tables checks, converts, logs and traces what the ledger has no need of: its calls cost the host two to three
times the processor time of these, and an uploaded file takes a dozen. What is sent is what the SDK sends.
Source: https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError, map_error
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import (
    AzureSasCredentialPolicy,
    BearerTokenCredentialPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.data.tables import TableClient

from shared.adapters.storage_clock import StorageClock
from shared.adapters.transport import settled_transport

SCOPE = "https://storage.azure.com/.default"
VERSION = {"x-ms-version": "2019-02-02", "DataServiceVersion": "3.0"}
JSON = "application/json;odata=minimalmetadata"
NO_METADATA = "application/json;odata=nometadata"
ERRORS = {404: ResourceNotFoundError, 409: ResourceExistsError}


class TableCalls:
    """Calls of one table; each raises AzureError when it is not known what became of it, or storage says no."""

    def __init__(
        self,
        client: TableClient,
        clock: StorageClock | None = None,
        *,
        retry: RetryPolicy[Any, Any] | None = None,
        **options: Any,
    ) -> None:
        """client: whose table and credential are taken; clock: is told the time of each answer; retry: azure-core's own
        when left out; options: `transport` and `proxies`, settled when left out"""
        self.account, self.table = client.url, client.table_name
        options = options or settled_transport(client.url, clock)
        policies = [
            RequestIdPolicy(),
            UserAgentPolicy("campanha"),
            ProxyPolicy(proxies=options["proxies"]),
            retry or RetryPolicy(),
            _sign_in(client.credential),
        ]
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            client.url, policies=policies, transport=options["transport"]
        )

    def place(self, partition: str, row: str) -> str:
        """The address of one row."""
        return f"{self.account}/{self.table}(PartitionKey='{_quoted(partition)}',RowKey='{_quoted(row)}')"

    def ask(
        self,
        method: str,
        address: str,
        *,
        expected: Collection[int],
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> HttpResponse:
        """raises: HttpResponseError, one of azure-core's by its status, when the answer is another than expected"""
        request = HttpRequest(method, address, headers={**VERSION, **headers}, content=content)
        answer = self._client.send_request(request)
        if answer.status_code not in expected:
            map_error(answer.status_code, answer, ERRORS)
            raise HttpResponseError(response=answer)
        return answer

    def get(self, partition: str, row: str) -> bytes:
        """The row as JSON. raises: ResourceNotFoundError"""
        return self.ask("GET", self.place(partition, row), expected=(200,), headers={"Accept": JSON}).content

    def insert(self, entity: Mapping[str, str]) -> HttpResponse:
        """Without the row in the answer, which the SDK has sent back. raises: ResourceExistsError"""
        headers = {"Accept": JSON, "Content-Type": NO_METADATA, "Prefer": "return-no-content"}
        address, content = f"{self.account}/{self.table}", json.dumps(entity).encode()
        return self.ask("POST", address, expected=(201, 204), headers=headers, content=content)

    def replace(self, entity: Mapping[str, str], etag: str) -> HttpResponse:
        """raises: ResourceNotFoundError; HttpResponseError with status 412 when its ETag is another"""
        headers = {"Accept": "application/json", "Content-Type": "application/json", "If-Match": etag}
        address = self.place(entity["PartitionKey"], entity["RowKey"])
        return self.ask("PUT", address, expected=(204,), headers=headers, content=json.dumps(entity).encode())


def _quoted(key: str) -> str:
    return quote(key.replace("'", "''"), safe="")


def _sign_in(credential: Any) -> Any:
    """The policy by which the SDK's clients sign in with such a credential."""
    if isinstance(credential, AzureNamedKeyCredential):
        return SharedKey(credential)
    if isinstance(credential, AzureSasCredential):
        return AzureSasCredentialPolicy(credential)
    return BearerTokenCredentialPolicy(credential, SCOPE)


class SharedKey(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Signs with the account's key, anew at each try.

    Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """

    def __init__(self, credential: AzureNamedKeyCredential) -> None:
        self._credential = credential

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        http, (name, key) = request.http_request, self._credential.named_key
        date = http.headers["x-ms-date"] = formatdate(usegmt=True)
        kind = http.headers.get("Content-Type", "")
        lines = [http.method, "", kind, date, f"/{name}{urlsplit(http.url).path}"]
        digest = hmac.new(b64decode(key), "\n".join(lines).encode(), hashlib.sha256).digest()
        http.headers["Authorization"] = f"SharedKey {name}:{b64encode(digest).decode()}"
