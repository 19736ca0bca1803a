"""In what the embedded Azure can be as unkind as Azure (`--strict`), and what of the app bears each.

Each test fails without what is named beside it.
"""

from __future__ import annotations

BORNE = {
    "put-replaces": (
        "an endpoint is made only where there is none, and changed as it was read",
        "tests/infrastructure/test_traps.py::test_an_endpoint_is_made_once_and_changed_as_it_was_read",
    ),
    "keyless": (
        "files come and go by token and signature, and endpoints take tokens",
        "tests/contract/test_unkind.py::test_a_models_documents_come_down_without_a_key",
    ),
    "endpoint-busy": (
        "an endpoint is whole before its deployment is asked for; 409 comes again by the host's redelivery",
        "tests/contract/test_unkind.py::test_an_endpoint_under_an_operation_is_tried_again_later",
    ),
    "failed-stays": (
        "a release that ends takes its deployment away, and the next one makes it anew",
        "tests/flow/test_kept_out.py::test_a_deployment_that_failed_is_taken_away_and_made_anew",
    ),
    "preview-retired": (
        "deployments of pipelines are asked for by a stable version, not by the SDK's",
        "tests/contract/test_unkind.py::test_the_pipelines_are_published_and_again_changes_nothing",
    ),
    "environments-stay": (
        "an environment's version is the hash of what is in it",
        "tests/unit/pipelines/test_publish.py::test_a_changed_environment_is_a_version_and_changes_every_pipeline",
    ),
    "roles-late": (
        "who is not let in comes again, runs and releases alike, and is told to a person after an hour",
        "tests/flow/test_kept_out.py::test_a_run_begins_when_the_pipeline_lets_us_in",
    ),
    "logs-late": (
        "why a run failed is read from the run history, after its end",
        "tests/contract/test_unkind.py::test_why_a_run_failed_is_not_read_from_logs",
    ),
    "events-twice": (
        "a fact's key is claimed once",
        "tests/flow/test_stories.py::test_the_same_event_twice_is_one_upload_and_one_run",
    ),
    "events-late": (
        "the reconciler looks at storage each minute; an event that comes after it is a duplicate",
        "tests/infrastructure/test_traps.py::test_lost_events_are_looked_for_each_minute",
    ),
    "events-unordered": (
        "a run is looked up at each hint, and a file by its version",
        "tests/flow/test_overwritten.py::test_it_is_the_order_of_versions_that_counts_not_that_of_admission",
    ),
    "events-lost": (
        "the reconciler finds the file, and the run",
        "tests/flow/test_stories.py::test_a_lost_upload_event_is_made_up_for_by_a_reconciliation",
    ),
    "events-plain": (
        "a message is read in either form",
        "tests/unit/functions/test_delivery.py::test_a_message_is_base64_or_plain",
    ),
    "events-respelt": (
        "a field's first letter does not count, nor do an eTag's quotes",
        "tests/unit/functions/test_delivery.py::test_a_field_of_azure_mls_events_begins_with_either_letter",
    ),
}
"""By unkindness: in words, and the test."""
