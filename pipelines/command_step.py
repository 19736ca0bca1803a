"""Command components: a step of a pipeline, with the code folder and environment that all its steps share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.code import module_of

THREADS = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Threads that wait actively take the cores from whatever else the machine runs, and a sum that is cut up among threads
is another sum in its last bits: the same rows are to give the same model on any machine."""


@dataclass(frozen=True)
class Steps:
    """Makes the steps of one pipeline."""

    code: Path
    environment: str
    """azureml:<name>:<version>"""

    def __call__(
        self,
        name: str,
        line: str,
        inputs: dict[str, Any],
        output: str = "",
        *,
        kind: str = "uri_folder",
        **more: Any,
    ) -> Any:
        """name: what a run calls it. line: `python -m <module> ...`. kind: of the output"""
        from azure.ai.ml import Output, command

        return command(
            name=module_of(line).replace("pipelines", "campanha", 1).replace(".", "_"),
            display_name=name,
            code=str(self.code),
            environment=self.environment,
            command=line,
            environment_variables=THREADS,
            inputs=inputs,
            outputs={output: Output(type=kind)} if output else {},
            **more,
        )
