"""How things are called: every name is derived from what it names, so doing a thing twice is doing it once."""

from __future__ import annotations

import hashlib
from fnmatch import fnmatchcase
from functools import lru_cache

INCOMING = "incoming"
SCORING = "scoring"
QUARANTINE = "quarantine"
DATASETS = "datasets"
SCORED = "scored"
OUTCOMES = "outcomes"
RECIPES = "recipes"
"""What experiments found: `<dataset>/<name>.yaml` are challengers of the dataset's live recipe."""
SUPPRESSION, DO_NOT_CALL = "suppression", "do-not-call.csv"
"""The container, and the file in it that names whom nobody may call."""
ROW = "row"
"""The column that numbers a batch's rows, from 1: call lists have it, and outcomes may come by it."""
SCORED_DATASTORE = "campanha_scored"
"""What Azure ML knows the container of scored files as; publishing the pipelines registers it."""
RECIPES_DATASTORE = "campanha_recipes"
"""The same of the container of found recipes."""

# How names are written, as regular expressions that JSON Schema knows.
DIGEST = "^[0-9a-f]{32}$"
"""`digest`; operations and traces have random ones of the same form."""
SHA256 = "^[0-9a-f]{64}$"
ETAG = "^[!#-~]+$"
"""Storage's, without its quotes; source: RFC 9110, 8.8.3."""
UPLOAD_ID = "^(readmitted/)*upload(-[0-9]+)?/.+/[!#-~]+$"
"""The key of `UploadArrived`; before it, whether it is those of its rows that were readmitted."""
DATASET_ID = "^.+:[0-9]+$"
RUN_NAME = "^.+-a[0-9]+$"
LONGEST_ENDPOINT = 32
ENDPOINT = "^[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]$"
"""What Azure takes as an endpoint's name; source: azure-ai-ml's `validate_endpoint_or_deployment_name`."""
DEPLOYMENT_ID = "^[^/]+/[^/]+$"
"""Endpoint and deployment."""
BATCH_ID = "^.+-[0-9a-f]{8}$"

REPORT, REJECTS, ORIGINAL = "report.json", "rejects.jsonl", "original.csv"
"""What lies in a file's quarantine folder: the report, the rejected rows, and the file when no row was used."""


LONGEST_FOLDER = 900
"""Characters of a file's name in the name of its quarantine folder; source: Azure's blob names have up to 1,024."""


@lru_cache(4096)  # a fact's key is asked for at each of its rows
def digest(key: str) -> str:
    """A key of any length and alphabet as 32 hex digits: short enough and safe as a row key or a blob name."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def dataset_id(dataset: str, version: int) -> str:
    """What a dataset version is called, and the model version that was trained on it."""
    return f"{dataset}:{version}"


def event_type(kind: str, state: str) -> str:
    """What the event of something of that kind is called that came into that state."""
    words = f"{kind}-{state}".split("-")
    return f"Campanha.{''.join(word.capitalize() for word in words)}.v1"


def part_blob(dataset: str, content_hash: str) -> str:
    return f"{dataset}/parts/{content_hash}.parquet"


def parts_folder(dataset: str) -> str:
    return f"{dataset}/parts/"


def manifest_blob(dataset: str, version: int) -> str:
    return f"{dataset}/manifests/{version}.json"


def run_name(dataset: str, version: int, attempt: int) -> str:
    """The name we choose for a run: a second submission under the same name cannot start a second run."""
    return f"{dataset}-v{version}-a{attempt}"


def experiment_run_name(purpose: str, dataset: str, version: int, attempt: int) -> str:
    """One dataset version, one purpose, one experiment: again only after a failure."""
    return f"{purpose}-{dataset}-v{version}-a{attempt}"


def experiment_folder(run: str) -> str:
    """In the container of recipes: what the experiment leaves. run: the name we chose for it"""
    return f"experiments/{run}/"


def recipe_blob(dataset: str, name: str) -> str:
    return f"{dataset}/{name}.yaml"


def batch_run_name(batch: str, attempt: int) -> str:
    """Azure ML takes letters, digits, dashes and underscores: what a batch of a plain name is called."""
    return f"score-{batch}-a{attempt}"


def deployment_name(version: int) -> str:
    """One deployment a model version; Azure asks for 3 to 32 characters."""
    return f"model-{version}"


def endpoint_name(prefix: str, dataset: str) -> str:
    """The online endpoint of a dataset's model; `adapters.contracts` sees to it that no two datasets share one."""
    return f"{prefix}{dataset}"[:LONGEST_ENDPOINT].rstrip("-")


def batch_id(name: str, etag: str, attempt: int = 1) -> str:
    """One id per file version, and each time it is scored anew: a readable stem and a digest, safe in a URL and as a
    folder."""
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in name.rsplit("/", 1)[-1])[:40]
    again = f"/{attempt}" if attempt > 1 else ""
    return f"{stem}-{digest(f'{name}/{etag}{again}')[:8]}"


def scored_blob(batch: str) -> str:
    return f"{batch}/scored.csv"


def parquet_folder(batch: str) -> str:
    return f"{batch}/parquet/"


def parquet_blob(batch: str, shard: int) -> str:
    return f"{parquet_folder(batch)}{shard:05d}.parquet"


def batch_manifest_blob(batch: str) -> str:
    return f"{batch}/manifest.json"


def batch_plan_blob(batch: str) -> str:
    return f"{batch}/plan.json"


def outcome_id(name: str, etag: str) -> str:
    """One id per version of a file of outcomes, formed as a batch's."""
    return batch_id(f"{OUTCOMES}/{name}", etag)


def answers_blob(batch: str, outcome: str) -> str:
    """What one file of outcomes says of the batch's rows."""
    return f"{batch}/outcomes/{outcome}.parquet"


def joined_blob(batch: str, digest: str) -> str:
    """What is known of the batch's outcomes, joined to its scores. digest: of the files that say it"""
    return f"{batch}/outcomes/joined-{digest}.parquet"


def outcome_faults_blob(outcome: str) -> str:
    return f"outcomes/{outcome}/{REJECTS}"


def call_list_blob(batch: str) -> str:
    return f"{batch}/call-list.csv"


def call_list_manifest_blob(batch: str) -> str:
    return f"{batch}/call-list.json"


def batch_profile_blob(batch: str) -> str:
    """What the file's rows are as a whole, which its shards must know."""
    return f"{batch}/profile.json"


def batch_folder(batch: str) -> str:
    return f"{batch}/"


def batch_shards_blob(batch: str) -> str:
    """What a run that scored the batch says of each shard."""
    return f"{batch}/shards.json"


def is_plain(name: str) -> bool:
    """Whether neither a shell nor a URL could misread the name."""
    return ".." not in name and all(c.isascii() and (c.isalnum() or c in "._-/") for c in name)


def quarantine_folder(name: str, etag: str) -> str:
    """The folder of one version of a file, named like it; a name too long for that is cut and told apart by a digest."""
    plain = name if len(name) <= LONGEST_FOLDER else f"{name[:LONGEST_FOLDER].rstrip('./ ')}~{digest(name)}"
    return f"{plain}/{digest(etag)[:8]}/"


def is_taken(name: str, patterns: str) -> bool:
    """Whether a container takes in a file of this name: it fits one of the patterns, and none of those that begin with `!`.

    patterns: between commas; `*` is any text, `?` any sign; one with a slash is held against the whole name, any other
    against what follows its last slash
    """
    shapes = [shape.strip() for shape in patterns.split(",") if shape.strip()]
    wanted = [shape for shape in shapes if not shape.startswith("!")]
    unwanted = [shape[1:] for shape in shapes if shape.startswith("!")]
    last = name.rsplit("/", 1)[-1]

    def fits(shape: str) -> bool:
        return fnmatchcase(name if "/" in shape else last, shape)

    return (not wanted or any(map(fits, wanted))) and not any(map(fits, unwanted))
