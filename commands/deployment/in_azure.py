"""The two apps in Azure as a target: Flex Consumption's one deploy, without a build there.

The zip goes as it is to the address of the app's deployment service, by a token, and is what runs: no other tool packs it
anew. **Never tried**: there was no Azure where this was written; it is held against a server that answers as described.

source: https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies (one deploy), and the calls of
Azure/functions-action (OneDeployFlex): POST /api/publish, then /api/deployments/ID until its status is 3 or 4
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands.client.status_api import NOT_FOUND, Client, Unreachable
from commands.deployment.patience import REFUSED, Patience
from commands.packaging.manifest import APPS, Manifest
from commands.stack.errors import StackError

ARM = "https://management.azure.com"
SITES = "2025-03-01"
FAILED, SUCCEEDED = 3, 4
SERVER_FAULT = 500
CALL_SECONDS, UPLOAD_SECONDS = 60, 900


def variables() -> dict[str, str]:
    """Outputs and inputs of the infrastructure that a deployment has to know, by what each is."""
    return {
        "AZURE_SUBSCRIPTION_ID": "the subscription",
        "AZURE_RESOURCE_GROUP": "its resource group",
        **{f"SERVICE_{app.upper()}_NAME": f"the app `{app}`" for app in APPS},
        "CAMPANHA_URL": "where the app `api` answers",
        "CAMPANHA_API_AUDIENCE": "the client id that tokens for its API are made for",
        "CAMPANHA_STORAGE__blobServiceUri": "the blobs of the data account",
    }


@dataclass
class InAzure:
    """By the outputs that azd keeps; whoever runs this is signed in (`az login`, or the pipeline's identity)."""

    named: Mapping[str, str]
    credential: Any
    patience: Patience
    arm: str = ARM
    verify: bool | str = True
    """As requests has it; another bundle for a test."""
    _tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_environment(cls, patience: Patience) -> InAzure:
        """raises: StackError that names all that is missing"""
        from shared.adapters.sign_in import credential

        missing = [name for name in variables() if not os.environ.get(name)]
        if missing:
            told = "; ".join(f"{name} ({variables()[name]})" for name in missing)
            raise StackError(f"not set: {told}. They are outputs of `azd provision`: `azd env get-values`.")
        made = cls(named=os.environ, credential=credential(), patience=patience)
        for audience in (ARM, os.environ["CAMPANHA_API_AUDIENCE"]):
            made._token(audience)  # at once: what a pipeline signed in with lives for minutes
        return made

    def install(self, manifest: Manifest, package: Path) -> None:
        for app in APPS:
            self._publish(app, package)
            self._call("POST", f"{self._site(app)}/host/default/sync?api-version={SITES}")

    def functions(self) -> dict[str, set[str]]:
        found = {}
        for app in APPS:
            listed = self._call("GET", f"{self._site(app)}/functions?api-version={SITES}").json()["value"]
            found[app] = {each["name"].rpartition("/")[2] for each in listed}
        return found

    def client(self) -> Client:
        return Client(self.named["CAMPANHA_URL"], token=self._token(self.named["CAMPANHA_API_AUDIENCE"]))

    def storage(self) -> Any:
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(self.named["CAMPANHA_STORAGE__blobServiceUri"], credential=self.credential)

    def _site(self, app: str) -> str:
        group = f"/subscriptions/{self.named['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{self.named['AZURE_RESOURCE_GROUP']}"
        return f"{self.arm}{group}/providers/Microsoft.Web/sites/{self.named[f'SERVICE_{app.upper()}_NAME']}"

    def _publish(self, app: str, package: Path) -> None:
        service = self._deployment_service(app)
        with package.open("rb") as opened:
            address = f"{service}/api/publish?RemoteBuild=false&Deployer=campanha"
            what = f"the package of `{app}`"
            answer = self.patience.until_let_in(
                what, lambda: _let_in(self._ask("POST", address, data=opened))
            )
        _fine(answer, what)
        deployment = answer.text.strip().strip('"')

        def ended() -> dict[str, Any] | None:
            try:
                told = self._ask("GET", f"{service}/api/deployments/{deployment}")
            except Unreachable:
                return None  # the deployment goes on without our looking
            if told.status_code == NOT_FOUND or told.status_code >= SERVER_FAULT:
                return None  # it does not know of it yet, or is not there for a moment
            body: dict[str, Any] = _fine(told, f"the deployment of `{app}`").json()
            return body if body.get("status") in (FAILED, SUCCEEDED) else None

        end = self.patience.until_there(ended)
        if end is None or end["status"] == FAILED:
            said = end.get("status_text") or end.get("message") if end else "it did not end in time"
            raise StackError(f"the app `{app}` did not take the package: {said}")

    def _deployment_service(self, app: str) -> str:
        """Its host name is Azure's to choose."""
        states = self._call("GET", f"{self._site(app)}?api-version={SITES}").json()["properties"][
            "hostNameSslStates"
        ]
        name = next((each["name"] for each in states if each["hostType"] == "Repository"), None)
        if name is None:
            raise StackError(f"Azure names no deployment service for the app `{app}`.")
        return f"https://{name}"

    def _call(self, method: str, url: str) -> Any:
        return _fine(self._ask(method, url), url.partition("?")[0])

    def _ask(self, method: str, url: str, data: Any = None) -> Any:
        import requests

        if data is not None:
            data.seek(0)  # it may be sent again
        headers = {"Authorization": f"Bearer {self._token(ARM)}"} | (
            {"Content-Type": "application/zip"} if data else {}
        )
        try:
            return requests.request(
                method, url, headers=headers, data=data, timeout=UPLOAD_SECONDS if data else CALL_SECONDS,
                verify=self.verify, allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as problem:
            raise Unreachable(
                f"{url.partition('?')[0]} cannot be reached: {type(problem).__name__}"
            ) from problem

    def _token(self, audience: str) -> str:
        """Kept: it lives for an hour."""
        if audience not in self._tokens:
            self._tokens[audience] = self.credential.get_token(f"{audience}/.default").token
        return self._tokens[audience]


def _let_in(answer: Any) -> Any:
    """raises: HttpResponseError where a role is missing, or does not work yet"""
    from azure.core.exceptions import HttpResponseError

    if answer.status_code not in REFUSED:
        return answer
    refusal = HttpResponseError(f"Azure answered {answer.status_code}")
    refusal.status_code = answer.status_code
    raise refusal


def _fine(answer: Any, what: str) -> Any:
    if not answer.ok:
        raise StackError(f"{what}: Azure answered {answer.status_code}: {answer.text[:300]}")
    return answer
