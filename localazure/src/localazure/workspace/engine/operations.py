"""Long-running operations: answered at once, by and by, or as long as what they do; by switch."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from localazure.workspace.settings import LOCATION, Settings
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, not_found
from localazure.workspace.wire.timestamps import now

MODES = ("natural", "sync", "async")
_KIND, _CONTROL = "operations", "control"
_LONGEST_SECONDS = 1800.0

Check = Callable[[Json], tuple[str, str | None]]
"""How far the subject of an operation is: InProgress, Succeeded or Failed, and what went wrong."""


class Operations:
    """`natural`: what takes time says so; `sync`: answers wait for the end; `async`: all of them take time."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._checks: dict[str, Check] = {}

    def settings(self) -> Json:
        return self._store.get(_CONTROL, _KIND) or {"mode": "natural", "seconds": 1.0}

    def set(self, mode: str, seconds: float) -> None:
        if mode not in MODES or seconds < 0:
            raise Refusal(
                400, "BadRequest", f"`mode` is one of {', '.join(MODES)}, `seconds` a number from 0"
            )
        self._store.put(_CONTROL, _KIND, {"mode": mode, "seconds": seconds})

    def watch(self, kind: str, check: Check) -> None:
        """Says how operations of a kind are looked at; once, when the workspace is put together."""
        self._checks[kind] = check

    def begin(
        self, kind: str, subject: Json, *, path: str = "", fails: str | None = None, lasts: float = 0.0
    ) -> Json:
        """Writes it down, so that it can be asked for after a restart too. lasts: seconds that it takes at least"""
        seconds = float(self.settings()["seconds"]) if self.settings()["mode"] == "async" else lasts
        operation: Json = {
            "name": str(uuid.uuid4()),
            "kind": kind,
            "subject": subject,
            "path": path.lower(),
            "begun": now(),
            "due": time.time() + seconds,
            "fails": fails,
        }
        self._store.add(_KIND, operation["name"], operation, family=path.lower())
        return operation

    def headers(self, operation: Json) -> dict[str, str]:
        """Where to ask, and how soon: without Retry-After the SDK would wait for half a minute."""
        of = self._settings
        at = (
            f"{of.base}/subscriptions/{of.subscription}/providers/Microsoft.MachineLearningServices"
            f"/locations/{LOCATION}"
        )
        return {
            "Azure-AsyncOperation": f"{at}/mfeOperationsStatus/{operation['name']}",
            "Location": f"{at}/mfeOperationResults/{operation['name']}",
            "Retry-After": "1",
        }

    def state(self, operation: Json) -> tuple[str, str | None]:
        if time.time() < operation["due"]:
            return "InProgress", None
        if operation["fails"]:
            return "Failed", str(operation["fails"])
        check = self._checks.get(operation["kind"])
        return check(operation["subject"]) if check else ("Succeeded", None)

    def find(self, name: str) -> Json:
        found = self._store.get(_KIND, name)
        if found is None:
            raise not_found("operation", name)
        return found

    def wait(self, operation: Json) -> None:
        """For the end; raises when it is a bad one."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        while (state := self.state(operation))[0] == "InProgress":
            if time.monotonic() > deadline:
                raise Refusal(504, "GatewayTimeout", f"the operation {operation['name']} takes too long")
            time.sleep(0.1)
        if state[0] == "Failed":
            raise Refusal(400, "ResourceOperationFailure", str(state[1]))

    def answered(self, call: Call, reply: Reply, *, lasts: float = 0.0) -> Reply:
        """A change that is done, told as one that has only begun; as it is, unless that was asked for."""
        slow = self.settings()["mode"] == "async" or call.operation_fails or lasts
        if not slow and reply.status < 300:
            self._make_past(call.path)
        if not slow or reply.status >= 300 or "Azure-AsyncOperation" in reply.headers:
            return reply
        operation = self.begin("done", {}, path=call.path, fails=call.operation_fails, lasts=lasts)
        reply.headers |= self.headers(operation)
        if isinstance(reply.body, dict) and "properties" in reply.body:
            word = "Creating" if reply.status == 201 else "Updating"
            reply.body["properties"] = reply.body["properties"] | {"provisioningState": word}
        else:
            reply.status = 202
        return reply

    def _make_past(self, path: str) -> None:
        """A change that is done at once says what became of a resource; operations before it do no more."""
        for operation in self._store.all(_KIND, family=path.lower()):
            if not operation.get("past"):
                self._store.change(_KIND, operation["name"], lambda one: one.update(past=True))

    def seen(self, call: Call, reply: Reply) -> Reply:
        """A resource that is read while its operation is under way, or has failed, says so."""
        operations = [
            one
            for one in self._store.all(_KIND, family=call.path.lower(), newest_first=True)
            if not one.get("past")
        ]
        if not operations or not isinstance(reply.body, dict) or "properties" not in reply.body:
            return reply
        if operations[0]["kind"] == "deployment" and not operations[0]["fails"]:
            return reply  # it knows better itself
        state, _ = self.state(operations[0])
        if state != "Succeeded":
            word = "Updating" if state == "InProgress" else "Failed"
            reply.body["properties"] = reply.body["properties"] | {"provisioningState": word}
        return reply

    def status(self, call: Call) -> Reply:
        """The body that `Azure-AsyncOperation` points at."""
        operation = self.find(call.names["operation"])
        state, problem = self.state(operation)
        body: Json = {
            "id": call.path,
            "name": operation["name"],
            "status": state,
            "startTime": operation["begun"],
            "percentComplete": 100 if state == "Succeeded" else 0,
        }
        if state == "Failed":
            body["error"] = {"code": "ResourceOperationFailure", "message": problem}
        return Reply(body=body, headers={"Retry-After": "1"} if state == "InProgress" else {})

    def result(self, call: Call) -> Reply:
        """What `Location` points at: 202 until it is over."""
        operation = self.find(call.names["operation"])
        state, problem = self.state(operation)
        if state == "InProgress":
            return Reply(status=202, headers=self.headers(operation))
        if state == "Failed":
            raise Refusal(400, "ResourceOperationFailure", str(problem))
        return Reply()
