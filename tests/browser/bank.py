"""A bank's fortnight, as the status API tells it: what the browser tests and the screenshots look at.

The same shapes as the real API's answers, with more in them than a demo leaves behind: eight dataset versions,
refusals, a roll-back, drift, files in quarantine (one with a name made of HTML), a batch under way.
"""

from __future__ import annotations

import hashlib
import importlib
import random
import sys
from datetime import datetime, timedelta
from typing import Any

from functions.http.views.records import address
from shared.domain.audit import chained

Json = dict[str, Any]

DATASET = "bank-additional"
SOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/campanha"
ENDPOINT = f"campanha-{DATASET}"
EVIL = "<img src=x onerror=document.title='broken'>.csv"
"""A blob's name that must stay text wherever it is shown."""

STEPS = (("prepare", 2.2), ("train", 5.9), ("evaluate", 1.6), ("register", 1.1))
COLUMNS = (
    "euribor3m", "nr.employed", "emp.var.rate", "cons.conf.idx", "month", "cons.price.idx", "poutcome", "pdays",
    "contact", "age", "job", "day_of_week",
)  # fmt: skip
MODELS: tuple[tuple[str, float, int, float, float, float | None, float | None], ...] = (
    # state, age in hours, rows, log loss, auc, difference to the serving model, probability better
    ("previous", 318, 4120, 0.3145, 0.7621, None, None),
    ("previous", 271, 8250, 0.3021, 0.7718, -0.0124, 0.99),
    ("refused", 226, 9010, 0.3030, 0.7705, 0.0009, 0.31),
    ("previous", 174, 15480, 0.2933, 0.7834, -0.0088, 1.00),
    ("rolled-back", 129, 18020, 0.2902, 0.7861, -0.0031, 0.93),
    ("refused", 88, 18560, 0.2941, 0.7829, 0.0008, 0.38),
    ("released", 41, 24700, 0.2817, 0.7940, -0.0116, 1.00),
)
SERVING = 7
TRAINING = 8
DOUBTED = 6


class Clock:
    """Times before now, in the API's form."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def ago(self, hours: float = 0, seconds: float = 0) -> str:
        moment = self.now - timedelta(hours=hours, seconds=seconds)
        return moment.isoformat(timespec="milliseconds")


def bank(now: datetime) -> dict[str, list[Json]]:
    """Every collection of the API, newest first."""
    clock = Clock(now)
    models = [_model(clock, version, about) for version, about in enumerate(MODELS, start=1)]
    runs = [_run(clock, model) for model in models]
    runs += [_running(clock), _failed_run(clock), _scoring_run(clock)]
    collections = {
        "uploads": _uploads(clock),
        "datasets": _datasets(clock, models),
        "runs": runs,
        "models": models,
        "batches": _batches(clock),
        "deployments": _deployments(clock),
        "failures": [_failure(clock)],
        "alerts": _alerts(clock),
    }
    collections["quarantine"] = [
        _held(upload) for upload in collections["uploads"] if "quarantine" in upload["links"]
    ]
    for records in collections.values():
        records.sort(key=lambda record: str(record["createdAt"]), reverse=True)
    collections["events"] = _events(collections)
    collections["audit"] = _audit(clock)
    return collections


def flow() -> list[Json]:
    """The real table of the product, with counts of a fortnight."""
    counts = {
        "admit_upload": 46, "gather_uploads": 38, "register_dataset": 9, "start_run": 11, "follow_run": 118,
        "judge_run": 8, "release_model": 14, "close_run": 8, "find_batches": 318, "plan_batch": 27,
        "score_shard": 1204, "seal_batch": 1198, "reconcile": 640,
    }  # fmt: skip
    open_now = {"follow_run": 1, "score_shard": 3}
    return [
        {
            "step": rule.do.__name__,
            "when": [fact.__name__ for fact in rule.when],
            "leadsTo": [fact.__name__ for fact in rule.leads_to],
            "description": (sys.modules[rule.do.__module__].__doc__ or "").strip().partition("\n")[0],
            "doneCount": counts.get(rule.do.__name__, 0),
            "openCount": open_now.get(rule.do.__name__, 0),
        }
        for rule in importlib.import_module("shared.flow").FLOW
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def upload_id(name: str) -> str:
    """As the real app makes it: one version of a blob."""
    return f"upload/{name}/0x{_digest(name)[:14].upper()}"


def _record(kind: str, id_: str, moves: list[list[str]], **values: Any) -> Json:
    """moves: each a state, and when it was entered"""
    history = [{"state": state, "enteredAt": time} for state, time in moves]
    head = {"id": id_, "kind": kind, "state": moves[-1][0], "seq": len(moves), "traceId": _digest(id_)[:32]}
    times = {"createdAt": moves[0][1], "lastModifiedAt": moves[-1][1], "history": history}
    links = {**values["links"], "self": address(kind, id_, values.get("name"))}
    return {**head, **times, **values, "links": links}


# --- training -----------------------------------------------------------------------------------------------


About = tuple[str, float, int, float, float, float | None, float | None]


def _run_id(version: int) -> str:
    return f"{DATASET}-v{version}-a1"


def _model(clock: Clock, version: int, about: About) -> Json:
    state, hours, rows, log_loss, auc, difference, sure = about
    run = _run_id(version)
    verdict = "refused" if state == "refused" else "accepted"
    history = [[verdict, clock.ago(hours)]]
    values: Json = {"dataset": DATASET, "version": version, "run": run}
    if verdict == "accepted":
        history.append(["released", clock.ago(hours, -48)])
        deployment = f"model-{version}"
        values |= {"deployment": deployment, "releasedAt": clock.ago(hours, -48)}
    if state in ("previous", "rolled-back"):
        history.append([state, clock.ago(hours - 6)])
    if state == "rolled-back":
        values["rolledBackAt"] = clock.ago(hours - 6)
    values["metrics"] = _figures(log_loss, auc, rows)
    values["baseline"] = {"logLoss": 0.3568}
    values["drift"] = _drift(version)
    reason = f"first model: log loss {log_loss:.4f}, better than the base rate's 0.3568"
    if difference is not None and sure is not None:
        low, high = difference - 0.0052, difference + 0.0049
        against = {2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4}[version]
        values["championMetrics"] = _figures(log_loss - difference, auc + difference * 0.7, rows)
        values["comparison"] = {
            "logLossDifference": difference, "low": low, "high": high, "probabilityBetter": sure,
            "aucDifference": -difference * 0.7, "profitDifference": round(-difference * 61000), "resamples": 1000,
        }  # fmt: skip
        values["champion"] = against
        enough = "at least" if sure >= 0.9 else "below"
        reason = (
            f"log loss {difference:+.4f} [{low:+.4f}, {high:+.4f}] against model {against} on the same"
            f" {rows // 5} rows; better with probability {sure:.2f}, {enough} the 0.90 asked for"
        )
    if state == "rolled-back":
        reason = "two of the 20 golden rows were answered differently behind the endpoint"
    links = {"run": f"/api/runs/{run}", "dataset": f"/api/datasets/{DATASET}/{version}"}
    return _record("model", f"{DATASET}:{version}", history, **values, reason=reason, links=links)


def _figures(log_loss: float, auc: float, rows: int) -> Json:
    held_out = rows // 5
    return {
        "logLoss": round(log_loss, 4), "auc": round(auc, 4), "averagePrecision": round(auc * 0.58, 4),
        "profit": round(held_out * 2.9), "calls": round(held_out * 0.31), "rows": held_out,
    }  # fmt: skip


def _drift(version: int) -> list[Json]:
    chance = random.Random(11)
    found = []
    for place, column in enumerate(COLUMNS):
        slope = max(0.0, 0.055 - place * 0.0065)
        psi = 0.004 + slope * version * (1 + chance.uniform(-0.25, 0.25)) + chance.uniform(0, 0.012)
        if column == "month":
            psi += 0.09 * (version % 3)
        found.append({"column": column, "psi": round(psi, 4)})
    return found


def _run(clock: Clock, model: Json) -> Json:
    created = datetime.fromisoformat(model["createdAt"])
    began = created - timedelta(seconds=14 + model["version"])
    steps, at = [], began + timedelta(seconds=1)
    for name, seconds in STEPS:
        ended = at + timedelta(seconds=seconds * (1 + 0.08 * model["version"]))
        steps.append(
            {"name": name, "status": "Completed", "startedAt": at.isoformat(), "endedAt": ended.isoformat()}
        )
        at = ended
    verdict = str(model["history"][0]["state"])
    history = [
        ["started", began.isoformat()],
        ["running", steps[0]["startedAt"]],
        [verdict, model["createdAt"]],
    ]
    return _record(
        "run", model["run"], history, dataset=DATASET, version=model["version"], model=model["id"],
        reason=model["reason"], steps=steps, links={"model": f"/api/models/{DATASET}/{model['version']}"},
    )  # fmt: skip


def _running(clock: Clock) -> Json:
    steps = [
        {
            "name": "prepare",
            "status": "Completed",
            "startedAt": clock.ago(seconds=19),
            "endedAt": clock.ago(seconds=15),
        },
        {"name": "train", "status": "Running", "startedAt": clock.ago(seconds=15)},
        {"name": "evaluate", "status": "NotStarted"},
        {"name": "register", "status": "NotStarted"},
    ]
    history = [["started", clock.ago(seconds=21)], ["running", clock.ago(seconds=19)]]
    run = _run_id(TRAINING)
    return _record("run", run, history, dataset=DATASET, version=TRAINING, steps=steps, links={})


def _failed_run(clock: Clock) -> Json:
    at = 150.0
    steps = [
        {"name": "prepare", "status": "Failed", "startedAt": clock.ago(at, 8), "endedAt": clock.ago(at, 5)},
        {"name": "train", "status": "NotStarted"},
    ]
    history = [["started", clock.ago(at, 10)], ["running", clock.ago(at, 8)], ["failed", clock.ago(at, 4)]]
    reason = "prepare failed: the compute ran out of disk (No space left on device)"
    return _record(
        "run", "bank-v1-a1", history, dataset="bank", version=1, steps=steps, reason=reason, links={}
    )


def _scoring_run(clock: Clock) -> Json:
    """A large file of clients, scored on a cluster."""
    at = 250.0
    steps = [
        {
            "name": "score",
            "status": "Completed",
            "startedAt": clock.ago(at, -4),
            "endedAt": clock.ago(at, -11),
        }
    ]
    history = [
        ["started", clock.ago(at, -2)],
        ["running", clock.ago(at, -4)],
        ["completed", clock.ago(at, -11)],
    ]
    return _record(
        "run", f"{_batch_id(1)}-a1", history, batch=_batch_id(1), dataset=DATASET, version=2, model=f"{DATASET}:2",
        status="Completed", steps=steps, links={},
    )  # fmt: skip


def _datasets(clock: Clock, models: list[Json]) -> list[Json]:
    found = []
    for model in models:
        began = datetime.fromisoformat(model["createdAt"]) - timedelta(seconds=40)
        history = [
            ["registered", began.isoformat()],
            ["training", began.isoformat()],
            ["trained", model["createdAt"]],
        ]
        rows = model["metrics"]["rows"] * 5
        found.append(
            _record(
                "dataset",
                model["id"],
                history,
                dataset=DATASET,
                version=model["version"],
                rows=rows,
                uploads=[upload_id(f"calls-2026-w{38 + model['version']}.csv")],
                run=model["run"],
                model=model["id"],
                links={},
            )
        )
    _doubt(found[DOUBTED - 1], clock)
    history = [["registered", clock.ago(seconds=26)], ["training", clock.ago(seconds=21)]]
    found.append(
        _record(
            "dataset",
            f"{DATASET}:{TRAINING}",
            history,
            dataset=DATASET,
            version=TRAINING,
            rows=28940,
            uploads=[upload_id("calls-2026-w46.csv"), upload_id("branch-porto-extra.csv")],
            run=_run_id(TRAINING),
            links={},
        )
    )
    failed = [["registered", clock.ago(150.01)], ["failed", clock.ago(150, 4)]]
    about: Json = {
        "dataset": "bank",
        "version": 1,
        "rows": 2713,
        "uploads": [],
        "run": "bank-v1-a1",
        "links": {},
    }
    found.append(_record("dataset", "bank:1", failed, **about))
    return found


def _doubt(dataset: Json, clock: Clock) -> None:
    """Its new rows have their labels inverted."""
    reason = "what was learned before ranks these 540 rows the wrong way round: AUC 0.206, at most 0.281"
    remedy = (
        f"if they are right, say so: ./dev datasets {dataset['id']} --trust --reason WHY; if they are not, take their"
        " upload out: ./dev uploads NAME --withdraw --reason WHY"
    )
    doubt = {
        "version": dataset["version"], "kind": "labels inverted", "reason": reason, "remedy": remedy,
        "measure": "AUC of what was learned", "came": 0.206, "expected": 0.741, "plausibleLow": 0.375,
    }  # fmt: skip
    dataset |= {"state": "doubted", "doubtedBecause": reason, "remedy": remedy, "doubts": [doubt]}
    dataset["history"].append({"state": "doubted", "enteredAt": clock.ago(87)})


# --- files --------------------------------------------------------------------------------------------------


def _uploads(clock: Clock) -> list[Json]:
    found = []
    for version, (_, hours, rows, *_rest) in enumerate(MODELS, start=1):
        rejected = 37 if version == 4 else 0
        found.append(_admitted(clock, f"calls-2026-w{38 + version}.csv", hours, rows, rejected, version))
    found.append(_admitted(clock, "calls-2026-w46.csv", 0.03, 3120, 12, TRAINING))
    found.append(_admitted(clock, "branch-porto-extra.csv", 0.02, 1120, 0, TRAINING))
    known = [["arrived", clock.ago(40.6)], ["duplicate", clock.ago(40.59)]]
    found.append(
        _record(
            "upload",
            upload_id("calls-2026-w45 (copy).csv"),
            known,
            name="calls-2026-w45 (copy).csv",
            dataset=DATASET,
            rows=24700,
            sameAs=upload_id("calls-2026-w45.csv"),
            etag="0x8DE0A",
            sha256=_digest("calls-2026-w45.csv"),
            links={},
        )
    )
    found.append(_rejected(clock, EVIL, 20, "no column of the file is in any contract"))
    found.append(
        _rejected(
            clock,
            "leads-from-crm.csv",
            3.2,
            "none of the 2,408 rows fits the contract; most often (2,391 times): age: not an integer",
        )
    )
    arrived = [["arrived", clock.ago(seconds=4)]]
    found.append(
        _record(
            "upload", upload_id("branch-faro.csv"), arrived, name="branch-faro.csv", etag="0x8DE0C", links={}
        )
    )
    return found


def _admitted(clock: Clock, name: str, hours: float, rows: int, rejected: int, version: int) -> Json:  # noqa: PLR0917
    history = [["arrived", clock.ago(hours + 0.02)], ["admitted", clock.ago(hours + 0.019)]]
    history.append(["registered", clock.ago(hours + 0.015)])
    links = {"quarantine": f"/api/quarantine/{name}"} if rejected else {}
    return _record(
        "upload", upload_id(name), history, name=name, etag="0x8DE01", dataset=DATASET, rows=rows, rejectedRows=rejected,
        contentHash=_digest(f"rows of {name}"), sha256=_digest(name), datasetVersion=f"{DATASET}:{version}", links=links,
        **({"driftModelVersion": version - 1, **_upload_drift(rows, version)} if version > 1 else {}),
    )  # fmt: skip


def _rejected(clock: Clock, name: str, hours: float, reason: str) -> Json:
    history = [["arrived", clock.ago(hours)], ["rejected", clock.ago(hours, -1)]]
    return _record(
        "upload", upload_id(name), history, name=name, etag="0x8DE0B", reason=reason,
        links={"quarantine": f"/api/quarantine/{name}"},
    )  # fmt: skip


def _held(upload: Json) -> Json:
    """What quarantine holds of an upload: all of it, or some rows."""
    whole = upload["state"] == "rejected"
    about = {"reason": upload["reason"]} if whole else {}
    return _record(
        "quarantine", upload["id"], [["held", upload["lastModifiedAt"]]], name=upload["name"], upload=upload["id"],
        rows=2408 if whole else upload["rejectedRows"], wholeFile=whole, links=upload["links"], **about,
    )  # fmt: skip


def quarantined(upload: Json) -> Json:
    """Why the rows of an upload were put aside."""
    name, report = upload["name"], f"quarantine/{upload['name']}/report.json"
    about = {"upload": upload, "decision": _held(upload), "reportBlob": report}
    if name == EVIL:
        violation = {
            "line": 1,
            "column": "",
            "value": EVIL,
            "rule": "no header of any contract",
            "remedy": "name the columns",
        }
        return {
            **about,
            "violationsByRule": {violation["rule"]: 1},
            "violations": [violation],
            "hasMore": False,
        }
    remedy = "write digits only, such as 42"
    violations = [
        {"line": line, "column": "age", "value": value, "rule": "not an integer", "remedy": remedy}
        for line, value in enumerate(["41 years", "thirty", "n/a", "37.5", "=2+3", "fifty-two"] * 6, start=2)
    ]
    violations += [
        {"line": 40 + n, "column": "job", "value": "Admin", "rule": "not one of: admin., blue-collar, ...",
         "remedy": "write 'admin.'"}
        for n in range(5)
    ]  # fmt: skip
    violations.append({"line": 77, "column": "", "value": 'x;"y', "rule": 'a quote (") is opened and not closed',
                 "remedy": "remove the quote, or close it"})  # fmt: skip
    by_rule = {"age: not an integer": 2391, "job: not one of: admin., blue-collar, ...": 212,
               'a quote (") is opened and not closed': 9}  # fmt: skip
    return {**about, "violationsByRule": by_rule, "violations": violations, "hasMore": True}


# --- drift --------------------------------------------------------------------------------------------------


def _file_drift(rows: int, seed: int) -> Json:
    """What is known of the drift of a file of so many rows: the month's own columns moved."""
    chance = random.Random(seed)
    columns = []
    for column in COLUMNS:
        moves = column in (
            "euribor3m",
            "nr.employed",
            "emp.var.rate",
            "cons.conf.idx",
            "cons.price.idx",
            "month",
        )
        psi = round(chance.uniform(0.12, 2.4) if moves else chance.uniform(0.002, 0.07), 4)
        columns.append(
            {
                "column": column,
                "psi": psi,
                "limit": 0.1,
                "moved": psi > 0.1,
                "newShare": 1.0 if column == "month" else 0.0,
            }
        )
    columns.sort(key=lambda column: -float(str(column["psi"])))
    loss = round(rows * 0.61, 2)
    cost = {
        "rows": rows, "answers": 3120, "worthPerClient": 2.41, "judgedWorthPerClient": 3.02, "worthDifferenceLow": -0.71,
        "worthDifferenceHigh": -0.51, "loss": loss, "lossLow": round(loss * 0.12, 2), "lossHigh": round(loss * 1.94, 2),
        "lossProbability": 0.98, "aheadClients": 31_400, "aheadDays": 5.2, "lossAhead": 19_154.0,
        "lossAheadLow": 2298.48, "lossAheadHigh": 37_158.76,
    }  # fmt: skip
    return {"drift": columns, "scoreDrift": {"psi": 0.164, "limit": 0.1, "moved": True}, "driftCost": cost}


def _upload_drift(rows: int, seed: int) -> Json:
    found = _file_drift(rows, seed)
    return {"columnDrift": found.pop("drift"), **found}


# --- scoring ------------------------------------------------------------------------------------------------


def _batches(clock: Clock) -> list[Json]:
    found = []
    for number, (hours, version, rows) in enumerate(
        [(250, 2, 8000), (160, 4, 12000), (85, 4, 12500), (30, 7, 20000), (8, 7, 21250)], start=1
    ):
        found.append(_scored(clock, number, hours, version, rows))
    scoring = [["due", clock.ago(seconds=95)], ["scoring", clock.ago(seconds=92)]]
    found.append(
        _record(
            "batch",
            "to-call-november-csv-6f2c0a51",
            scoring,
            name="to-call-november.csv",
            dataset=DATASET,
            modelVersion=SERVING,
            deployment=f"model-{SERVING}",
            rows=262_144,
            rejectedRows=3,
            shards=40,
            shardsScored=25,
            sizeBytes=29_360_128,
            scoredBytes=18_350_080,
            rowsPerSecond=2849,
            etaSeconds=55,
            startedAt=clock.ago(seconds=92),
            links={},
        )
    )
    due = [["due", clock.ago(seconds=12)]]
    about: Json = {
        "name": "to-call-islands.csv",
        "dataset": DATASET,
        "sizeBytes": 1_204_224,
        "scoredBytes": 0,
        "links": {},
    }
    found.append(_record("batch", "to-call-islands-csv-0a51b3c2", due, **about))
    refused = [["due", clock.ago(52)], ["refused", clock.ago(52, -2)]]
    found.append(
        _record(
            "batch",
            "old-export-csv-77aa10de",
            refused,
            name="old-export.csv",
            dataset=DATASET,
            links={},
            reason="the file lacks the columns euribor3m, nr.employed; every scoring file needs them",
        )
    )
    return found


RATES = (0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.14, 0.2, 0.32, 0.5)
"""By decile of the scores, what share of the clients buys."""


def _batch_id(number: int) -> str:
    return f"to-call-w{40 + number}-csv-{_digest(str(number))[:8]}"


def _scored(clock: Clock, number: int, hours: float, version: int, rows: int) -> Json:
    id_ = _batch_id(number)
    shares = (0.31, 0.19, 0.13, 0.1, 0.08, 0.06, 0.05, 0.04, 0.025, 0.015)
    counts = [round(rows * share) for share in shares]
    history = [
        ["due", clock.ago(hours)],
        ["scoring", clock.ago(hours, -2)],
        ["scored", clock.ago(hours, -12)],
    ]
    folder = f"scored/{id_}"
    return _record(
        "batch", id_, history, name=f"to-call-w{40 + number}.csv", dataset=DATASET, modelVersion=version,
        deployment=f"model-{version}", rows=rows, rejectedRows=2 * number, shards=4, shardsScored=4,
        sizeBytes=rows * 112, scoredBytes=rows * 112, rowsPerSecond=round(rows / 9.4), startedAt=clock.ago(hours, -2),
        sealedAt=clock.ago(hours, -12), output=f"{folder}/scored.csv", parquet=f"{folder}/scored.parquet",
        manifest=f"{folder}/manifest.json", decileCounts=counts, links={}, **_outcomes(folder, rows, counts),
        **_file_drift(rows, 100 + number),
    )  # fmt: skip


def _outcomes(folder: str, rows: int, counts: list[int]) -> Json:
    """What is expected of a batch, and came of the calls."""
    deciles = [
        {
            "decile": place + 1, "rows": called, "expectedDeposits": round(called * rate, 2),
            "deposits": round(called * rate * 0.9), "calls": called,
            "expectedMoney": round(called * rate * 80 - called * 10, 2),
            "money": round(called * rate * 0.9) * 80 - called * 10,
        }
        for place, (count, rate) in enumerate(zip(counts, RATES, strict=True))
        if (called := count // (1 if place > 4 else 20))
    ]  # fmt: skip

    def figures(deposits: str, money: str, auc: float, log_loss: float) -> Json:
        sums = {
            name: round(sum(one[name] for one in deciles), 2) for name in ("rows", "calls", deposits, money)
        }
        told = {
            "rows": sums["rows"],
            "calls": sums["calls"],
            "deposits": sums[deposits],
            "money": sums[money],
        }
        return {**told, "auc": auc, "logLoss": log_loss}

    expected = sum(count * rate for count, rate in zip(counts, RATES, strict=True))
    listed = sum(one["rows"] for one in deciles)
    return {
        "expected": {
            "rows": rows, "deposits": round(expected, 1), "depositsLow": round(expected * 0.9, 1),
            "depositsHigh": round(expected * 1.1, 1), "auc": 0.788, "logLoss": 0.2817, "calls": rows // 4,
            "money": round(expected * 30, 2),
        },
        "callList": {
            "blob": f"{folder}/call-list.csv", "manifest": f"{folder}/call-list.json", "calls": listed,
            "deposits": round(expected * 0.7, 2), "money": round(expected * 25, 2),
            "leftOut": [{"reason": "do-not-call", "rows": 12}, {"reason": "not-worth-a-call", "rows": rows - listed - 12}],
        },
        "outcomes": {
            "files": 2, "rows": listed, "correctedRows": 1, "calibrationError": 0.021, "deciles": deciles,
            "expected": figures("expectedDeposits", "expectedMoney", 0.781, 0.4104),
            "realised": figures("deposits", "money", 0.764, 0.4231),
            "joined": f"{folder}/outcomes/joined-{_digest(folder)[:32]}.parquet",
        },
    }  # fmt: skip


def rows_of(batch: Json, most: int = 50) -> Json:
    """The first rows of a batch's output, as text: what was asked, then what the model said."""
    chance = random.Random(3)
    columns = ["id", "age", "job", "month", "probability", "decile", "decision", "model_version", "problem"]
    rows = []
    for line in range(2, 2 + most):
        probability = round(chance.betavariate(1, 6), 6)
        decision = "call" if probability >= 0.125 else "skip"
        job = chance.choice(["admin.", "technician", "retired", "student", "'=cmd()"])
        cells = [line, chance.randint(19, 78), job, "nov", probability, chance.randint(1, 10), decision]
        rows.append([*map(str, cells), str(batch["modelVersion"]), ""])
    return {"columns": columns, "rows": [{"cells": row} for row in rows]}


def _deployments(clock: Clock) -> list[Json]:
    def one(version: int, traffic: int, state: str, health: Json | None, hours: float) -> Json:
        name = f"model-{version}"
        values: Json = {"endpoint": ENDPOINT, "deployment": name, "dataset": DATASET, "version": version}
        values |= {"trafficPercent": traffic, "releasedAt": clock.ago(hours), "links": {}}
        if health:
            values["health"] = health
        return _record("deployment", f"{ENDPOINT}/{name}", [[state, clock.ago(hours)]], **values)

    serving = {"status": "pass", "p50Ms": 8.4, "p95Ms": 19.7, "requests": 4211, "errors": 0}
    return [one(SERVING, 100, "serving", serving, 41), one(4, 0, "standby", None, 174)]


# --- what happened, and what needs a person -------------------------------------------------------------------


def _failure(clock: Clock) -> Json:
    return _record(
        "failure", _digest("given up")[:32], [["dead-lettered", clock.ago(5.5)]], queue="steps",
        about="release_model bank-additional:5",
        reason="the step failed 5 times; last: the endpoint answered 429 (quota of the instance type is used up)",
        links={},
    )  # fmt: skip


def _alerts(clock: Clock) -> list[Json]:
    late, failed, held = clock.ago(2.2), clock.ago(5.5), clock.ago(30)
    return [
        _record(
            "alert", "file-late-1f0c2a9b7d31", [["raised", late]], name="file-late", severity="page",
            title="An expected file has not come", dataset=DATASET, startedAt=late, affectedCount=1,
            mend="./dev drop FILE",
            says=f"no file of {DATASET} was admitted, expected by 08:00 (Europe/Lisbon); the last came a day before",
            links={},
        ),
        _record(
            "alert", "step-failed-77b1e0c4d2aa", [["raised", failed]], name="step-failed", severity="page",
            title="A step was given up", startedAt=failed, affectedCount=3, mend="./dev failures --retry-all",
            says="3 of them; the first: release_model bank-additional:5 was dead-lettered: a person is needed: the endpoint"
            " answered 429 (quota of the instance type is used up)", links={},
        ),
        _record(
            "alert", "rows-quarantined-0aa1b2c3d4e5", [["raised", held], ["over", clock.ago(20)]],
            name="rows-quarantined", severity="ticket", title="Files or rows are in quarantine", dataset=DATASET,
            startedAt=held, affectedCount=1, mend="./dev quarantine",
            says="leads-from-crm.csv is held in quarantine", links={},
        ),
    ]  # fmt: skip


def notifier(now: datetime) -> Json:
    """Two channels that work."""
    clock = Clock(now)
    return {
        "status": "pass",
        "channels": [
            {"name": "campaign-team", "status": "pass", "deliveredAt": clock.ago(2.2)},
            {"name": "on-call", "status": "pass", "deliveredAt": clock.ago(2.2)},
        ],
    }


def freshness(now: datetime) -> list[Json]:
    clock = Clock(now)
    return [
        {"what": "files", "state": "late", "dueAt": clock.ago(2.2), "rule": "by 08:00 (Europe/Lisbon)",
         "lastAt": clock.ago(28)},
        {"what": "batches", "state": "on-time", "dueAt": clock.ago(-20), "rule": "at most 36 h old",
         "lastAt": clock.ago(16)},
    ]  # fmt: skip


def _events(collections: dict[str, list[Json]]) -> list[Json]:
    found = []
    for records in collections.values():
        for record in records:
            found += [_event(record, seq) for seq in range(1, record["seq"] + 1)]
    found.sort(key=lambda event: str(event["time"]), reverse=True)
    return [{**event, "sequence": f"{len(found) - place:010d}"} for place, event in enumerate(found)]


def _audit(clock: Clock) -> list[Json]:
    """As the real app writes it, each entry with the hash of the one before it."""
    asked = [
        (129, "key:operator", "operator", "promote model bank-additional:5", "the campaign starts tomorrow"),
        (128, "session:operator:4fd1", "operator", "roll back bank-additional", "calls per sale doubled"),
        (30, "key:operator", "operator", "upload incoming/branch-faro.csv", ""),
        (6, "session:admin:07aa", "admin", "pause", "moving house"),
        (5, "session:admin:07aa", "admin", "resume", ""),
    ]
    entries: list[Json] = []
    for hours, caller, scope, action, reason in asked:
        entry = {
            "recordedAt": clock.ago(hours), "caller": caller, "scope": scope, "action": action, "reason": reason,
            "operationId": _digest(action)[:32], "traceId": _digest(reason)[:32],
        }  # fmt: skip
        entries.append(chained(entry, entries[-1] if entries else None))
    return [{"sequence": sequence, **entry} for sequence, entry in enumerate(entries)][::-1]


def _event(record: Json, seq: int) -> Json:
    """As the real API tells it: a name comes only with the first event of a thing, a reason with the last."""
    kind, id_, entered = record["kind"], record["id"], record["history"][seq - 1]
    state = entered["state"]
    type_ = f"{kind.capitalize()}{state.title().replace('-', '')}"
    first, last = seq == 1, seq == record["seq"]
    wanted = [
        *(("name", "dataset", "version", "about") if first else ()),
        *(("reason", "rows") if last else ()),
    ]
    data = {
        "kind": kind,
        "id": id_,
        "state": state,
        "seq": seq,
        **{key: record[key] for key in wanted if key in record},
    }
    return {
        "specversion": "1.0", "id": _digest(f"{id_} {type_}")[:32], "source": SOURCE, "type": f"Campanha.{type_}.v1",
        "subject": f"{kind}/{id_}", "time": entered["enteredAt"], "datacontenttype": "application/json", "data": data,
    }  # fmt: skip


def card(model: Json) -> Json:
    """A model's card; the record is the model's own."""
    importance = [
        {"column": "euribor3m", "value": 0.61},
        {"column": "month", "value": 0.32},
        {"column": "age", "value": 0.11},
    ]
    members = [
        {"name": "plain", "kind": "trees", "columns": ["age", "euribor3m", "month"], "weight": 0.5},
        {"name": "line", "kind": "linear", "columns": ["age", "euribor3m"], "weight": 0.5},
    ]
    segment = {
        "column": "education", "value": "university.degree", "rows": 268,
        "log_loss_difference": -0.0102, "low": -0.0214, "high": 0.0011,
    }  # fmt: skip
    standing = {"recipe": "ffff1e47555672ec", "drops": 3, "rows": 4118, "mean": 0.007, "e_value": 0.38}
    names = {"1fc60d5cacaf6458": "blend", "ffff1e47555672ec": "boosted-plain"}
    trial = {"live": "1fc60d5cacaf6458", "asked": 60, "standings": [standing], "names": names}
    part = {"upload": "upload/calls-2026-w45.csv/0x1", "rows": 4118, "contentHash": "9f86", "sha256": "60a3"}
    readmitted = {**part, "upload": "readmitted/upload/calls-2026-w42.csv/0x1", "rows": 37}
    return {
        "id": model["id"],
        "model": model,
        "data": {"version": model["version"], "rows": 4118, "repeats": "once", "members": [part, readmitted]},
        "features": [{"name": "age", "type": "integer", "minimum": 17, "maximum": 120}],
        "listColumns": [],
        "variants": {"single": members},
        "importance": {"single": importance},
        "hashes": {"model": "ab12" * 16, "holdOut": "cd34" * 16, "manifest": "ef56" * 16},
        "training": {
            "base_rate": 0.1127,
            "call_cost": 10,
            "deposit_value": 80,
            "threshold": 0.125,
            "trained_rows": 3295,
        },
        "evaluation": {"rows": 823, "segments": [segment], "trial": trial},
        "driftBaseline": {"rows": 4118, "columns": []},
    }
