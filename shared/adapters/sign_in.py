"""The one place where a credential of azure-identity is made, of the process's variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.domain.sign_in import SignIn, sign_in
from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def credential(variables: Mapping[str, str] | None = None) -> TokenCredential:
    """By the way that the variables say, by default those of this process; nothing is asked of anybody yet.

    raises: ConfigurationError naming every variable that is missing for it
    """
    try:
        way = sign_in(os.environ if variables is None else variables)
    except ValueError as fault:
        raise ConfigurationError(str(fault)) from fault
    if way.missing:
        raise ConfigurationError(f"to sign in as {way}, set {', '.join(way.missing)} too")
    return _made(way)


def _made(way: SignIn) -> TokenCredential:
    from azure import identity

    match way.way:
        case "managed-identity":
            return identity.ManagedIdentityCredential(client_id=way.client or None)
        case "secret":
            return identity.ClientSecretCredential(way.tenant, way.client, way.secret, **_authority(way))
        case "certificate":
            return identity.CertificateCredential(way.tenant, way.client, way.certificate, **_authority(way))
        case "federated":
            return identity.WorkloadIdentityCredential(
                tenant_id=way.tenant, client_id=way.client, token_file_path=way.token_file, **_authority(way)
            )
        case "developer":
            return identity.DefaultAzureCredential(
                exclude_environment_credential=True,
                exclude_workload_identity_credential=True,
                exclude_managed_identity_credential=True,
            )
        case _:
            return identity.DefaultAzureCredential()


def _authority(way: SignIn) -> dict[str, Any]:
    """Of an authority that is not Microsoft's, Microsoft is not asked."""
    given = {"authority": way.authority} if way.authority else {}
    return given if way.is_microsofts else {**given, "disable_instance_discovery": True}
