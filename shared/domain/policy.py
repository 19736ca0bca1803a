"""The choices that are the owner's: how long to gather, how sure to be, what a call costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["search", "automl"]
"""What an experiment is for, and so which published pipeline runs it."""
AUTOML_MINUTES = 15
"""That Azure's AutoML may search: its limit is part of the published pipeline."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Numbers the steps decide by; `shared.settings` reads them from the environment."""

    gather_quiet_seconds: int = 30
    """A window of uploads closes when none came for so long,"""
    gather_longest_seconds: int = 600
    """or when its first upload has waited so long,"""
    gather_most_files: int = 100
    """or when so many are in it."""

    incoming_names: str = (
        "!*.tmp, !*.part, !*.filepart, !*.partial, !*.crdownload, !_SUCCESS, !_started*, !_committed*, !.*"
    )
    """Which files to train on are taken in, by their names (`names.is_taken`): no markers, and nothing still on its way."""
    scoring_names: str = incoming_names
    """The same of the files to score."""

    overwritten_files: Literal["replace", "add"] = "replace"
    """What it means that a file of the same name was dropped again: its rows `replace` those of the version before it,
    or are added to them (`add`)."""
    repeated_rows: Literal["once", "each"] = "once"
    """How often a row is learned from that repeats another exactly: `once`, or `each` time it comes, where repeats are
    clients of their own. Equal rows are always on one side of the hold-out."""

    submit_fence_seconds: int = 120
    """After an unanswered submission nothing is submitted again for so long: a late arrival would be a second run."""
    run_deadline_minutes: int = 360
    """A run that takes longer is cancelled and counts as failed."""
    runs_per_day: int = 50
    """Training runs of a dataset that may begin within 24 hours; 0: any number. A version beyond it waits, and so does one
    for which"""
    run_cool_down_minutes: int = 0
    """the last run began less than so long ago, or"""
    run_least_new_rows: int = 0
    """fewer rows came in since then. A person who asks for a retrain is kept from it by none of the three."""

    drift_rows: int = 20_000
    """Rows of each upload that the serving model scores, of those it has not learned from, evenly spaced, to see how far
    off it is by now; 0: none, and then nothing is said of drift in scores and in money."""
    drift_retrain: Literal["off", "on"] = "off"
    """Whether drift may ask for a retrain: once for each model, when a loss is four times as likely as none,"""
    drift_retrain_loss: float = 0.0
    """the expected loss on one file is above this (in the currency of the costs), and"""
    drift_retrain_cool_down_hours: int = 24
    """it has not asked for so long. Such a run is held to `RUNS_PER_DAY` and `RUN_COOL_DOWN_MINUTES`, and not to
    `RUN_LEAST_NEW_ROWS`."""

    call_cost: float = 10.0
    deposit_value: float = 80.0
    """Money, in one unit for both: what a call costs, and what a term deposit is worth."""
    first_recipe: str = "blend"
    """The recipe that a dataset starts with; another takes its place when it is better over the drops to come."""
    false_recipe_change: float = 0.05
    """How probable it may be that a live recipe is ever replaced by one that is no better; fraction of 1."""

    experiment_with: Purpose = "search"
    """How a better recipe is looked for on request and on the clock: by a `search` of our own, or by
    Azure's `automl`, whose model is judged and never released."""
    experiment_daily_seconds: int = 1800
    """Seconds that a dataset's searches may take in a day (UTC), all together; an experiment gets what is left of them."""

    endpoint_prefix: str = "campanha-"
    release_poll_seconds: int = 15
    """How often a deployment in the making is polled."""
    release_most_polls: int = 120
    release_shadow_rows: int = 2000
    """Rows of the serving model's last batch that a new one scores too, before it gets any traffic; 0: none."""
    release_shadow_decisions: float = 0.3
    """Of these rows, the share whose decision may differ; fraction of 1,"""
    release_shadow_psi: float = 0.25
    """and how far the scores may have moved (population stability index); on batches that come while it is watched, too."""
    release_shadow_beyond: Literal["hold", "roll-back", "record"] = "hold"
    """Beyond either the release is held for a person, rolled back, or goes on with the figures on record."""
    release_canary_percent: int = 10
    """The share of the traffic that a new model gets first, in percent,"""
    release_baking_seconds: int = 600
    """and how long it is watched with that share before it gets all; 0: it gets all at once."""
    release_latency_ratio: float = 2.0
    """While it is watched, a p95 so many times that of the serving model rolls it back."""
    release_approval: Literal["none", "required"] = "none"
    """`required`: no model gets traffic before a named person has approved it (four eyes)."""
    release_approval_hours: int = 24
    """How long a held release waits for a person; at most 168."""
    release_undecided: Literal["refuse", "release"] = "refuse"
    """What becomes of a held release that nobody decided on by then."""
    endpoint_probe_seconds: int = 60
    """How often the released model is probed with its golden rows; 0: never."""

    score_catch_up: Literal["latest", "all", "none"] = "latest"
    """What a missed scoring tick is worth: `none` waits for the next one. A tick takes up every file that waits, so
    making up for the latest makes up for all."""
    shard_bytes: int = 8 << 20
    """Bytes of a scoring file that are one shard: some 90,000 rows. A worker holds its bytes, and what they become."""
    request_bytes: int = 1_500_000
    """Bytes of one request to the endpoint; Azure refuses larger ones unless the deployment says otherwise."""

    implausible_lists: Literal["hold", "score"] = "hold"
    """What becomes of a file to score that as a whole is implausibly far from what the model learned: it is held until a
    person approves of it (`hold`), or scored like any other (`score`)."""

    most_unscored_share: float = 0.1
    """A batch is refused if the model fails on a larger share of its rows than that; fraction of 1. Rows that break the
    contract do not count: what is wrong with them is known."""

    control_share: float = 0.0
    """Of the rows of each list, how many chance draws into a control group, who are called whatever the model says of
    them; fraction of 1. Where it is above 0, the output says of each row which `group` it is in, and its `propensity`."""

    call_list: bool = True
    """Whether a call list is written beside the scores: whom to call, best first."""
    most_calls: int = 0
    """Calls that a call list has at most; 0: all that are worth their cost."""
    call_hours: float = 0.0
    calls_per_hour: float = 8.0
    """The same by the hours that agents have for a list, and the calls that one makes in an hour; 0 hours: no limit."""
    most_contacts: int = 0
    """A client who was contacted so often in the campaign is called no more, by the column that the contract says counts
    the contacts; 0: whatever it says."""

    engine_bytes: int = 1 << 30
    """A scoring file of at least so many bytes is scored by a run of the scoring pipeline on a cluster; 0: none is."""

    most_attempts: int = 5
    """A step that died so often is dead-lettered."""
    claim_seconds: int = 120
    """A claim not renewed for so long is taken over, and a message not claimed for so long is sent again."""

    @property
    def places_on_call_list(self) -> int:
        """Calls that can be made of a list; 0: any number."""
        by_hours = max(1, int(self.call_hours * self.calls_per_hour)) if self.call_hours else 0
        limits = [limit for limit in (self.most_calls, by_hours) if limit]
        return min(limits, default=0)
