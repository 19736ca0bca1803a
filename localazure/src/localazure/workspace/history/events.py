"""Events to Event Grid, of runs, models, deployments: an outbox, written together with what they tell (`Store.together`),
posted until the topic takes them."""

from __future__ import annotations

import http.client
import json
import logging
import re
import ssl
import threading
import urllib.error
import urllib.request
import uuid
from functools import cached_property

from localazure import agents
from localazure.workspace.settings import Settings
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Json
from localazure.workspace.wire.timestamps import now

log = logging.getLogger(__name__)
_PENDING = "pendingEvents"
_MODEL = re.compile(r"(?:.*/models/|azureml:)?(?P<name>[^/:]+)(?:/versions/|:)(?P<version>[^/:]+)", re.I)
_SLOWEST_SECONDS = 30.0
_PAUSE_SECONDS = 1.0
"""Before the next try, when the events cannot be read or removed."""


class RunEvents:
    """One thread, in order; events that were not delivered before a kill are delivered after it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="events", daemon=True)

    def start(self) -> None:
        if self._settings.events:
            self._wake.set()
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def run_changed(self, run: Json) -> None:
        """`RunStatusChanged`, and `RunCompleted` as well when it went well."""
        if not self._settings.events:
            return
        about = {
            "experimentId": run["experimentId"],
            "experimentName": run["experiment"],
            "runId": run["runId"],
            "runType": run["runType"],
            "runTags": run["tags"],
            "runProperties": run["properties"],
        }
        subject = f"experiments/{run['experiment']}/runs/{run['runId']}"
        self._keep(subject, "RunStatusChanged", about | {"runStatus": run["status"]})
        if run["status"] == "Completed":
            self._keep(subject, "RunCompleted", about)
        self._wake.set()

    def model_registered(self, model: Json) -> None:
        """A new version of a model; a change of its tags is none. Names are those that Microsoft's own types read
        (Azure.Messaging.EventGrid); the documentation's sample begins them with capitals."""
        if not self._settings.events:
            return
        about = {
            "modelName": model["name"],
            "modelVersion": model["version"],
            "modelTags": model["properties"]["tags"],
            "modelProperties": model["properties"]["properties"],
        }
        self._keep(f"models/{model['name']}:{model['version']}", "ModelRegistered", about)
        self._wake.set()

    def model_deployed(self, deployment: Json) -> None:
        """A deployment serves that did not before, or serves something else."""
        if not self._settings.events:
            return
        model = _MODEL.fullmatch(deployment["properties"].get("model") or "")
        about = {
            "serviceName": deployment["endpoint"],
            "serviceComputeType": "Managed",
            "modelIds": f"{model['name']}:{model['version']}" if model else "",
            "serviceTags": deployment["tags"],
            "serviceProperties": {"deployment": deployment["name"]},
        }
        self._keep(f"endpoints/{deployment['endpoint']}", "ModelDeployed", about)
        self._wake.set()

    def _keep(self, subject: str, kind: str, data: Json) -> None:
        event = {
            "id": str(uuid.uuid4()),
            "topic": self._settings.resource_id,
            "subject": subject,
            "eventType": f"Microsoft.MachineLearningServices.{kind}",
            "eventTime": now(),
            "data": data,
            "dataVersion": "1.0",
            "metadataVersion": "1",
        }
        self._store.add(_PENDING, str(event["id"]), event)

    def _deliver(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._deliver_all()
            except Exception:  # the border of a thread: a full disk must not end all events for good
                log.exception("the events; they go on")
                self._stopped.wait(_PAUSE_SECONDS)
                self._wake.set()

    def _deliver_all(self) -> None:
        pause = 0.5
        while (waiting := self._store.all(_PENDING)) and not self._stopped.is_set():
            if self._post(waiting[:50]):
                pause = 0.5
            else:
                self._stopped.wait(pause)
                pause = min(pause * 2, _SLOWEST_SECONDS)

    @cached_property
    def _trust(self) -> ssl.SSLContext | None:
        """Event Grid speaks TLS where roles count; reading the authorities once is enough."""
        https = str(self._settings.events).startswith("https:")
        return ssl.create_default_context(cafile=self._settings.bundle) if https else None

    def _post(self, events: list[Json]) -> bool:
        request = urllib.request.Request(
            f"{self._settings.events}?api-version=2018-01-01",
            data=json.dumps(events).encode(),
            headers={
                "content-type": "application/json",
                "aeg-sas-key": self._settings.events_key,
                "user-agent": agents.WORKSPACE,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._trust):
                pass
        except urllib.error.HTTPError as refused:
            log.warning("the topic %s answered %s; trying again", self._settings.events, refused.code)
            return False
        except (OSError, http.client.HTTPException) as failed:
            log.info("the topic %s does not answer (%s); trying again", self._settings.events, failed)
            return False
        for event in events:
            self._store.remove(_PENDING, event["id"])
        return True
