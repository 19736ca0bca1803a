"""The dashboard's files: served as what they are, under a strict policy, to whoever is signed in."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import azure.functions as func
import pytest
from azure.functions import HttpRequest
from fastapi import FastAPI

import functions.api
from functions.http.auth.scopes import Scope
from functions.http.problems import Problem
from functions.http.routes.dashboard import PUBLIC, SIGN_IN
from functions.http.views.static_files import POLICY, Folder
from tests.http.asking import HOST, VERSION, Client, client_of, key

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def anybody(api: FastAPI) -> Client:
    return client_of(api, scope=None)


def test_the_dashboard_is_served_under_a_strict_policy(reader: Client) -> None:
    answer = reader.get("/dashboard/", params={})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == POLICY
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_the_browser_has_is_not_sent_again(reader: Client) -> None:
    first = reader.get("/dashboard/index.html", params={})
    again = reader.get("/dashboard/index.html", params={}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_the_folder_has_one_address(reader: Client) -> None:
    answer = reader.get("/dashboard", params={})
    assert (answer.status_code, answer.headers["location"]) == (308, "/dashboard/")


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/", "/dashboard/index.html", "/api/docs"])
def test_a_browser_without_a_session_is_led_to_the_sign_in_page(anybody: Client, path: str) -> None:
    answer = anybody.get(path, params={}, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    assert answer.headers["cache-control"] == "no-store"
    page = anybody.get(SIGN_IN, params={}, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.content == (WEB / "public" / "signin.html").read_bytes()


def test_a_program_without_a_credential_gets_a_problem(anybody: Client) -> None:
    for path, headers in (("/dashboard/", {}), ("/api/status", BROWSER)):
        answer = anybody.get(path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


def test_without_a_session_only_the_public_folder_is_read(anybody: Client, reader: Client) -> None:
    """Each file of the dashboard, by the folder it lies in; types are for editors and checks, and are not served."""
    for file in (file for file in WEB.rglob("*.*") if file.is_file() and file.suffix != ".ts"):
        path = f"/dashboard/{file.relative_to(WEB).as_posix()}"
        for method in ("GET", "HEAD"):
            found = anybody.request(method, path, params={}).status_code
            assert found == (200 if path.startswith(PUBLIC) else 401), (method, path)
        assert reader.get(path, params={}).status_code == 200, path


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/index.html",
        "/dashboard/js/main.js",
        "/dashboard/public",
        "/dashboard/publicity.html",
        "/dashboard/js/../public/../index.html",
        "/dashboard/css%2f..%2findex.html",
    ],
)
def test_a_file_outside_the_public_folder_is_refused_without_a_session(anybody: Client, path: str) -> None:
    assert anybody.get(path, params={}).status_code == 401


@pytest.mark.parametrize(
    "name",
    ["../index.html", "..%2findex.html", "%2e%2e/index.html", "css/../../js/main.js", "../../host.json"],
)
def test_the_public_folder_is_no_way_out_of_itself(anybody: Client, name: str) -> None:
    assert anybody.get(f"{PUBLIC}{name}", params={}).status_code == 404


def test_nothing_is_written_into_the_public_folder(anybody: Client) -> None:
    assert anybody.post(f"{PUBLIC}signin.html", params={}, content=b"x").status_code == 401


@pytest.mark.parametrize(
    "name",
    [
        "../host.json",
        "..%2fhost.json",
        "%2e%2e/host.json",
        "....//host.json",
        "/etc/passwd",
        "..\\host.json",
        "x/../../host.json",
        "a\0b.html",
        "a" * 5000 + ".html",
    ],
)
def test_nothing_outside_the_folder_is_served(reader: Client, name: str) -> None:
    assert reader.get(f"/dashboard/{name}", params={}).status_code == 404


def test_only_known_kinds_of_files_are_served(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>")
    (tmp_path / "program.py").write_text("secret")
    (tmp_path / "link.html").symlink_to("/etc/passwd")
    folder = Folder(tmp_path)
    assert folder.find("page.html").content == b"<p>"
    for name in ("program.py", "link.html", ".hidden", ""):
        with pytest.raises(Problem):
            folder.find(name)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")
    folder = Folder(tmp_path)
    old = folder.find("page.html")
    file.write_text("new")
    assert folder.find("page.html").content in (b"new", old.content)
    assert Folder(tmp_path).find("page.html").etag != old.etag


def test_the_host_hands_every_route_to_the_gate() -> None:
    """The host itself keeps nobody out, so there must be no route of its own that says more than 'alive'."""
    program = (
        "import function_app, json;"
        "print(json.dumps([json.loads(f.get_raw_bindings()[0]) for f in function_app.app.get_functions()"
        " if f.is_http_function()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    routes = {binding["route"]: binding["authLevel"] for binding in json.loads(done.stdout)}
    assert routes == {
        "api/health/live": "ANONYMOUS",
        "api/{*path}": "ANONYMOUS",
        "dashboard/{*path}": "ANONYMOUS",
    }
    assert json.loads((ROOT / "host.json").read_text())["extensions"]["http"]["routePrefix"] == ""


def test_problems_are_alike_everywhere(reader: Client) -> None:
    for answer, code in (
        (reader.get("/api/nothing"), "NotFound"),
        (reader.request("PATCH", "/api/status", headers=key(Scope.OPERATOR)), "MethodNotAllowed"),
        (reader.get("/api/status", params={}), "MissingApiVersionParameter"),
        (reader.get("/api/status", params={"api-version": "1999-01-01"}), "UnsupportedApiVersionValue"),
    ):
        body = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-ms-error-code"] == body["code"] == code
        assert body["status"] == answer.status_code
        assert body["traceId"] == answer.headers["traceparent"].split("-")[1]
    assert reader.request("PATCH", "/api/status", headers=key(Scope.OPERATOR)).headers["allow"] == "GET"


@pytest.mark.parametrize("name", ["state", "wait", "api-version"])
def test_a_parameter_given_twice_is_refused(reader: Client, name: str) -> None:
    twice = reader.get("/api/uploads", params={**VERSION, name: [VERSION.get(name, "1")] * 2})
    assert (twice.status_code, twice.json()["errors"]) == (
        400,
        [{"location": f"query.{name}", "rule": "given once"}],
    )


def test_settings_that_need_mending_are_said_without_naming_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GATHER_QUIET_SECONDS", "a while")
    request = HttpRequest("GET", f"http://{HOST}/api/status", headers={}, body=b"")
    answer = asyncio.run(functions.api._answer(request, cast("func.Context", None)))
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert json.loads(answer.get_body())["code"] == "NotConfigured"
    assert b"GATHER" not in answer.get_body()
    assert "GATHER_QUIET_SECONDS" in caplog.text
