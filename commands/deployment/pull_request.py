"""One comment on the pull request that a pipeline runs for, written anew with each push: GitHub's, or Azure DevOps's.

source: https://docs.github.com/rest/issues/comments;
https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from commands.stack.errors import StackError

MARK = "<!-- campanha: what-if -->"
SECONDS = 30
DEVOPS_API = "api-version=7.1"
TEXT = 1


def post(text: str, environment: Mapping[str, str]) -> str:
    """returns: where it stands; raises: StackError where no pipeline of a pull request runs this, or it is refused"""
    body = f"{MARK}\n{text}"
    if "GITHUB_EVENT_PATH" in environment:
        return _github(body, environment)
    if "SYSTEM_PULLREQUEST_PULLREQUESTID" in environment:
        return _azure_devops(body, environment)
    raise StackError("--post is for a pipeline of a pull request: neither GitHub nor Azure DevOps runs this.")


def _github(body: str, environment: Mapping[str, str]) -> str:
    event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    if "pull_request" not in event:
        raise StackError("--post is for a pull request; this run is of none.")
    api = f"{environment['GITHUB_API_URL']}/repos/{environment['GITHUB_REPOSITORY']}"
    of_this = f"{api}/issues/{event['pull_request']['number']}/comments"
    token = {
        "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
        "Accept": "application/vnd.github+json",
    }
    before = [
        each for each in _asked("GET", f"{of_this}?per_page=100", token) if MARK in (each["body"] or "")
    ]
    if before:
        return str(
            _asked("PATCH", f"{api}/issues/comments/{before[0]['id']}", token, {"body": body})["html_url"]
        )
    return str(_asked("POST", of_this, token, {"body": body})["html_url"])


def _azure_devops(body: str, environment: Mapping[str, str]) -> str:
    number = environment["SYSTEM_PULLREQUEST_PULLREQUESTID"]
    threads = (
        f"{environment['SYSTEM_COLLECTIONURI']}{quote(environment['SYSTEM_TEAMPROJECT'])}/_apis/git/repositories/"
        f"{environment['BUILD_REPOSITORY_ID']}/pullRequests/{number}/threads"
    )
    token = {"Authorization": f"Bearer {environment['SYSTEM_ACCESSTOKEN']}"}
    for thread in _asked("GET", f"{threads}?{DEVOPS_API}", token)["value"]:
        for comment in thread["comments"]:
            if MARK in (comment.get("content") or ""):
                place = f"{threads}/{thread['id']}/comments/{comment['id']}"
                _asked("PATCH", f"{place}?{DEVOPS_API}", token, {"content": body})
                return place
    comments = [{"parentCommentId": 0, "content": body, "commentType": TEXT}]
    made = _asked("POST", f"{threads}?{DEVOPS_API}", token, {"comments": comments, "status": "closed"})
    return f"{threads}/{made['id']}"


def _asked(method: str, url: str, headers: dict[str, str], body: Any = None) -> Any:
    import requests

    try:
        answer = requests.request(
            method, url, headers=headers, json=body, timeout=SECONDS, allow_redirects=False
        )
    except requests.RequestException as problem:
        raise StackError(f"the comment could not be posted: {type(problem).__name__}") from problem
    if not answer.ok:
        raise StackError(f"the comment could not be posted: {answer.status_code} {answer.text[:200]}")
    return answer.json()
