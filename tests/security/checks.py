"""The twenty checks of security: what each promises, which tests hold it, and what it does not cover.

`docs/security.md` is written from this table by `python docs/generated.py`; a test holds that each test is there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise."""

    id: str
    title: str
    promise: str
    held_by: tuple[str, ...]
    """Tests, from the root of the repository: a file, or FILE::NAME."""
    not_covered: str = ""


HOST_RULES = "localazure/tests/host/test_host_http_rules.py"
WHO_MAY = "tests/http/test_who_may.py"
CHECKS: tuple[Check, ...] = (
    Check(
        id="S1",
        title="Every route is closed",
        promise="Every route of the API takes a key or a token of the tenant; what is wrong with one, two dozen ways of it,"
        " gets the same 401 as nothing at all. Liveness, the sign-in page and signing in are open, and nothing else.",
        held_by=(
            f"{WHO_MAY}::test_no_route_opens_to_a_wrong_credential",
            f"{WHO_MAY}::test_every_wrong_credential_is_told_the_same",
            f"{WHO_MAY}::test_liveness_is_for_everybody_and_bare",
        ),
        not_covered="How long a refusal takes is not measured; keys are compared in constant time (S3).",
    ),
    Check(
        id="S2",
        title="A role opens its routes and no other",
        promise="Reader, operator and admin: each route with each role. No answer has a field that is not described.",
        held_by=(
            "tests/security/test_roles.py::test_a_role_opens_its_routes_and_no_other",
            "tests/http/test_description.py::test_nothing_is_shown_that_is_not_described",
        ),
        not_covered="One deployment is one bank's: there are no rights by dataset.",
    ),
    Check(
        id="S3",
        title="Keys are compared in constant time",
        promise="A key is compared by `hmac.compare_digest`, with every scope's, whichever fits.",
        held_by=(
            f"{WHO_MAY}::test_keys_are_compared_in_constant_time",
            f"{WHO_MAY}::test_whatever_a_wrong_key_is_like_the_same_is_done_to_refuse_it",
        ),
    ),
    Check(
        id="S4",
        title="Forged events",
        promise="An event only says where to look: the blob is found in our own storage by container, name and ETag, and no"
        " address in an event is followed. What is too large or too deep is a dead letter at once.",
        held_by=(
            "tests/security/test_forged_events.py",
            "tests/unit/functions/test_delivery.py::test_any_message_ends_in_a_fact_or_is_delivered_again",
        ),
        not_covered="Who may write into the queues may have a file of ours looked at again, which changes"
        " nothing. The topic"
        " of an event is not compared: what it says is not relied on.",
    ),
    Check(
        id="S5",
        title="Where the app calls (SSRF)",
        promise="Webhooks and alert channels lead to no address of this machine, of a private network or of Azure's own,"
        " however it is spelt and wherever its name leads by then; no redirect is followed.",
        held_by=(
            "tests/security/test_where_we_call.py",
            "tests/contract/test_subscribers.py::test_a_redirect_is_not_followed",
            "tests/contract/test_subscribers.py::test_a_name_that_leads_inside_is_refused_when_it_does",
            "tests/contract/test_alert_channels.py::test_an_address_that_no_subscriber_could_have_is_not_reached",
        ),
        not_covered="Behind a proxy it is the proxy that connects, and judges. A mail server may be in a private network.",
    ),
    Check(
        id="S6",
        title="Names of files",
        promise="Whatever a file is called, what is derived from its name stays in its folder, and no two names share one.",
        held_by=(
            "tests/security/test_names.py",
            "tests/http/test_actions.py::test_a_name_storage_would_not_keep_is_refused",
            "tests/http/test_pages.py::test_nothing_outside_the_folder_is_served",
        ),
    ),
    Check(
        id="S7",
        title="Bombs",
        promise="What is read is bounded before it is held: bodies, files, columns, the depth of JSON, pages,"
        " tokens. A packed"
        " file is refused and never unpacked.",
        held_by=(
            "tests/security/test_bombs.py",
            "tests/unit/serving/test_arrow.py::test_a_little_that_becomes_much_is_refused_before_it_does",
            "tests/unit/serving/test_arrow.py::test_compressed_buffers_that_become_much_are_refused",
            "tests/unit/domain/test_row_admission.py::test_memory_stays_flat",
            "tests/http/test_lists.py::test_a_token_that_is_none_is_refused",
        ),
        not_covered="A dropped file may be as large as storage takes it, and is read to its end once a row of it is good.",
    ),
    Check(
        id="S8",
        title="Formula cells",
        promise="In what people open (rows shown by the API and on the page) a cell that a spreadsheet would"
        " compute becomes"
        " text; negative numbers stay numbers. Files for machines stay as they came, byte for byte.",
        held_by=(
            "tests/http/test_rows.py::test_a_formula_becomes_text",
            "tests/http/test_rows.py::test_no_cell_begins_as_a_formula_unless_it_is_a_number",
            "tests/flow/test_passed_through.py::test_a_key_comes_through_and_nobody_reads_it",
        ),
        not_covered="Who opens `scored.csv` itself in a spreadsheet sees the sender's cells.",
    ),
    Check(
        id="S9",
        title="Logs and events",
        promise="No value of a row, key, token or signature is in any log line, span, metric, event, record or alert"
        " message; and no name begins a log line of its own.",
        held_by=(
            "tests/security/test_canaries.py",
            "tests/contract/test_alert_channels.py::test_what_is_not_taken_is_told_without_address_or_key",
        ),
        not_covered="Names of files are told. Debugging lines of the Functions library hold whole answers: `host.json`"
        " leaves them off.",
    ),
    Check(
        id="S10",
        title="The page",
        promise="A name made of HTML is only text, the policy forbids inline scripts and foreign frames, and a foreign page"
        " cannot use a session.",
        held_by=(
            "tests/browser/test_safety.py::test_a_name_made_of_html_is_only_text",
            "tests/browser/test_safety.py::test_the_tripwire_would_be_heard",
            f"{WHO_MAY}::test_a_change_by_cookie_must_come_from_our_own_pages",
            "tests/http/test_conventions.py::test_answers_are_not_kept_nor_read_as_something_else",
        ),
    ),
    Check(
        id="S11",
        title="Malicious model folders",
        promise="Neither the app nor the model's server can load a pickle. Models are text, each file under its hash, and"
        " none is found outside its folder.",
        held_by=(
            "tests/security/test_hostile_models.py",
            "tests/unit/serving/test_model_folder.py::test_trees_other_than_the_described_are_refused",
        ),
        not_covered="AutoML's own model may be a pickle: a step of the pipeline loads it, in a container that holds no"
        " credentials of the app.",
    ),
    Check(
        id="S12",
        title="Dangerous calls",
        promise="No shell, no unsafe YAML, no call without a time-out, no unverified TLS: linters look at every file.",
        held_by=(
            "tests/unit/commands/test_supply_chain.py::test_a_dangerous_call_that_ruff_does_not_know_is_found",
        ),
    ),
    Check(
        id="S13",
        title="No secrets in the repository",
        promise="Keys, connection strings and SAS are looked for in every file, known to git or not.",
        held_by=(
            "tests/unit/commands/test_supply_chain.py::test_a_secret_is_found_whether_git_knows_the_file_yet_or_not",
        ),
    ),
    Check(
        id="S14",
        title="Least privilege",
        promise="Each identity has the roles that its recorded calls need; without any one of them a call is refused.",
        held_by=(
            "tests/infrastructure/test_roles_needed.py::test_without_it_a_call_is_refused",
            "tests/story/test_roles.py::test_everything_is_done_by_the_roles_of_infra_and_none_is_surplus",
        ),
    ),
    Check(
        id="S15",
        title="Tampered tokens and keys",
        promise="A page or delta token that was changed, cut, padded or is of another list is 400; an idempotency key for"
        " another request is 422, and somebody else's is another key.",
        held_by=(
            "tests/http/test_lists.py::test_a_token_that_is_none_is_refused",
            "tests/http/test_lists.py::test_a_token_is_of_its_list_and_filter_and_of_this_log",
            "tests/http/test_actions.py::test_the_same_key_for_something_else_is_refused",
            "tests/http/test_actions.py::test_somebody_elses_key_is_another_key",
            f"{WHO_MAY}::test_a_session_ends_and_cannot_be_stretched_or_raised",
        ),
        not_covered="Tokens are not signed: they hold a place in a list that whoever asks may read anyway.",
    ),
    Check(
        id="S16",
        title="Too many, too large, too slow",
        promise="So many requests a minute for each caller, and for each address without one; a body is refused by its"
        " announced length before it is read, and by its true length while it is.",
        held_by=(
            "tests/http/test_conventions.py::test_who_asks_too_often_is_told_when_to_come_again",
            "tests/http/test_conventions.py::test_wrong_keys_are_tried_only_so_often",
            "tests/http/test_conventions.py::test_tokens_that_open_nothing_are_tried_only_so_often",
            "tests/http/test_actions.py::test_a_body_that_is_too_large_is_refused_before_it_is_read",
            f"{HOST_RULES}::test_who_sends_byte_by_byte_keeps_nobody_else_waiting",
            f"{HOST_RULES}::test_a_body_that_is_announced_too_large_is_refused_before_a_byte_of_it_comes",
            f"{HOST_RULES}::test_headers_that_do_not_end_are_refused_before_they_fill_the_memory",
        ),
        not_covered="The embedded host serves others while hundreds of connections send byte by byte, and ends none of them"
        " by itself. In Azure the platform reads a request before the app sees it, and ends what is too slow (230 s at its"
        " front end) or too large (100 MB in its host): that is known from its source, and not tried.",
    ),
    Check(
        id="S17",
        title="Supply chain",
        promise="All libraries are locked with hashes and under licences that a bank may use; actions are pinned; the"
        " package brings its SBOM.",
        held_by=(
            "tests/unit/test_requirements.py",
            "tests/unit/commands/test_supply_chain.py::test_the_libraries_that_run_are_looked_at",
            "tests/infrastructure/test_workflows.py",
        ),
    ),
    Check(
        id="S18",
        title="Error bodies",
        promise="Whatever fails behind the API, no answer holds a stack, a path, an address, or words of a service.",
        held_by=(
            "tests/security/test_error_bodies.py",
            "tests/http/test_conventions.py::test_a_mistake_of_ours_is_said_to_be_ours_and_found_in_the_log",
        ),
    ),
    Check(
        id="S19",
        title="Closed on failure",
        promise="Where the tenant's keys cannot be had, or no key is set, nobody gets in: 503 and 401, never 200.",
        held_by=(
            f"{WHO_MAY}::test_an_unreachable_tenant_lets_nobody_in",
            f"{WHO_MAY}::test_keys_too_old_to_trust_are_not_used_when_the_tenant_is_gone",
            f"{WHO_MAY}::test_without_any_key_nobody_gets_in_and_the_log_says_what_to_set",
        ),
    ),
    Check(
        id="S20",
        title="The audit trail",
        promise="Every action is on record, who and why, before it begins; each entry holds the hash of the one before, so"
        " that a changed, missing or moved one shows (`./dev audit --verify`).",
        held_by=(
            "tests/http/test_actions.py::test_every_action_is_on_record_with_who_and_why",
            "tests/http/test_actions.py::test_a_record_that_was_tampered_with_shows",
            "tests/unit/ledger/test_audit_log.py::test_the_chain_is_whole_whoever_races",
        ),
        not_covered="Whoever may write into the tables could make the whole chain anew: keep the newest hash elsewhere.",
    ),
)
