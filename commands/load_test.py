"""Many requests to a model's endpoint: how long they take, how many a second, and whether all are answered.

Without --url it calls the endpoint of the running stack. Each request carries the example that the endpoint's own
description gives, or --body. The bound is on the whole test: every request answered within so many seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.client import load, tables
from commands.client.answering import answering
from commands.client.output import as_json
from commands.client.target import BAD, FINE, command, find
from commands.client.workspace import answer_of, workspace
from commands.stack.errors import StackError
from shared.adapters.ml_client import scoring_address
from shared.adapters.sign_in import credential

PERCENTS = (50, 90, 95, 99, 100)
KEY = "CAMPANHA_ENDPOINT_KEY"


@command
def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    endpoint = _by_address(given) if given.url else _of_app(given)
    body = _body(given.body) if given.body else endpoint.example(given.rows)
    question = load.Question(
        url=endpoint.url, body=body, headers=endpoint.headers, tls=endpoint.tls, timeout_seconds=given.timeout
    )
    found = load.run(
        question,
        requests=given.requests,
        clients=given.concurrency,
        seconds=given.bound,
        progress=_progress(given),
    )
    result = _result(found, given, endpoint.url)
    if given.json:
        as_json(result)
    else:
        _show(result, found)
    return FINE if result["met"] else BAD


def _body(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise StackError(f"--body {file} cannot be read: {problem.strerror}.") from problem


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="./dev load-test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit codes: 0 all answered within the bound; 1 not so; 2 wrong usage; 3 nothing runs",
    )  # fmt: skip
    made.add_argument("--requests", "-n", type=_count, default=100, metavar="N", help="default: 100")
    made.add_argument("--concurrency", "-c", type=_count, default=1, metavar="N", help="clients at once (1)")
    made.add_argument("--rows", type=_count, default=1, metavar="N", help="records in each request (1)")
    made.add_argument("--body", type=Path, metavar="FILE", help="JSON to send instead of the example")
    made.add_argument("--bound", type=float, default=60.0, metavar="SECONDS", help="for all of them (60)")
    made.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="of one request (30)")
    made.add_argument("--json", action="store_true", help="for programs")
    where = made.add_argument_group("which endpoint")
    where.add_argument(
        "--state", type=Path, metavar="DIR", help="of the stack in this folder (default: .campanha)"
    )
    where.add_argument("--dataset", help="of this dataset's model (default: the only one that answers)")
    where.add_argument("--deployment", help="this deployment of it, whatever the traffic")
    where.add_argument(
        "--url", help="a scoring address, such as https://NAME.REGION.inference.ml.azure.com/score"
    )
    where.add_argument("--key", help=f"its key; better in ${KEY}, which no process list shows")
    return made


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number from 1 on is needed")
    return number


# --- where ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A scoring address, what opens it, and whose certificates are believed."""

    url: str
    key: str | None
    deployment: str | None
    tls: ssl.SSLContext

    @property
    def headers(self) -> dict[str, str]:
        made = {"Content-Type": "application/json"}
        if self.key:
            made["Authorization"] = f"Bearer {self.key}"
        if self.deployment:
            made["azureml-model-deployment"] = self.deployment
        return made

    def example(self, rows: int) -> bytes:
        """The request that the endpoint's own Swagger shows, with its record so many times."""
        url = f"{self.url.removesuffix('/score')}/swagger.json?version=3"
        request = urllib.request.Request(url, headers=self.headers)
        try:
            with _opener(self).open(request, timeout=30) as reply:
                schemas = json.load(reply)["components"]["schemas"]
            (record,) = schemas["ServiceInput"]["example"]["data"]
        except urllib.error.URLError as problem:
            raise StackError(
                f"{url} does not answer: {problem}. Is the address a scoring address?"
            ) from problem
        except (ValueError, KeyError, TypeError) as problem:
            raise StackError(f"{url} shows no example of a request; give one by --body FILE.") from problem
        return json.dumps({"data": [record] * rows}).encode()


def _opener(endpoint: Endpoint) -> urllib.request.OpenerDirector:
    proxies: dict[str, str] | None = {} if urllib.request.proxy_bypass(endpoint.url.split("/")[2]) else None
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=endpoint.tls)
    )


def _by_address(given: argparse.Namespace) -> Endpoint:
    if not given.url.startswith(("http://", "https://")):
        raise StackError(f"{given.url} is no address: it begins with http:// or https://.")
    key = given.key or os.environ.get(KEY)
    tls = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
    return Endpoint(url=given.url, key=key, deployment=given.deployment, tls=tls)


def _of_app(given: argparse.Namespace) -> Endpoint:
    """The endpoint whose model answers for the app, found by the SDK with your sign-in, or the stack's."""
    target = find(argparse.Namespace(state=given.state, url=None, key=None))
    name = answering(target.client, given.dataset).endpoint
    client = workspace(target.stack)
    url, key = answer_of(lambda: scoring_address(client, credential(), name))
    tls = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
    return Endpoint(url=url, key=key, deployment=given.deployment, tls=tls)


# --- what came out ----------------------------------------------------------------------------------------------


def _progress(given: argparse.Namespace) -> Callable[[int], None]:
    """A counter on a terminal."""
    if given.json or not sys.stderr.isatty():
        return lambda done: None
    return lambda done: print(f"\r  {done}/{given.requests}", end="", file=sys.stderr, flush=True)


def _result(found: load.Load, given: argparse.Namespace, url: str) -> dict[str, Any]:
    times = {f"p{percent}" if percent < 100 else "max": found.percentile(percent) for percent in PERCENTS}
    return {
        "url": url,
        "requests": found.requests,
        "wanted": given.requests,
        "concurrency": given.concurrency,
        "rowsPerRequest": given.rows,
        "seconds": round(found.elapsed, 3),
        "requestsPerSecond": round(found.per_second, 1),
        "rowsPerSecond": None if given.body else round(found.per_second * given.rows, 1),
        "milliseconds": {name: round(value * 1000, 2) for name, value in times.items()}
        if found.seconds
        else {},
        "statuses": {str(status): count for status, count in sorted(found.statuses.items())},
        "failures": dict(found.failures),
        "errors": found.errors,
        "boundSeconds": given.bound,
        "met": found.errors == 0 and found.requests == given.requests and found.elapsed <= given.bound,
    }


def _show(result: dict[str, Any], found: load.Load) -> None:
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    rows = [{"of the requests": _words(name), "milliseconds at most": value} for name, value in
            result["milliseconds"].items()]  # fmt: skip
    print(f"{result['requests']:,} requests to {result['url']}, {result['concurrency']} at once")
    tables.show("", rows, ("of the requests", "milliseconds at most"))
    rate = f"{result['requestsPerSecond']:,} answered a second"
    if result["rowsPerRequest"] > 1 and result["rowsPerSecond"] is not None:
        rate += f", {result['rowsPerSecond']:,} rows"
    print(f"{result['seconds']:g} s in all, {rate}; {result['errors']} errors.")
    for failure, count in found.failures.most_common(5):
        print(f"  {count} times without an answer: {failure}")
    if found.refusal:
        print(f"  the first refusal: {found.refusal}")
    left = result["wanted"] - result["requests"]
    if left:
        print(f"  {left:,} were not sent: the bound of {result['boundSeconds']:g} s was over")
    print("Within the bound." if result["met"] else "NOT as it should be.")


def _words(name: str) -> str:
    return "the slowest" if name == "max" else f"{name.removeprefix('p')} %"
