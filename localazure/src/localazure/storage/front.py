"""The storage account as Azure has it without keys: TLS, tokens and roles before an Azurite that knows of none.

Azurite's own OAuth mode takes any well-formed token and looks at no role. So each of its three services has a front: it
asks whose token a request carries and whether its roles allow what the request does, and passes it on with a shared
access signature that only the front has. A request with a key, or with a signature made of one, is refused: the
account has no keys.

source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import ssl
import threading
import uuid
from datetime import UTC, datetime
from email.utils import formatdate
from html import escape
from urllib.parse import parse_qsl, urlsplit

from localazure.access import tokens
from localazure.access.access import STORAGE, Access, Refused
from localazure.access.policy import Identity
from localazure.relay import RelayHandler, TlsServer
from localazure.storage import operations
from localazure.storage.account import Ports
from localazure.storage.operations import Operation, Request, Unknown

log = logging.getLogger(__name__)
OLDEST = "2017-11-09"
"""The first version of the API that takes tokens."""
_LARGEST_BATCH = 4 * 1024 * 1024
_MISMATCH = "This request is not authorized to perform this operation using this permission."
_NO_KEYS = "Key based authentication is not permitted on this storage account."
_BAD_FORM = "Authentication information is not given in the correct format."
_FAILED = "Server failed to authenticate the request."
_SEE_HEADER = f"{_FAILED} Please refer to the information in the www-authenticate header."
_XML, _JSON = "application/xml", "application/json;odata=minimalmetadata;charset=utf-8"
_CHALLENGE = (
    f"Bearer authorization_uri=https://login.microsoftonline.com/{tokens.TENANT}/oauth2/authorize"
    f" resource_id={STORAGE[0]}"
)


class NotAllowed(Exception):
    """An answer of the storage service to a request that it does not take."""

    def __init__(self, status: int, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.detail = status, code, message, detail


class FrontServer(TlsServer):
    """One service's front."""

    def __init__(
        self,
        port: int,
        *,
        service: str,
        access: Access,
        tls: ssl.SSLContext,
        behind: str,
        signatures: dict[str, str],
    ) -> None:
        """behind: host and port of Azurite's service. signatures: a query string for each account that opens it"""
        super().__init__(("127.0.0.1", port), _Handler)
        self.service, self.access, self.tls = service, access, tls
        self.behind, self.signatures = behind, signatures


def serve(
    ports: Ports, behind: Ports, *, access: Access, tls: ssl.SSLContext, signatures: dict[str, str]
) -> list[FrontServer]:
    """The three fronts, serving. raises: OSError when a port is taken"""
    fronts = [
        FrontServer(
            getattr(ports, service),
            service=service,
            access=access,
            tls=tls,
            behind=f"127.0.0.1:{getattr(behind, service)}",
            signatures=signatures,
        )
        for service in ("blob", "queue", "table")
    ]
    for front in fronts:
        threading.Thread(target=front.serve_forever, args=(0.1,), daemon=True).start()
    return fronts


class _Handler(RelayHandler):
    server: FrontServer

    def _any(self) -> None:
        try:
            self._take()
        except (ConnectionError, TimeoutError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_MERGE = _any

    def _take(self) -> None:
        parts = urlsplit(self.path)
        account, _, path = parts.path.lstrip("/").partition("/")
        request = Request(
            method=self.command,
            path=f"/{path}",
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        body = None
        try:
            if account not in self.server.access.book.accounts:
                raise NotAllowed(404, "ResourceNotFound", "The specified resource does not exist.")
            caller = self._caller(request)
            if operations.is_batch(self.server.service, request):
                body = self._whole()
                asked = operations.batched(body, account)
            else:
                asked = [request]
            for one in asked:
                self._check(caller, account, one)
        except NotAllowed as refusal:
            if body is None:
                for _ in self._pieces():  # else the client would see its connection reset, and no answer
                    pass
            self._refuse(refusal)
            return
        self._forward(account, parts.query, body)

    def _caller(self, request: Request) -> Identity:
        """raises: NotAllowed"""
        given = request.headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        if "sig" in request.query or scheme.lower() in ("sharedkey", "sharedkeylite"):
            raise NotAllowed(403, "KeyBasedAuthenticationNotPermitted", _NO_KEYS)
        if not given:
            raise NotAllowed(401, "NoAuthenticationInformation", _SEE_HEADER)
        if scheme.lower() != "bearer" or not token:
            raise NotAllowed(
                400,
                "InvalidAuthenticationInfo",
                _BAD_FORM,
            )
        if request.headers.get("x-ms-version", "") < OLDEST:
            said = "Authentication scheme Bearer is not supported in this version."
            raise NotAllowed(403, "AuthenticationFailed", _FAILED, said)
        try:
            return self.server.access.caller(token, STORAGE)
        except tokens.BadToken as problem:
            raise _unauthenticated(problem) from problem

    def _check(self, caller: Identity, account: str, request: Request) -> None:
        """raises: NotAllowed"""
        service, access = self.server.service, self.server.access
        try:
            operation = operations.operation(service, request)
        except Unknown as problem:
            log.warning("%s: the %s front knows no such request: %s", caller.name, service, problem)
            raise NotAllowed(403, "AuthorizationPermissionMismatch", _MISMATCH) from problem
        owner = self._owner(account, operation)
        try:
            access.check(caller, operation.name, operations.needs(operation, service, owner))
        except Refused as problem:
            log.info("%s: %s", operation.name, problem)
            raise NotAllowed(403, "AuthorizationPermissionMismatch", _MISMATCH) from problem

    def _owner(self, account: str, operation: Operation) -> str:
        """Resource id of the account that the container belongs to, by the access file."""
        book = self.server.access.book
        if self.server.service == "blob":
            for pattern, owner in book.containers:
                if re.fullmatch(pattern, operation.on):
                    return owner
        return book.accounts[account]

    def _whole(self) -> bytes:
        pieces, size = [], 0
        for piece in self._pieces():
            size += len(piece)
            if size > _LARGEST_BATCH:
                self.close_connection = True
                raise NotAllowed(413, "RequestBodyTooLarge", "The request body is too large.")
            pieces.append(piece)
        return b"".join(pieces)

    def _forward(self, account: str, query: str, body: bytes | None) -> None:
        headers = self._forwarded_headers(self.server.behind)
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        if body is not None:
            headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        signed = "&".join(filter(None, [query, self.server.signatures[account]]))
        try:
            response = self._passed_on(
                self.server.behind, f"{urlsplit(self.path).path}?{signed}", headers, body
            )
        except (OSError, http.client.HTTPException) as failed:
            self._refuse(NotAllowed(503, "ServerBusy", f"The server is busy: {failed}"))
            return
        self._relay(response)

    def _refuse(self, refusal: NotAllowed) -> None:
        """In the service's own form: XML, of tables JSON."""
        request_id = str(uuid.uuid4())
        said = f"{refusal.message}\nRequestId:{request_id}\nTime:{datetime.now(UTC).isoformat()}"
        is_table = self.server.service == "table"
        body = _odata(refusal, said) if is_table else _xml(refusal, said)
        self.send_response_only(refusal.status, http.client.responses.get(refusal.status, ""))
        told = {
            "Content-Type": _JSON if is_table else _XML, "x-ms-error-code": refusal.code, "x-ms-request-id": request_id,
            "x-ms-version": self.headers.get("x-ms-version", OLDEST),
            "Date": formatdate(usegmt=True),
        }  # fmt: skip
        if refusal.status == 401:
            told["WWW-Authenticate"] = _CHALLENGE
        self._finish(told, body)

    def log_message(self, format: str, *values: object) -> None:
        log.debug(format, *values)


def _unauthenticated(problem: tokens.BadToken) -> NotAllowed:
    if problem.code == tokens.MALFORMED:
        return NotAllowed(400, "InvalidAuthenticationInfo", _BAD_FORM)
    return NotAllowed(401, "InvalidAuthenticationInfo", _SEE_HEADER, str(problem))


def _odata(refusal: NotAllowed, said: str) -> bytes:
    error = {"code": refusal.code, "message": {"lang": "en-US", "value": said}}
    return json.dumps({"odata.error": error}).encode()


def _xml(refusal: NotAllowed, said: str) -> bytes:
    detail = (
        f"<AuthenticationErrorDetail>{escape(refusal.detail)}</AuthenticationErrorDetail>"
        if refusal.detail
        else ""
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refusal.code}</Code>'
        f"<Message>{escape(said)}</Message>{detail}</Error>"
    ).encode()
