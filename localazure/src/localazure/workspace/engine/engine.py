"""Runs jobs: a thread for each, its steps as soon as what they read is there; takes up again after a kill."""

from __future__ import annotations

import logging
import os
import queue
import threading
from itertools import count
from pathlib import Path

from localazure.workspace.engine.execution import Execution, StepFailed, step_run_id
from localazure.workspace.engine.outputs import Outputs
from localazure.workspace.engine.transitions import Decreed, Transitions
from localazure.workspace.history.runs import TERMINAL, Runs
from localazure.workspace.identity.guard import Guard
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.planning.plan import Plan, Step
from localazure.workspace.processes.children import Processes
from localazure.workspace.processes.environments import Environments
from localazure.workspace.processes.stopping import Stop, Stopped
from localazure.workspace.settings import Settings, stable_id
from localazure.workspace.store.blobs import Blobs
from localazure.workspace.store.documents import Store
from localazure.workspace.store.uris import Resolver
from localazure.workspace.wire.calls import Json
from localazure.workspace.wire.timestamps import now

log = logging.getLogger(__name__)
_AT_ONCE = max(2, os.cpu_count() or 2)
PIPELINE_LOG = "logs/azureml/executionlogs.txt"
PAUSE_SECONDS = 1.0
"""Between two tries at writing down that a job is over."""


class Engine:
    """Holds only what is under way; everything else is in the store."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        blobs: Blobs,
        runs: Runs,
        resolver: Resolver,
        processes: Processes,
        guard: Guard,
        transitions: Transitions,
    ) -> None:
        self._store, self._runs, self._processes = store, runs, processes
        self._transitions = transitions
        self._execution = Execution(
            settings=settings,
            blobs=blobs,
            runs=runs,
            resolver=resolver,
            planner=Planner(store),
            outputs=Outputs(store=store, blobs=blobs, runs=runs, resolver=resolver),
            environments=Environments(settings.environments),
            processes=processes,
            transitions=transitions,
            guard=guard,
            slots=threading.BoundedSemaphore(_AT_ONCE),
            builds=threading.BoundedSemaphore(_AT_ONCE),
        )
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._active: dict[str, Stop] = {}
        self._threads: dict[str, threading.Thread] = {}

    def folder(self, run_id: str) -> Path:
        return self._execution.folder(run_id)

    def forget(self, run_id: str) -> None:
        """What a deleted run left on disk."""
        self._execution.forget(run_id)

    def submit(self, name: str) -> None:
        """Starts the job's thread; once, however often it is asked."""
        with self._lock:
            if name in self._active:
                return
            stop = self._active[name] = Stop(self._processes)
            thread = threading.Thread(target=self._work, args=(name, stop), name=f"job {name}", daemon=True)
            self._threads[name] = thread
        thread.start()

    def cancel(self, name: str) -> None:
        """Asks a job to end; it is Canceled once its processes are gone."""
        self._runs.set_status(name, "CancelRequested")
        with self._lock:
            stop = self._active.get(name)
        if stop:
            threading.Thread(target=stop.ask, kwargs={"cancel": True}, daemon=True).start()

    def resume(self) -> None:
        """Jobs that a stop or a kill cut short go on at their first unfinished step."""
        for job in self._store.all("jobs"):
            register_runs(self._runs, job, Plan.from_json(job["plan"]))  # a kill may have come in between
        for run in self._runs.unfinished():
            if run["status"] == "CancelRequested":
                self._close(run["runId"], "Canceled")
            else:
                log.info("taking up %s again (was %s)", run["runId"], run["status"])
                self.submit(run["runId"])

    def stop(self) -> None:
        """Ends all processes; the jobs stay unfinished and go on at the next start."""
        self._stopping.set()
        with self._lock:
            stops, threads = list(self._active.values()), list(self._threads.values())
        for stop in stops:
            stop.ask(cancel=False)
        for thread in threads:
            thread.join(10)

    def end_all(self) -> None:
        """Cancels all jobs and waits for their ends."""
        with self._lock:
            active, threads = list(self._active.items()), list(self._threads.values())
        for _, stop in active:
            stop.ask(cancel=True)
        for thread in threads:
            thread.join(30)

    def _work(self, name: str, stop: Stop) -> None:
        job = self._store.get("jobs", name)
        try:
            if job is not None:
                self._run(name, Plan.from_json(job["plan"]), stop)
        except Stopped:
            if stop.cancelled:
                self._end(name, "Canceled")
        except (StepFailed, Decreed) as failed:
            self._end(name, "Failed", str(failed))
        except Exception as failed:  # the border of a thread: a job must not hang on our mistake
            log.exception("job %s", name)
            self._end(name, "Failed", f"the emulator failed: {type(failed).__name__}: {failed}")
        else:
            if job is not None:
                self._end(name, "Completed")
        finally:
            with self._lock:
                self._active.pop(name, None)
                self._threads.pop(name, None)

    def _run(self, name: str, plan: Plan, stop: Stop) -> None:
        run = self._runs.get(name)
        if plan.alone:
            self._execution.run(run, plan.steps[0], stop)
        else:
            self._move(name, "Preparing", stop)
            self._move(name, "Running", stop)
            if self._transitions.runs_for_real(run):
                self._run_steps(name, plan, stop)
            else:
                self._pass_steps(name, plan)
        self._transitions.hold(self._runs.get(name), "Completed", stop)
        stop.check()

    def _move(self, run_id: str, status: str, stop: Stop) -> None:
        self._transitions.hold(self._runs.get(run_id), status, stop)
        stop.check()
        self._runs.set_status(run_id, status)

    def _pass_steps(self, name: str, plan: Plan) -> None:
        """Somebody asked that nothing be run: the steps are over at once, the outputs are what they were told."""
        for step in plan.steps:
            self._runs.set_status(step_run_id(name, step.name), "Completed")
        self._execution.give_outputs(self._runs.get(name))

    def _run_steps(self, name: str, plan: Plan, stop: Stop) -> None:
        """Starts what is ready, waits for any to end, and so on; the first failure ends the rest.

        What an earlier life of the job left Completed or Failed stays so. Whoever stops the job from outside comes first:
        it goes on at the next start, or is cancelled.
        """
        runs = {step.name: self._runs.find(step_run_id(name, step.name)) or {} for step in plan.steps}
        done = {step for step, run in runs.items() if run.get("status") == "Completed"}
        failed = {step: run for step, run in runs.items() if run.get("status") == "Failed"}
        waiting = [step for step in plan.steps if step.name not in done | failed.keys()]
        ended: queue.Queue[tuple[Step, BaseException | None]] = queue.Queue()
        under_way, stopped_here = 0, False
        failures = [str(run["error"]["error"]["message"]) for run in failed.values()]
        while True:
            ready = [step for step in waiting if step.after <= done]
            if (failures and not plan.continue_on_failure) or stop.asked:
                ready = []
            for step in ready:
                waiting.remove(step)
                under_way += 1
                threading.Thread(target=self._run_step, args=(name, step, stop, ended), daemon=True).start()
            if not under_way:
                break
            step, problem = ended.get()
            under_way -= 1
            if problem is None:
                done.add(step.name)
            elif not isinstance(problem, Stopped):
                failures.append(f"step {step.name!r} failed: {problem}")
                if not plan.continue_on_failure and not stop.asked:
                    stopped_here = True
                    stop.ask(cancel=False)
        if not stopped_here:
            stop.check()
        if failures:
            raise StepFailed(failures[0])

    def _run_step(
        self, name: str, step: Step, stop: Stop, ended: queue.Queue[tuple[Step, BaseException | None]]
    ) -> None:
        run_id = step_run_id(name, step.name)
        problem: BaseException | None = None
        try:
            self._move(run_id, "Queued", stop)
            self._say(name, f"step {step.name} ({run_id}) starts")
            self._execution.run(self._runs.get(run_id), step, stop)
            self._move(run_id, "Completed", stop)
            self._say(name, f"step {step.name} completed")
        except Stopped as stopped:
            problem = stopped
        except Exception as failed:  # the border of a thread: the pipeline's thread decides
            problem = failed
            if not isinstance(failed, StepFailed | Decreed):
                log.exception("step %s of %s", step.name, name)
            self._runs.set_status(run_id, "Failed", error=f"step {step.name!r} failed: {failed}")
            self._say(name, f"step {step.name} failed: {failed}")
        finally:
            ended.put((step, problem))

    def _say(self, name: str, line: str) -> None:
        file = self.folder(name) / PIPELINE_LOG
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as written:
            written.write(f"[{now()}] {line}\n")

    def _end(self, name: str, status: str, error: str | None = None) -> None:
        """Closes the job once that can be written down: on a full disk, or without storage, it is tried until it can."""
        for tries in count():
            try:
                return self._close(name, status, error)
            except Exception:  # as above: its thread is the last that knows of its end
                if not tries:
                    log.exception("the end of job %s (%s) cannot be written down yet", name, status)
            if self._stopping.wait(PAUSE_SECONDS):
                break  # it is taken up at the next start
        return None

    def _close(self, name: str, status: str, error: str | None = None) -> None:
        """The job's end, and that of every step that will not run any more."""
        for child in self._runs.children(name):
            if child["status"] not in TERMINAL:
                self._runs.set_status(child["runId"], "Canceled")
        if (self.folder(name) / PIPELINE_LOG).exists():
            self._execution.keep_logs(name)
        self._runs.set_status(name, status, error=error)


def register_runs(runs: Runs, job: Json, plan: Plan) -> None:
    """The job's run and its steps' runs, all before anything starts."""
    name = job["name"]
    about = {
        "displayName": job["properties"].get("displayName") or name,
        "description": job["properties"].get("description"),
        "tags": job["tags"],
        "properties": job["properties"].get("properties") or {},
    }
    experiment = job["properties"].get("experimentName") or "Default"
    kind = "azureml.CommandRun" if plan.alone else "azureml.PipelineRun"
    kind = "automl" if plan.alone and plan.steps[0].automl else kind
    runs.create(name, parent=None, experiment=experiment, run_type=kind, **about)
    if plan.alone:
        return
    for step in plan.steps:
        runs.create(
            step_run_id(name, step.name),
            parent=name,
            experiment=experiment,
            run_type="automl" if step.automl else "azureml.StepRun",
            displayName=step.display,
            properties=_step_properties(name, step),
        )


def _step_properties(job: str, step: Step) -> dict[str, str]:
    """What Azure says of a step's run, as far as it is so here; clients look for steps by `azureml.moduleName`."""
    return {
        "azureml.nodeName": step.name,
        "azureml.nodeid": step_run_id(job, step.name),
        "azureml.moduleName": step.module or step.name,
        "azureml.moduleid": stable_id("module", step.component or step.name),
        "azureml.runsource": "azureml.StepRun",
        "azureml.pipeline": job,
        "azureml.pipelinerunid": job,
        "azureml.rootpipelinerunid": job,
        "StepType": "AutoMLStep" if step.automl else "PythonScriptStep",
        "ContentSnapshotId": step.code or "",
    }
