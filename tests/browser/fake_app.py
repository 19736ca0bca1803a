"""A small HTTP server with the status API's contract over made-up data, for the dashboard's tests.

By hand, to look around: `python -m browser.fake_app` in tests/ prints its address and keys.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from browser import bank
from browser.swagger import swagger

from commands.client.drift import in_snake_case
from functions.http.views.schemas import NEEDS_PERSON
from shared.domain.pictures.doubt_picture import doubt_picture
from shared.domain.pictures.drift_picture import drift_picture

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WEB = ROOT / "web"
KEYS = {"a-reader": "reader", "an-operator": "operator", "an-admin": "admin"}
VERSION = "2026-11-29"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MEDIA = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".woff2": "font/woff2", ".md": "text/plain", ".webmanifest": "application/manifest+json",
}  # fmt: skip
Json = dict[str, Any]


class Problem(Exception):
    """An answer of application/problem+json."""

    def __init__(self, status: int, code: str, detail: str, *errors: Json) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.errors = status, code, detail, errors


@dataclass
class FakeApp:
    """The data, who changed it, and what was asked for."""

    scanned: int = 500
    """Records that are looked through for one page of a filtered list, as in the app."""
    collections: dict[str, list[Json]] = field(default_factory=lambda: bank.bank(datetime.now(UTC)))
    paused: bool = False
    changed_settings: list[Json] = field(default_factory=list)
    notifier: Json = field(default_factory=lambda: bank.notifier(datetime.now(UTC)))
    freshness: list[Json] = field(default_factory=lambda: bank.freshness(datetime.now(UTC)))
    unwell: dict[str, str] = field(default_factory=dict)
    """Checks of the health report that warn, and what each says."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Every API request: method and path with query."""
    posted: list[tuple[str, Json, str]] = field(default_factory=list)
    """Every action: path, body, Idempotency-Key."""
    operations: dict[str, Json] = field(default_factory=dict)
    down: bool = False
    """True: every API call is answered 503."""
    away: list[str] = field(default_factory=list)
    """Paths whose next request is answered 503, once for each time that one is listed."""
    url: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)
    flow: list[Json] = field(default_factory=bank.flow)

    def change(self, doing: Callable[[FakeApp], object]) -> None:
        """Change the data and wake whoever waits for it."""
        with self.changed:
            doing(self)
            self.changed.notify_all()

    def record(self, kind: str, id_: str) -> Json:
        found = [record for record in self.collections[kind] if id_ in (record["id"], record.get("name"))]
        if not found:
            raise Problem(404, "NotFound", f"There is no {kind} {id_}.")
        return found[0]

    # --- what GET answers ---------------------------------------------------------------------------------

    def get(self, path: str, query: dict[str, list[str]]) -> Any:
        parts = [unquote(part) for part in path.split("/")]
        head, rest = parts[0], "/".join(parts[1:])
        special = {
            "status": self.status,
            "config": self.config,
            "health": self.health,
            "lineage": lambda: self.lineage(rest),
            "operations": lambda: self.operation(rest),
            "openapi.json": lambda: json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")),
            "endpoints": lambda: swagger(parts[1], bank.SERVING),
        }
        if head in special:
            return special[head]()
        if head not in self.collections:
            raise Problem(404, "NotFound", f"There is nothing at /api/{path}.")
        return self._item(head, parts[1:], query) if rest else self.page(head, query)

    def _item(self, head: str, parts: list[str], query: dict[str, list[str]]) -> Json:
        if head == "events":
            ids = [event["id"] for event in self.collections["events"][:2]]
            return {"count": 2, "ids": ids, "subscribers": ["webhook-1"]}
        if head == "quarantine":
            return bank.quarantined(self.record("uploads", "/".join(parts)))
        if head == "batches" and parts[-1] == "rows":
            return bank.rows_of(self.record("batches", parts[0]), int(query.get("maxpagesize", ["50"])[0]))
        if head == "models" and parts[-1] == "card":
            return bank.card(self.record("models", ":".join(parts[:-1])))
        return self.record(head, (":" if head in ("datasets", "models") else "/").join(parts))

    def page(
        self, name: str, query: dict[str, list[str]], fits: Callable[[Json], bool] = lambda r: True
    ) -> Json:
        size = min(int(query.get("maxpagesize", ["50"])[0]), 200)
        filters = ("state", "dataset", "since", "model")
        wanted: dict[str, str] = {key: query[key][0] for key in filters if key in query}
        known, there = self.collections[name], len(self.collections[name])
        link = f"{self.url}/api/{name}?api-version={VERSION}&maxpagesize={size}"
        link += "".join(f"&{key}={value}" for key, value in wanted.items())
        if "deltatoken" in query:
            return self._since(known[::-1], int(query["deltatoken"][0]), wanted, link)
        start = end = int(query.get("after", ["0"])[0])
        value: list[Json] = []
        for record in known[start : start + self.scanned if wanted else None]:
            if len(value) == size:
                break
            end += 1
            if fits(record) and _is_wanted(record, wanted):
                value.append(record)
        answer: Json = {"value": value}
        if name == "events":  # the one list that is followed in tests
            link += f"&deltatoken={there}"
        if there > end:
            answer["nextLink"] = f"{link}&after={end}"
        elif name == "events":
            answer["deltaLink"] = link
        return answer

    def _since(self, known: list[Json], place: int, wanted: dict[str, str], link: str) -> Json:
        """What came after the first `place` records, of which it looks at so few that a page may be empty."""
        looked = known[place : place + 2]
        place += len(looked)
        value = [record for record in looked if _is_wanted(record, wanted)]
        return {
            "value": value,
            "deltaLink" if place == len(known) else "nextLink": f"{link}&deltatoken={place}",
        }

    def status(self) -> Json:
        counts: dict[str, dict[str, int]] = {}
        for name in ("uploads", "datasets", "runs", "models", "batches", "alerts", "failures", "quarantine"):
            for record in self.collections[name]:
                of = counts.setdefault(record["kind"], {})
                of[record["state"]] = of.get(record["state"], 0) + 1
        newest = {n: self.collections[n][:5] for n in ("uploads", "runs", "models", "batches", "failures")}
        serving = [
            {"serving": {key: row[key] for key in ("version", "deployment", "endpoint", "releasedAt")}}
            for row in self.collections["deployments"] if row["trafficPercent"] == 100
        ]  # fmt: skip
        datasets = [
            {"dataset": bank.DATASET, "version": bank.TRAINING, "rows": 28940, "waitingUploads": 1,
             "run": f"{bank.DATASET}-v{bank.TRAINING}-a1",
             "freshness": self.freshness, **(serving[0] if serving else {})},
            {"dataset": "bank", "version": 1, "rows": 2713, "waitingUploads": 0, "freshness": []},
        ]  # fmt: skip
        attention = sum(counts.get(kind, {}).get(state, 0) for kind, state in NEEDS_PERSON)
        return {"asOf": datetime.now(UTC).isoformat(timespec="seconds"), "paused": self.paused,
                "changedSettings": self.changed_settings, "attentionCount": attention,
                "openAlerts": [r for r in self.collections["alerts"] if r["state"] == "raised"],
                "notifier": self.notifier, "datasets": datasets, "flow": self.flow, "stateCounts": counts,
                "mendedCounts": {"UploadArrived": 1, "lost-race": 14},
                **newest}  # fmt: skip

    def health(self) -> Json:
        unwell = {name: [{"status": "warn", "output": said}] for name, said in self.unwell.items()}
        ok = {"ledger:read": [{"status": "pass"}], "storage:read": [{"status": "pass"}]}
        return {"status": "warn" if unwell else "pass", "checks": {**ok, **unwell}}

    def config(self) -> Json:
        as_set = {"name": "RELEASE_CANARY_PERCENT", "value": 10, "default": 10}
        return {"version": 1, "settings": [*self.changed_settings, as_set]}

    def lineage(self, key: str) -> Json:
        name = key.removeprefix("incoming/").removeprefix("scoring/")
        for upload in self.collections["uploads"]:
            if key in (upload.get("sha256"), upload.get("contentHash")) or name == upload["name"]:
                return self._forward(key, upload)
        for batch in self.collections["batches"]:
            if name in (batch["name"], batch["id"]):
                return self._backward(key, batch)
        raise Problem(
            404, "NotFound", f"No file {key} was ever seen. Names are as in storage: incoming/NAME."
        )

    def _forward(self, key: str, upload: Json) -> Json:
        links: Json = {"key": key, "upload": upload}
        if "sameAs" in upload:
            upload = links["firstUpload"] = self.record("uploads", upload["sameAs"])
        version = upload.get("datasetVersion")
        if version:
            links["dataset"] = self.record("datasets", version)
            links |= self._of_version(version)
        return links

    def _of_version(self, version: str) -> Json:
        links: Json = {}
        number = int(version.split(":")[1])
        for name in ("runs", "models"):
            found = [
                r for r in self.collections[name]
                if f"{r.get('dataset')}:{r.get('version')}" == version and "batch" not in r
            ]  # fmt: skip
            if found:
                links[name[:-1]] = found[0]
        deployed = [r for r in self.collections["deployments"] if r["version"] == number]
        if deployed:
            links["deployment"] = deployed[0]
        links["batches"] = [r for r in self.collections["batches"] if r.get("modelVersion") == number]
        return links

    def _backward(self, key: str, batch: Json) -> Json:
        links: Json = {"key": key, "batch": batch}
        if batch.get("modelVersion"):
            version = f"{bank.DATASET}:{batch['modelVersion']}"
            links["dataset"] = self.record("datasets", version)
            links |= {k: v for k, v in self._of_version(version).items() if k != "batches"}
            links["uploads"] = [r for r in self.collections["uploads"] if r.get("datasetVersion") == version]
        return links

    def operation(self, id_: str) -> Json:
        operation = self.operations.get(id_)
        if operation is None:
            raise Problem(404, "NotFound", f"There is no operation {id_}.")
        following = {"NotStarted": "Running", "Running": "Succeeded"}
        shown = dict(operation)
        operation["status"] = following.get(operation["status"], operation["status"])
        return shown

    # --- what POST does -----------------------------------------------------------------------------------

    def post(self, path: str, body: Json, key: str) -> tuple[int, Json]:
        self.posted.append((unquote(path), body, key))
        if path.startswith("endpoints/") and path.endswith("/score"):
            return 200, self._scored(body)
        if path in ("pause", "resume"):
            self.change(lambda app: setattr(app, "paused", path == "pause"))
        now = datetime.now(UTC).isoformat()
        id_ = f"operation-{len(self.operations) + 1}"
        self.operations[id_] = {"id": id_, "status": "NotStarted", "action": unquote(path), "createdAt": now,
                                "lastModifiedAt": now}  # fmt: skip
        return 202, self.operations[id_]

    def _scored(self, body: Json) -> Json:
        records = body.get("data", [])
        if any(not isinstance(record.get("age"), int) for record in records):
            raise Problem(400, "InvalidInput", "age: write digits only, such as 42")
        probability = [round(min(0.97, record["age"] / 100), 4) for record in records]
        decision = ["call" if p >= 0.125 else "skip" for p in probability]
        return {
            "model": bank.DATASET,
            "version": str(bank.SERVING),
            "probability": probability,
            "decision": decision,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    app: FakeApp

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if not url.path.startswith("/api/"):
            return self._file(url.path)
        self._answered(lambda: self._api_get(url.path.removeprefix("/api/"), parse_qs(url.query)))

    def do_POST(self) -> None:
        self._answered(self._api_post)

    def do_DELETE(self) -> None:
        self._send(204, b"", {"Set-Cookie": "campanha=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"})

    def _answered(self, answer: Callable[[], None]) -> None:
        self.app.asked.append((self.command, self.path))
        try:
            if self.app.down or self._is_away(urlsplit(self.path).path):
                raise Problem(503, "Unavailable", "The ledger does not answer.")
            answer()
        except Problem as problem:
            body = {"type": "about:blank", "title": "Problem", "status": problem.status, "detail": problem.detail,
                    "code": problem.code, **({"errors": problem.errors} if problem.errors else {})}  # fmt: skip
            self._json(problem.status, body, {"x-ms-error-code": problem.code}, "application/problem+json")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _is_away(self, path: str) -> bool:
        if path not in self.app.away:
            return False
        self.app.away.remove(path)
        return True

    # --- static files ---------------------------------------------------------------------------------------

    def _file(self, path: str) -> None:
        inside = unquote(path.removeprefix("/dashboard").lstrip("/")) or "index.html"
        if not inside.startswith("public/") and not self._scope():
            return self._send(303, b"", {"Location": "/dashboard/public/signin.html"})
        file = (WEB / inside).resolve()
        if WEB not in file.parents or not file.is_file():
            return self._send(404, b"", {})
        headers = {"Content-Type": MEDIA.get(file.suffix, "application/octet-stream"), "Cache-Control": "no-cache",
                   "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}  # fmt: skip
        self._send(200, file.read_bytes(), headers)

    # --- the API ----------------------------------------------------------------------------------------------

    def _scope(self) -> str | None:
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        key = (
            bearer
            or self.headers.get("x-functions-key")
            or (cookie["campanha"].value if "campanha" in cookie else "")
        )
        return KEYS.get(key)

    def _needs(self, *scopes: str) -> str:
        scope = self._scope()
        if scope is None:
            raise Problem(401, "Unauthorized", "Sign in with a key.")
        if scope not in scopes:
            raise Problem(403, "Forbidden", f"This takes the {scopes[0]} scope; the credential has {scope}.")
        return scope

    def _api_get(self, path: str, query: dict[str, list[str]]) -> None:
        scope = self._needs("admin") if path == "audit" else self._needs("reader", "operator", "admin")
        if path == "session":
            return self._json(200, {"scope": scope})
        if query.get("api-version") != [VERSION] and path != "openapi.json":
            raise Problem(400, "MissingApiVersionParameter", f"Add api-version={VERSION}.")
        if path.endswith("-picture"):
            return self._drawn(*path.rsplit("/", 1))
        tag, deadline = "", time.monotonic() + min(float(query.get("wait", ["0"])[0]), 200.0)
        with self.app.changed:
            while True:
                answer = self.app.get(path, query)
                tag = _tag(answer)
                left = deadline - time.monotonic()
                if self.headers.get("If-None-Match") != tag or left <= 0 or self.app.down:
                    break
                self.app.changed.wait(left)
        if self.headers.get("If-None-Match") == tag:
            return self._send(304, b"", {"ETag": tag, "Cache-Control": "private, no-cache"})
        soon = {"Retry-After": "0"} if path.startswith("operations/") else {}
        self._json(200, answer, {"ETag": tag, "Cache-Control": "private, no-cache", **soon})

    def _drawn(self, path: str, what: str) -> None:
        """The picture of a record's drift, or of the doubt about its rows, as the app draws it."""
        kind, _, id_ = path.partition("/")
        doubt = what == "doubt-picture"
        record = self.app.record(kind, unquote(id_).replace("/", ":") if doubt else unquote(id_))
        known = in_snake_case(record)
        drawn = (
            doubt_picture(record["id"], known["doubts"]) if doubt else drift_picture(record["name"], known)
        )
        headers = {"Content-Type": "image/svg+xml", "X-Content-Type-Options": "nosniff"}
        self._send(200, drawn.encode(), headers)

    def _api_post(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = urlsplit(self.path).path.removeprefix("/api/")
        if path == "session":
            return self._sign_in(json.loads(raw))
        self._needs("operator", "admin")
        is_json = "json" in self.headers.get("Content-Type", "")
        body = json.loads(raw) if raw and is_json else {"file": raw.decode()} if raw else {}
        status, answer = self.app.post(path, body, self.headers.get("Idempotency-Key", ""))
        where = f"{self.app.url}/api/operations/{answer.get('id')}?api-version={VERSION}"
        self._json(status, answer, {"Operation-Location": where, "Retry-After": "0"} if status == 202 else {})

    def _sign_in(self, body: Json) -> None:
        scope = KEYS.get(body.get("key", ""))
        if not scope:
            raise Problem(401, "Unauthorized", "No such key.")
        cookie = f"campanha={body['key']}; Path=/; HttpOnly; SameSite=Strict"
        self._json(200, {"scope": scope}, {"Set-Cookie": cookie})

    def _json(
        self, status: int, body: Any, headers: dict[str, str] | None = None, media: str = "application/json"
    ) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": media, **(headers or {})})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _is_wanted(record: Json, wanted: dict[str, str]) -> bool:
    said = {**record, **record.get("data", {})}
    said["model"] = f"{said.get('dataset')}:{said.get('modelVersion')}"  # that of a batch
    return all(
        said.get("time", value) >= value if key == "since" else said.get(key) == value
        for key, value in wanted.items()
    )


def _tag(answer: Any) -> str:
    kept = {key: value for key, value in answer.items() if key != "asOf"}
    return '"' + hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:24] + '"'


@contextmanager
def serving(app: FakeApp, port: int = 0) -> Iterator[FakeApp]:
    """Serve `app` on a free port of 127.0.0.1 until the end of the block."""
    handler = type("Handler", (_Handler,), {"app": app})
    server = _Server(("127.0.0.1", port), handler)
    app.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    with serving(FakeApp(), port=0) as app:
        print(f"{app.url}/dashboard/#key=an-operator   (or a-reader, or an-admin)", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
