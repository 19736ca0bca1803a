"""The workflows of both providers as their steps in order: GitHub's and Azure DevOps's YAML, with what each includes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from commands import ROOT
from commands.linters.workflows import AZURE_DEVOPS, GITHUB

NAMES = ("pull-request", "release", "audit")
"""Those that something starts; the others they include."""
PROVIDERS = (GITHUB, AZURE_DEVOPS)
DEV = "./dev "


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a job: what it runs, or which action or task."""

    job: str
    run: str = ""
    uses: str = ""
    on_failure: bool = False
    """Whether it runs only where a step before it has failed."""
    in_any_case: bool = False
    """Whether it runs also where a step before it has failed."""
    given: dict[str, str] = field(default_factory=dict, compare=False)
    """The environment that is spelt out for it, or for its job."""

    @property
    def arguments(self) -> list[str]:
        """Of `./dev`; empty for what is none of its commands."""
        return shlex.split(self.run)[1:] if self.run.startswith(DEV) else []


def steps(provider: str, name: str) -> list[Step]:
    """All steps, in the order in which they run where nothing runs beside another."""
    file = ROOT / provider / f"{name}.yml"
    return list(_github(file) if provider == GITHUB else _azure_devops(file))


def dev_steps(provider: str, name: str) -> list[Step]:
    return [step for step in steps(provider, name) if step.arguments]


def load(file: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _github(file: Path) -> Iterator[Step]:
    done: list[str] = []
    for name, job in load(file)["jobs"].items():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= {*done}, (
            f"{file.name}: {name} comes too early"
        )
        done.append(name)
        if "uses" in job:
            yield from _github(ROOT / job["uses"].removeprefix("./"))
        for step in job.get("steps", ()):
            yield Step(
                job=name,
                run=step.get("run", "").strip(),
                uses=step.get("uses", ""),
                on_failure="failure()" in str(step.get("if", "")),
                in_any_case="!cancelled()" in str(step.get("if", "")),
                given={**job.get("env", {}), **step.get("env", {})},
            )


def _azure_devops(file: Path) -> Iterator[Step]:
    told = load(file)
    for stage in _expanded(told.get("stages", [told])):
        for job in stage["jobs"]:
            if "template" in job:
                yield from _azure_devops(file.parent / job["template"])
                continue
            for step in _steps(job):
                inline = (
                    step.get("inputs", {}).get("inlineScript", "")
                    if "task" in step
                    else step.get("script", "")
                )
                yield Step(
                    job=job.get("job", job.get("deployment", "")),
                    run=inline.strip(),
                    uses=step.get("task", ""),
                    on_failure="failed()" in step.get("condition", ""),
                    in_any_case="succeededOrFailed()" in step.get("condition", ""),
                    given=step.get("env", {}),
                )


def _expanded(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What stands under `each` once: it is the same for each."""
    for item in items:
        (name, *_), (value, *_) = list(item), list(item.values())
        if name.startswith("${{"):
            yield from _expanded(value)
        else:
            yield item


def _steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        job["strategy"]["runOnce"]["deploy"]["steps"] if "deployment" in job else job["steps"]
    )
    return found
