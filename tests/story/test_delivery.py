"""The workflow's own steps, in order, on the embedded Azure: a good release, then a broken one that is taken back.

What a pipeline checks out is a clone; what it runs is what both providers' YAML says. Work is under way all the time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from commands import ROOT
from commands.linters.workflows import AZURE_DEVOPS, GITHUB
from commands.packaging import libraries
from commands.publish import environment
from tests.story.running import Running, bank, running, without_answer
from tests.workflows import Step, dev_steps

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the package is Linux's"),
]

OF_EACH_RUN = ("check", "test")
"""They are what runs this: a test that ran them would run itself."""
WORKS = "    sha256 = _copy(fact, blob, services)\n"
BREAKS = "    sha256 = _copy(fact, blob)\n"
"""Only a file that fits no contract comes there, so nothing shows it before one does: the canary."""
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.org")
SHARD_BYTES = "16000"
ROUNDS = 30
"""The real rows so many times over: so many shards that a batch is cut off in the middle."""


@dataclass
class Pipeline:
    """Runs the steps of a workflow as its provider would, in a checkout of its own."""

    checkout: Path
    env: dict[str, str]
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What happens meanwhile, just before a step."""
    ran: list[str] = field(default_factory=list)
    said: str = ""

    def runs(self, steps: Sequence[Step]) -> bool:
        """Whether all went well: after one that fails, only those for that case."""
        failed = False
        for step in steps:
            if step.arguments[0] not in OF_EACH_RUN and step.on_failure == failed:
                failed |= not self._succeeds(step)
        return not failed

    def _succeeds(self, step: Step) -> bool:
        self.ran.append(" ".join(step.arguments))
        self.before.get(self.ran[-1], bool)()
        done = subprocess.run(
            [sys.executable, str(self.checkout / "commands" / "__main__.py"), *step.arguments],
            cwd=self.checkout, env=self.env, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        return done.returncode == 0


def until_staging(provider: str) -> list[Step]:
    """What `release` does up to the end of the first environment: the second is the same again."""
    found = dev_steps(provider, "release")
    end = next(number for number, step in enumerate(found) if step.arguments == ["release", "rollback"])
    return found[: end + 1]


def test_a_broken_release_is_taken_back_by_the_workflow_and_no_work_is_lost(tmp_path: Path) -> None:
    steps = until_staging(GITHUB)
    assert commands(steps) == commands(until_staging(AZURE_DEVOPS))
    checkout = _clone(tmp_path / "checkout")
    with running(tmp_path / "state", SHARD_BYTES=SHARD_BYTES) as site:
        pipeline = Pipeline(checkout, _environment(site))
        assert pipeline.runs(steps), pipeline.said
        assert pipeline.ran == ["package", "azure publish", "release deploy", "release smoke"]
        good = _release(site)
        header, rows = bank()
        site.drop("incoming", "first.csv", [header, *rows[:2500]])
        assert site.model_of("first.csv")["model"]["state"] == "released"
        clients = without_answer([header, *rows * ROUNDS])
        broken = _commit(checkout, "shared/steps/admit_upload.py", WORKS, BREAKS)

        def work_comes(name: str) -> None:
            site.drop("scoring", f"{name}.csv", clients)
            site.until(lambda: _shards_scored(site, name) >= 2, f"the second shard of {name}", seconds=300)

        def work_is_cut_off(name: str) -> None:
            assert _batch(site, name).get("state") != "scored", (
                f"{name} was over before anything was deployed"
            )

        pipeline.before = {
            "release deploy": lambda: work_comes("before"),
            "release smoke": lambda: (
                work_is_cut_off("before"),
                site.drop("incoming", "second.csv", [header, *rows[2500:]]),
            ),
            "release rollback": lambda: work_comes("between"),
        }
        pipeline.ran.clear()
        assert not pipeline.runs(steps), "a pipeline that deploys what does not work is red"

        work_is_cut_off("between")
        assert pipeline.ran == [
            "package", "azure publish", "release deploy", "release smoke", "release rollback",
        ], pipeline.said  # fmt: skip
        assert "works    FAILED  nothing was heard of the canary" in pipeline.said
        assert _release(site) == good
        ended = [(each["commit"], each["state"], each["back_from"] != "") for each in _deployments(pipeline)]
        first = _head(checkout, "HEAD~1")
        assert ended == [(first, "passed", True), (broken, "failed", False), (first, "passed", False)]
        _each_thing_once(site, len(rows), clients)


def _each_thing_once(site: Running, rows: int, clients: list[bytes]) -> None:
    """What was under way while the apps were replaced twice came to its end, and to one."""
    assert site.model_of("second.csv")["upload"]["rows"] == rows - 2500
    batches = [site.batch_of(f"{name}.csv") for name in ("before", "between")]
    for batch in batches:
        assert (batch["state"], batch["rows"]) == ("scored", len(clients) - 1)
        scored = site.blob(batch["output"]).splitlines()
        added = scored[0].count(b",") - clients[0].count(b",")
        assert [line.rsplit(b",", added)[0] for line in scored] == clients
    mine = [each["name"] for each in site.all("uploads") if not each["name"].startswith("canary/")]
    assert sorted(mine) == ["first.csv", "second.csv"]
    assert {one["id"] for one in site.all("batches")} == {batch["id"] for batch in batches}
    runs = {run["id"]: site.runs_in_azure_ml(run["id"]) for run in site.all("runs")}
    assert runs == {"bank-v1-a1": ["Completed"], "bank-v2-a1": ["Completed"]}


def commands(steps: Sequence[Step]) -> list[tuple[str, bool]]:
    return [(step.run, step.on_failure) for step in steps]


def _environment(site: Running) -> dict[str, str]:
    """What a pipeline has of an environment's settings."""
    return {
        **os.environ,
        **environment(site.stack),
        "CAMPANHA_STATE": str(site.stack.state),
        "CAMPANHA_PYTHON": libraries.THIS_PYTHON,
        "ENDPOINT_PREFIX": "other",  # the app makes its own
    }


def _clone(target: Path) -> Path:
    """As a provider checks out: what is committed. What installs libraries is this checkout's."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    for folder in (".uv", ".environments"):
        (target / folder).symlink_to(ROOT / folder)
    return target


def _commit(checkout: Path, file: str, before: str, after: str) -> str:
    text = (checkout / file).read_text()
    assert before in text
    (checkout / file).write_text(text.replace(before, after))
    subprocess.run(["git", *AUTHOR, "commit", "--quiet", "-am", "A mistake"], cwd=checkout, check=True)
    return _head(checkout, "HEAD")


def _head(checkout: Path, name: str) -> str:
    done = subprocess.run(
        ["git", "rev-parse", name], cwd=checkout, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _release(site: Running) -> str:
    return str(site.get("health")["releaseId"])


def _deployments(pipeline: Pipeline) -> list[dict[str, str]]:
    """Newest first."""
    told = subprocess.run(
        [sys.executable, str(pipeline.checkout / "commands" / "__main__.py"), "release", "list", "--json"],
        cwd=pipeline.checkout, env=pipeline.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[dict[str, str]] = json.loads(told.stdout)["value"]
    return found


def _shards_scored(site: Running, name: str) -> int:
    return int(_batch(site, name).get("shardsScored", 0))


def _batch(site: Running, name: str) -> dict[str, Any]:
    return dict(site.get(f"lineage/scoring/{name}.csv").get("batch", {}))
