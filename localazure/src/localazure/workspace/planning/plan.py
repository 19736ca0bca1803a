"""What a job will do: steps, where inputs come from, where outputs go. Plain data, kept as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

LITERALS = ("string", "integer", "number", "boolean")


@dataclass(kw_only=True)
class Source:
    """Where an input comes from: a `literal`, a `uri`, a `step`'s output, or nowhere (`absent`)."""

    kind: str
    value: str = ""
    type: str = "string"
    mode: str = ""
    output: str = ""


@dataclass(kw_only=True)
class Target:
    """Where an output goes; `job_output` is the pipeline's output it stands for."""

    type: str = "uri_folder"
    uri: str | None = None
    mode: str = ""
    asset: str | None = None
    asset_version: str | None = None
    job_output: str | None = None


@dataclass(kw_only=True)
class Step:
    """One command to run, or (`automl`) one search for a model."""

    name: str
    display: str
    command: str
    code: str | None = None
    environment: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Source] = field(default_factory=dict)
    outputs: dict[str, Target] = field(default_factory=dict)
    timeout_seconds: float | None = None
    automl: dict[str, Any] | None = None
    component: str | None = None
    """The id of the component that is run, where there is one."""
    module: str = ""
    """That component's name, as the service shows it."""

    @property
    def after(self) -> set[str]:
        """The steps whose outputs this one reads."""
        return {source.value for source in self.inputs.values() if source.kind == "step"}


@dataclass(kw_only=True)
class Plan:
    """`alone`: a job of one step, which is the job itself; `datastore`: where outputs go that say nothing."""

    steps: list[Step]
    alone: bool = False
    continue_on_failure: bool = False
    datastore: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Plan:
        return cls(
            steps=[_step(one) for one in value["steps"]],
            alone=value["alone"],
            continue_on_failure=value["continue_on_failure"],
            datastore=value.get("datastore"),
        )


def _step(value: dict[str, Any]) -> Step:
    inputs = {name: Source(**one) for name, one in value["inputs"].items()}
    outputs = {name: Target(**one) for name, one in value["outputs"].items()}
    return Step(**{**value, "inputs": inputs, "outputs": outputs})
