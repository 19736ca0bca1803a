"""The 105 traps of a first deployment that others met, and what holds against each here.

source: gathered from documentation, tools' sources and public threads; none was tried. Rules of `infra/` name the traps
that they hold against themselves; what else does stands here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from commands.infrastructure.check import rules

TRAPS = {
    "F1": "`config-zip` builds anew in Azure, whatever it is told",
    "F2": "a build in Azure takes another Python, and the open internet",
    "F3": "the package lacks its libraries: no functions, and no error",
    "F4": "wheels want a newer glibc than the image has",
    "F5": "a route prefix breaks routes that take every path",
    "F6": "what is made in an ASGI lifespan is not there for queues and clocks",
    "F7": "an identity connection without its `__credential`, or beside a plain setting of its name",
    "F8": "host storage by `__blobServiceUri` alone: a race at start",
    "F9": "the scaler reads settings itself: `AZURE_CLIENT_ID` does not reach it",
    "F10": "`siteConfig` that Flex Consumption refuses",
    "F11": "app settings that Flex Consumption refuses or ignores",
    "F12": "a runtime version outside the catalogue is accepted, and the host is dead",
    "F13": "the package's container, and the role on it, must be there first",
    "F14": "closed storage: the deployment comes through the app's network",
    "F15": "a subnet without its delegation, with `_` in its name, or shared",
    "F16": "the extension bundle comes from the internet",
    "F17": "30 seconds for an app to start, and no setting for it",
    "F18": "triggers are not known to Azure after a deployment",
    "F19": "a wrong decorator is swallowed: no functions found",
    "F20": "the most instances hold for each scale group, not for the app",
    "F21": "names of always-ready groups are compared in small letters",
    "F22": "functions with hyphens cannot be switched off",
    "F23": "settings are replaced whole; one plan takes one app; lifecycle rules delete packages",
    "F24": "`siteUpdateStrategy` is not in the types; no way back to an older package",
    "F25": "the worker's own libraries come before ours",
    "E1": "the first events come before the roles work, and are lost",
    "E2": "a user-assigned identity does not reach storage behind its firewall",
    "E3": "one system topic for each source",
    "E4": "a topic left over has our name, and another source",
    "E5": "a topic made again has another principal under the same assignment name",
    "E6": "messages come as base64 or as plain text, one object or a list",
    "E7": "a filter on `data.api` misses ways in",
    "E8": "role and dead-letter container are checked when a subscription is made",
    "E9": "renamed, undeleted and re-tiered files come by other events, or none",
    "E10": "no promise of when events come",
    "E11": "a subject or a type misspelt matches nothing",
    "E12": "in a Data Lake events come before the file is whole",
    "E13": "steps of a run emit events too",
    "E14": "fields of Azure ML's events are spelt in two ways",
    "E15": "a filter on a field that events spell otherwise",
    "E16": "dead letters lie under names of their own making",
    "E17": "an event is larger than a message may be",
    "E18": "messages expire after seven days",
    "E19": "a topic in another region than its source",
    "E20": "a topic's schema is fixed once it is made",
    "E21": "a webhook must answer while its subscription is made",
    "E22": "categories of logs that a topic has not",
    "E23": "metrics that no log holds",
    "E24": "the provider is not registered; private endpoints of topics",
    "E25": "policies against keys, and names that Event Grid refuses",
    "M1": "a keyless account, and datastores that still want a key",
    "M2": "roles on the workspace's own storage",
    "M3": "a PUT replaces: traffic and defaults are gone",
    "M4": "a preview API version of batch deployments is retired",
    "M5": "quota: a fifth more than asked for, and blue beside green",
    "M6": "an endpoint's identity cannot be changed, and needs its roles first",
    "M7": "a deployment that failed first cannot be updated",
    "M8": "deployments without code of one's own broke",
    "M9": "`log_model` calls an API that Azure ML has not",
    "M10": "a private registry cannot be reached by the default build",
    "M11": "the managed network is made late, and never unmade",
    "M12": "a deployment's telemetry is sent by key only",
    "M13": "an older inference server fails on newer Pythons",
    "M14": "a failure says nothing, and its logs are gone later",
    "M15": "few sizes of machines serve online",
    "M16": "a deleted workspace holds its name for two weeks",
    "M17": "providers that are not registered, and that no error names",
    "M18": "a lock on the group stops the cluster",
    "M19": "one operation at a time on an endpoint",
    "M20": "probes that are refused, or that restart a slow start for ever",
    "M21": "on a cluster with an identity of its own, code must name it",
    "M22": "a batch endpoint takes no identity but the system's",
    "M23": "AutoML runs for days unless it is limited",
    "M24": "AutoML reads one form of table, and writes a pickle",
    "M25": "names and sizes beyond their limits",
    "M26": "a hierarchical default store, or v1's legacy mode",
    "M27": "a cluster that is there is not changed",
    "M28": "machines that can be taken away at any time",
    "M29": "an environment's version is never built anew",
    "M30": "scoring by a private name; a call that names a deployment skips the traffic's rules",
    "D1": "azd builds Python remotely unless told otherwise",
    "D2": "azd takes no zip, and makes its own",
    "D3": "who deploys may not define roles or locks",
    "D4": "a pipeline's subject has a form that changed",
    "D5": "a provider met only as a delegation is not registered",
    "D6": "the package goes up before the role works",
    "D7": "a flag given as `yes` is dropped without a word",
    "D8": "a variable that is there and empty counts as set",
    "D9": "two parameter files, and no word for the kind of principal",
    "D10": "a hosted runner does not reach a private network",
    "D11": "a Python hook installs what it finds",
    "D12": "alerts on tables and metrics that are not there yet",
    "D13": "what-if wants the right to write",
    "D14": "azd's own pipeline trusts pull requests",
    "D15": "Azure DevOps changes its issuer and subject",
    "D16": "federated credentials written at once",
    "D17": "names of role assignments, and conditions on roles",
    "D18": "a budget's start cannot be changed",
    "D19": "subnets twice: a second deployment removes those in use",
    "D20": "a token of a pipeline lives for minutes",
    "D21": "outputs stay in the environment of one job",
    "D22": "azd finds an app by its tag, and reads its group",
    "D23": "names that a deleted environment still holds",
    "D24": "a change of settings restarts the app, and nothing says when it is done",
    "D25": "an unchanged template is skipped; a cancelled deployment leaves a lock",
}
"""In a few words each; F: Functions on Flex Consumption, E: Event Grid, M: Azure ML, D: azd, Bicep and pipelines."""

TESTS = {
    "F3": "tests/unit/packaging/test_package_alone.py::test_everything_in_it_is_imported_from_it_alone",
    "F5": "tests/infrastructure/test_traps.py::test_routes_have_no_prefix",
    "F6": "tests/infrastructure/test_traps.py::test_nothing_is_made_in_a_lifespan",
    "F17": "tests/unit/test_docs.py::test_loading_the_app_loads_no_heavy_library",
    "F19": "tests/infrastructure/test_resources.py::test_two_apps_share_the_functions",
    "F22": "tests/infrastructure/test_resources.py::test_names_of_functions_can_be_switched_off",
    "E6": "tests/unit/functions/test_delivery.py::test_a_message_is_base64_or_plain",
    "E9": "tests/unit/functions/test_upload_events.py::test_a_renamed_blob_is_an_upload_of_the_version_that_lies_there",
    "E10": "tests/infrastructure/test_traps.py::test_lost_events_are_looked_for_each_minute",
    "E12": "tests/unit/functions/test_upload_events.py::test_one_that_is_still_written_is_none",
    "E14": "tests/unit/functions/test_delivery.py::test_a_field_of_azure_mls_events_begins_with_either_letter",
    "M2": "tests/infrastructure/test_resources.py::test_no_role_is_surplus",
    "M3": "tests/infrastructure/test_traps.py::test_an_endpoint_is_made_once_and_changed_as_it_was_read",
    "M4": "tests/contract/test_unkind.py::test_the_pipelines_are_published_and_again_changes_nothing",
    "M7": "tests/flow/test_kept_out.py::test_a_deployment_that_failed_is_taken_away_and_made_anew",
    "M8": "tests/infrastructure/test_traps.py::test_a_deployment_brings_its_own_code_and_environment",
    "M9": "tests/infrastructure/test_traps.py::test_models_are_registered_and_not_logged",
    "M13": "tests/infrastructure/test_traps.py::test_the_inference_server_is_one_that_runs",
    "M14": "tests/contract/test_unkind.py::test_why_a_run_failed_is_not_read_from_logs",
    "M19": "tests/contract/test_unkind.py::test_an_endpoint_under_an_operation_is_tried_again_later",
    "M21": "tests/unit/pipelines/test_workspace.py::test_a_step_signs_in_with_its_clusters_own_identity",
    "M22": "tests/infrastructure/test_traps.py::test_batch_endpoints_have_no_identity",
    "M23": "tests/infrastructure/test_traps.py::test_automl_is_limited_in_every_way",
    "M24": "tests/infrastructure/test_traps.py::test_automl_is_given_its_form_of_table",
    "M29": "tests/unit/pipelines/test_publish.py::test_a_changed_environment_is_a_version_and_changes_every_pipeline",
    "M17": "tests/infrastructure/test_azure_page.py::test_every_provider_is_registered",
    "D5": "tests/infrastructure/test_azure_page.py::test_every_provider_is_registered",
    "E24": "tests/infrastructure/test_azure_page.py::test_every_provider_is_registered",
    "D7": "tests/infrastructure/test_inputs.py::test_what_cannot_be_is_said_all_at_once",
    "D18": "tests/infrastructure/test_inputs.py::test_what_cannot_be_is_said_all_at_once",
}
"""Tests that fail when we fall into the trap."""

RUNBOOK = (
    "F3", "F4", "F14", "F16", "F18", "E1", "E3", "E5", "E16", "E24", "M1", "M5", "M6", "M7", "M11", "M14",
    "M15", "M16", "M17", "M19", "D2", "D3", "D5", "D6", "D10", "D13", "D14", "D20", "D21", "D24", "D25", "F20", "F24",
)  # fmt: skip
"""What a line of docs/azure.md tells people to do; the line names the trap."""

NOT_HERE = {
    "F21": "no group of instances is always ready",
    "E13": "an event is a hint only: the run is looked up by its id, and one that this ledger has not started is ignored",
    "E17": "nothing but `runId` is read; an event too large becomes a dead letter, and the reconciler asks for its run",
    "M20": "no probes are set: a deployment starts in seconds, as its model is small",
    "D16": "Bicep makes no federated credentials",
}
"""Why a trap is none of ours."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What holds against a trap."""

    trap: str
    by: tuple[str, ...]
    """In words, for the table."""


def held() -> list[Held]:
    """All of them, in order."""
    return [Held(trap=trap, by=tuple(_of(trap))) for trap in TRAPS]


def _of(trap: str) -> Iterator[str]:
    for rule in rules():
        if trap in rule.traps:
            yield f"check `{rule.name}`"
    if trap in TESTS:
        yield f"test `{TESTS[trap].partition('::')[2]}`"
    if trap in RUNBOOK:
        yield "runbook, above"
    if trap in NOT_HERE:
        yield f"does not apply: {NOT_HERE[trap]}"
