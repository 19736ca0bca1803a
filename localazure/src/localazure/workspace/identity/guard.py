"""Who calls the workspace and what it may do: by the access file; without one, anybody with a token may do everything."""

from __future__ import annotations

from collections.abc import Iterable

from localazure.access.access import STORAGE, Access, Refused
from localazure.access.policy import Identity, Need
from localazure.access.tokens import AUDIENCE as WRONG_AUDIENCE
from localazure.access.tokens import EXPIRED, BadToken
from localazure.workspace.identity.actions import ASSIGN, METRICS, PULL, TELEMETRY
from localazure.workspace.identity.bearer import check_bearer, denied_by_policy
from localazure.workspace.identity.issuer import Issuer
from localazure.workspace.settings import Settings
from localazure.workspace.wire.calls import Call, Refusal

COMPUTE, ENDPOINT = "compute", "endpoint"
"""What of the workspace acts as an identity of its own: the cluster's steps, the online deployments."""
_CODES = {EXPIRED: "ExpiredAuthenticationToken", WRONG_AUDIENCE: "InvalidAuthenticationTokenAudience"}
Granted = tuple[str, int]
"""A token, and the second it ends."""


class Guard:
    """Asks the access file, where there is one."""

    def __init__(self, access: Access | None, issuer: Issuer, settings: Settings) -> None:
        self.access, self._issuer, self._resource = access, issuer, settings.resource_id

    def admit(self, call: Call, audiences: tuple[str, ...]) -> None:
        """Reads who calls; raises: Refusal (401)"""
        header = call.headers.get("authorization")
        check_bearer(header, audiences)
        if self.access is None:
            return
        try:
            call.caller = self.access.caller((header or "").partition(" ")[2], audiences)
        except BadToken as problem:
            raise Refusal(
                401, _CODES.get(problem.code, "InvalidAuthenticationToken"), str(problem)
            ) from problem

    def check(self, call: Call, name: str, actions: Iterable[str], resource: str = "") -> None:
        """raises: Refusal (403), as Azure Resource Manager says it. resource: below the workspace, by default itself"""
        try:
            self._check(call, name, actions, f"{self._resource}{resource}")
        except Refused as problem:
            raise Refusal(403, "AuthorizationFailed", problem.arm_message()) from problem

    def check_assigning(self, call: Call, identity: str) -> None:
        """Whether the caller may give an identity to what it makes. raises: Refusal (403). identity: a resource id"""
        try:
            self._check(call, "assign an identity", [ASSIGN], identity)
        except Refused as problem:
            said = f"The client lacks permission on a linked scope. {problem.arm_message()}"
            raise Refusal(403, "LinkedAuthorizationFailed", said) from problem

    def check_calling(self, call: Call, name: str, actions: Iterable[str], resource: str) -> None:
        """The same for a call of an endpoint, whose own gateway answers. raises: Refusal (403)"""
        try:
            self._check(call, name, actions, f"{self._resource}{resource}")
        except Refused as problem:
            raise denied_by_policy() from problem

    def _check(self, call: Call, name: str, actions: Iterable[str], resource: str) -> None:
        if self.access is not None and call.caller is not None:
            self.access.check(call.caller, name, [tuple(Need(action, resource) for action in actions)])

    def check_telemetry(self, call: Call, audience: str) -> None:
        """As Application Insights asks and answers. raises: Refusal (401, 403)"""
        if self.access is None:
            return
        token = call.headers.get("authorization", "").partition(" ")[2]
        need = Need(TELEMETRY, self.access.book.scopes["insights"], is_data=True)
        try:
            self.access.check(self.access.caller(token, (audience,)), "send telemetry", [(need,)])
        except BadToken as problem:
            said = "please provide the valid authorization token"
            raise Refusal(401, "Unauthorized", said) from problem
        except Refused as problem:
            said = "provided credentials do not grant the access to ingest the telemetry into the component"
            raise Refusal(403, "Forbidden", said) from problem

    # --- what the workspace does as somebody ------------------------------------------------------------------

    def pulls_image(self, what: str) -> None:
        """An environment is an image of the workspace's registry. raises: Refused when it may not be pulled"""
        if self.access is not None:
            need = Need(PULL, self.access.book.scopes["registry"])
            self.access.check(self.access.acting(what), "pull an image", [(need,)])

    def reports_metrics(self) -> None:
        """raises: Refused when a deployment may not say how it fares"""
        if self.access is not None:
            need = Need(METRICS, self._resource)
            self.access.check(self.access.acting(ENDPOINT), "report metrics", [(need,)])

    def acting(self, what: str) -> Identity | None:
        """None where nobody asks who it is."""
        return self.access.acting(what) if self.access is not None else None

    # --- tokens -----------------------------------------------------------------------------------------------

    def secret(self, what: str) -> str:
        """The IDENTITY_HEADER for what acts as this."""
        identity = self.acting(what)
        return identity.secret if identity else self._issuer.secret

    def token(self, audience: str, identity: Identity | None = None) -> Granted:
        if self.access is None or identity is None:
            return self._issuer.token(audience)
        return self.access.token(identity, audience)

    def granted(self, header: str, audience: str, client: str) -> Granted | None:
        """What the managed identity's endpoint gives; None when the header is nobody's, or another's than the client's."""
        if self.access is None:
            return self._issuer.token(audience) if self._issuer.knows(header) else None
        identity = self.access.of_secret(header)
        if identity is None or client not in ("", identity.client):
            return None
        return self.access.token(identity, audience)

    def of_machine(self, audience: str) -> Granted | None:
        """What this machine's own identity is given; None where identities are told apart: it has none then."""
        return self._issuer.token(audience) if self.access is None else None

    def of_principal(self, client: str) -> Identity | None:
        """The application of that client id, as a service principal."""
        if self.access is None:
            return None
        known = self.access.book.identities.values()
        return next((one for one in known if one.client == client), None)

    def storage_token(self, what: str) -> Granted:
        return self.token(STORAGE[0], self.acting(what))
