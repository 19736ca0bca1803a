"""Job states under control: runs that wait in a state, for a time or for a word, that end by decree, or do not run.

Rules are in the store, so that a run that was held is held again after a restart. What was let go is in memory.
"""

from __future__ import annotations

import threading
import time
from fnmatch import fnmatchcase
from typing import Any

from localazure.workspace.processes.stopping import Stop
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Json, Refusal

STATES = ("Queued", "Preparing", "Running", "Finalizing", "Completed")
"""In the order a run goes through them; a job alone has no Queued, a pipeline no Finalizing."""
MODES = ("real", "immediate", "timed", "manual")
_FIELDS = ("job", "experiment", "step", "mode", "seconds", "run", "fail", "outputs")
_KIND, _KEY = "control", "transitions"
_LOOK_SECONDS = 0.05


class Decreed(Exception):
    """The run fails because somebody asked for it; the message is theirs."""


class Transitions:
    """Asked before every change of a run's status."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._waiting: dict[str, str] = {}
        self._let_go: dict[str, int] = {}
        self._failing: dict[str, str] = {}
        self._rules: list[Json] = (store.get(_KIND, _KEY) or {}).get("rules", [])

    def rules(self) -> list[Json]:
        return self._rules

    def set_rules(self, rules: Any) -> None:
        """In place of those there were; what waits is judged anew."""
        if not isinstance(rules, list):
            raise Refusal(400, "BadRequest", "`rules` is a list")
        for rule in rules:
            _check(rule)
        with self._changed:
            self._rules = rules
            self._store.put(_KIND, _KEY, {"rules": rules})
            self._let_go.clear()
            self._failing.clear()
            self._changed.notify_all()

    def rule(self, run: Json) -> Json:
        """The first that is for this run; an empty one when none is."""
        for rule in self._rules:
            if _is_for(rule, run):
                return rule
        return {}

    def runs_for_real(self, run: Json) -> bool:
        rule = self.rule(run)
        return bool(rule.get("run", rule.get("mode") != "immediate"))

    def hold(self, run: Json, status: str, stop: Stop) -> None:
        """Comes back when the run may go on to `status`; raises when it is to fail or to stop instead."""
        run_id, entered = run["runId"], time.monotonic()
        with self._changed:
            try:
                while not self._may_go(run, status, entered):
                    self._waiting[run_id] = status
                    self._changed.wait(_LOOK_SECONDS)
                    stop.check()
            finally:
                self._waiting.pop(run_id, None)
            self._check_failing(run, status)

    def _may_go(self, run: Json, status: str, entered: float) -> bool:
        rule = self.rule(run)
        if run["runId"] in self._failing:
            return True
        if rule.get("mode") == "manual":
            return STATES.index(status) <= self._let_go.get(run["runId"], -1)
        if rule.get("mode") == "timed":
            seconds = rule.get("seconds", 1)
            here = seconds.get(run["status"], 0) if isinstance(seconds, dict) else seconds
            return time.monotonic() >= entered + float(here)
        return True

    def _check_failing(self, run: Json, status: str) -> None:
        message = self._failing.pop(run["runId"], None)
        fail = self.rule(run).get("fail")
        if message is None and fail is not None and status == fail.get("before", "Completed"):
            message = str(fail.get("error") or "failed on request")
        if message is not None:
            raise Decreed(message)

    def told(self, run: Json) -> Json:
        return {"run": run["runId"], "status": run["status"], "waitingFor": self._waiting.get(run["runId"])}

    def move(self, run: Json, *, to: str | None, fail: str | None) -> None:
        """Lets a run that is held go: one state on, up to a state, or into failure."""
        run_id = run["runId"]
        with self._changed:
            next_one = self._waiting.get(run_id)
            if next_one is None:
                raise Refusal(409, "Conflict", f"the run {run_id} is not held; it is {run['status']}")
            if fail is not None:
                self._failing[run_id] = fail
            elif to is not None and to not in STATES:
                raise Refusal(400, "BadRequest", f"`to` {to!r}: one of {', '.join(STATES)}")
            else:
                self._let_go[run_id] = STATES.index(to or next_one)
            self._changed.notify_all()


def _is_for(rule: Json, run: Json) -> bool:
    step = run["properties"].get("azureml.nodeName", "") if run["parentRunId"] else None
    if (rule.get("step") is None) != (step is None):
        return False
    return (
        fnmatchcase(run["rootRunId"], rule.get("job", "*"))
        and fnmatchcase(run["experiment"], rule.get("experiment", "*"))
        and (step is None or fnmatchcase(step, rule["step"]))
    )


def _check(rule: Any) -> None:
    if not isinstance(rule, dict):
        raise Refusal(400, "BadRequest", "each rule is an object")
    unknown = [name for name in rule if name not in _FIELDS]
    if unknown:
        raise Refusal(400, "BadRequest", f"unknown: {', '.join(unknown)}; known: {', '.join(_FIELDS)}")
    if rule.get("mode", "real") not in MODES:
        raise Refusal(400, "BadRequest", f"`mode` {rule['mode']!r}: one of {', '.join(MODES)}")
    fail = rule.get("fail")
    if fail is not None and (not isinstance(fail, dict) or fail.get("before", "Completed") not in STATES):
        raise Refusal(400, "BadRequest", '`fail` is like {"before": "Running", "error": "no quota"}')
