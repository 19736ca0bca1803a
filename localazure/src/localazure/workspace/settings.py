"""The workspace's settings: its names, ports and folders, and the variables that lead the SDKs to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from localazure.access.tokens import TENANT

LOCATION = "local"
_NAMES = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Given once, on the command line."""

    state: Path
    port: int
    identity_port: int
    listen_port: int | None = None
    """Where something lies before the port, and passes on."""
    identity_listen_port: int | None = None
    storage: str
    events: str | None = None
    events_key: str = ""
    environments: Path
    access: Path | None = None
    """Identities, roles and their assignments; without it whoever signs in may do everything."""
    subscription: str = "00000000-0000-0000-0000-000000000000"
    resource_group: str = "localazure"
    workspace: str = "localazure"
    strict: frozenset[str] = frozenset()
    """Names of unkindnesses."""

    @property
    def folder(self) -> Path:
        """All that this part keeps, except the certificates others read too."""
        return self.state / "workspace"

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def resource_id(self) -> str:
        """The workspace's ARM id: what the route table calls {WS}."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )

    @property
    def tracking_uri(self) -> str:
        """For MLflow, which reads it by the plug-in `azureml-mlflow`."""
        return f"azureml://127.0.0.1:{self.port}/mlflow/v1.0{self.resource_id}"

    @property
    def workspace_id(self) -> str:
        """A GUID that stays the same as long as the names do."""
        return stable_id(self.resource_id.lower())

    @property
    def bundle(self) -> Path:
        """What clients trust: certifi's authorities and ours."""
        return self.state / "tls" / "bundle.pem"

    def principal_environment(self, secret: str) -> dict[str, str]:
        """The same for a service principal, of which azure-identity has to be told `disable_instance_discovery`."""
        return {
            "AZUREML_DEV_URL_MFE": self.base,
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "AZURE_AUTHORITY_HOST": self.base,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": APPLICATION,
            "AZURE_CLIENT_SECRET": secret,
        }

    def client_environment(self, secret: str) -> dict[str, str]:
        """The variables that point the unmodified SDKs at this workspace."""
        return {
            "AZUREML_DEV_URL_MFE": self.base,
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.identity_port}/msi/token",
            "IDENTITY_HEADER": secret,
        }


def stable_id(*parts: str) -> str:
    """The same GUID for the same words, so that a restart finds what it started."""
    return str(uuid.uuid5(_NAMES, "\n".join(parts)))


APPLICATION = stable_id("application")
"""The client id of the one application that is registered here; its secret is that of the identity endpoint."""
