"""Guards against whoever means harm, or writes what nobody reads."""

from __future__ import annotations

from tests.mutants.mutant import mutant

HOSTILE = (
    mutant(
        "an event may name what no row can hold", "functions.event_grid",
        "if len(value) > LONGEST:", "if False:",
        "security/test_forged_events.py",
    ),
    mutant(
        "every caller fetches the tenant's keys", "functions.http.auth.tokens",
        "fetches = wanted and not others and", "fetches = wanted and",
        "http/test_who_may.py::test_nobody_waits_while_another_fetches_the_tenants_keys",
    ),
    mutant(
        "a subscriber's date stops all deliveries", "shared.adapters.subscribers",
        "except (ValueError, OverflowError):", "except ValueError:",
        "contract/test_subscribers.py::test_a_time_that_is_none_is_nobodys_wish",
    ),
    mutant(
        "tokens that open nothing are tried without end", "functions.http.middleware.gate",
        "        except Problem as problem:  #", "        except ZeroDivisionError as problem:  #",
        "http/test_conventions.py::test_tokens_that_open_nothing_are_tried_only_so_often",
    ),
    mutant(
        "Infinity is scored as not known", "functions.http.routes.endpoints",
        "str | FiniteFloat | int", "str | float | int",
        "http/test_actions.py::test_what_is_no_number_is_not_scored_as_one_that_is_not_known",
    ),
    mutant(
        "a name becomes a link in Teams", "shared.adapters.alert_channels",
        '{"type": "RichTextBlock", "inlines"', '{"type": "TextBlock", "inlines"',
        "contract/test_alert_channels.py::test_teams_gets_an_adaptive_card_with_a_button_to_the_very_thing",
    ),
    mutant(
        "a dead letter may be longer than a row", "functions.delivery",
        '{fault}"[:LONGEST_TEXT]', '{fault}"',
        "security/test_forged_events.py",
    ),
    mutant(
        "a dot at its end hides an address", "shared.domain.network_reach",
        'host = host.rstrip(".")', "host = host",
        "security/test_where_we_call.py::test_the_settings_take_no_such_address",
    ),
    mutant(
        "an IPv4 address hides in an IPv6 one of old", "shared.domain.network_reach",
        ', IPv6Network("::/96"))', ",)",
        "security/test_where_we_call.py::test_the_settings_take_no_such_address",
    ),
    mutant(
        "digits in circles hide an address", "shared.settings",
        "if not host.isascii():", "if False:",
        "security/test_where_we_call.py::test_nor_one_that_two_readers_would_read_otherwise",
    ),
    mutant(
        "a connection is not judged by where it leads", "shared.adapters.judged_connections",
        "        if fault:\n", "        if False:\n",
        "security/test_where_we_call.py::test_and_were_it_taken_nothing_is_sent_there",
    ),
    mutant(
        "a model's files may lie elsewhere", "serving.model",
        'if Path(said["file"]).name != said["file"]:', "if False:",
        "security/test_hostile_models.py",
    ),
    mutant(
        "a little Arrow becomes many rows", "serving.arrow",
        "max(size.rows * max(1, features) * 8, size.inflated)", "size.inflated",
        "unit/serving/test_arrow.py::test_a_little_that_becomes_much_is_refused_before_it_does",
    ),
    mutant(
        "a little Arrow is inflated to much", "serving.arrow_size",
        "inflated += sum(_lengths(batch, message.body)) if", "inflated += 0 if",
        "unit/serving/test_arrow.py::test_compressed_buffers_that_become_much_are_refused",
    ),
    mutant(
        "many views of one text become many texts", "serving.arrow",
        "if viewed(table) > most:", "if False:",
        "unit/serving/test_arrow.py::test_a_little_that_becomes_much_is_refused_before_it_does",
    ),
    mutant(
        "a cell is told as a batch's name", "shared.domain.outcomes.outcome_file",
        "if re.fullmatch(names.BATCH_ID, found):", "if True:",
        "security/test_canaries.py::test_a_whole_flow_says_nothing_of_them",
    ),
    mutant(
        "a failed step quotes what failed", "shared.errors",
        "if isinstance(problem, CampanhaError) else", "if True else",
        "security/test_canaries.py::test_what_a_service_answers_is_said_without_its_address",
    ),
    mutant(
        "empty lines are read without end", "shared.domain.tables.admission",
        "self.tally.records + self.tally.blank_lines >= HOPELESS", "self.tally.records >= HOPELESS",
        "security/test_bombs.py::test_what_does_not_end_is_held_in_little_memory_and_given_up_soon",
    ),
    mutant(
        "a line that is no text prints a traceback", "shared.domain.tables.plain_csv",
        "or not data or not _is_text(data):", "or not data:",
        "fuzz/test_targets.py::test_a_line_of_another_width_that_is_no_text_prints_no_traceback",
    ),
    mutant(
        "a deep contract ends in a traceback", "shared.adapters.contracts",
        "except RecursionError as cause:", "except ZeroDivisionError as cause:",
        "fuzz/test_targets.py::test_what_was_ever_tried_is_read_or_refused",
    ),
    mutant(
        "an operator changes the config", "functions.http.auth.scopes",
        'ADMIN_CHANGES = ("/api/config",)', 'ADMIN_CHANGES = ("/api/nothing",)',
        "security/test_roles.py",
    ),
    mutant(
        "a lost race is not counted", "shared.ledger.outbox",
        "Counted(mended=Counter({LOST_RACE: 1}))", "Counted()",
        "flow/test_mended_by_itself.py::test_a_race_that_is_lost_is_counted",
    ),
    mutant(
        "what the reconciliation mends is not counted", "shared.flow",
        "services.ledger.outbox.count(found_by_sweep(due))", "pass",
        "flow/test_mended_by_itself.py::test_lost_events_are_counted_by_kind_and_once_each",
    ),
    mutant(
        "a wait for the fence is not counted", "shared.procedures.submission",
        "            services.ledger.outbox.count(Counter({FENCE_WAIT: 1}))\n            seconds", "            seconds",
        "flow/test_mended_by_itself.py::test_a_submission_without_an_answer_waits_and_that_is_counted",
    ),
)  # fmt: skip
"""Each is seen by the test that it names."""
