"""Mutants of what tells people: each guard of the alerts, taken out."""

from __future__ import annotations

from tests.mutants.mutant import mutant

HERE = "flow/test_alerts.py"
THOUSAND = f"{HERE}::test_a_thousand_files_that_fail_for_one_reason_are_one_message_and_end_with_the_last"
DOWN = f"{HERE}::test_an_app_that_was_down_over_the_hour_takes_in_what_lies_there_before_it_says_late"

ALERTS = (
    mutant(
        "a second time is no occurrence of its own", "shared.domain.alerts",
        "digest(f'{self.cause}/{self.since}')", "digest(self.cause)",
        f"{HERE}::test_the_next_day_is_told_anew_and_a_late_file_counts_for_its_own_day",
    ),
    mutant(
        "what is no more the matter stays raised", "shared.steps.check_alerts",
        "        yield AlertOver(alert=record.id)", "        yield from ()",
        f"{HERE}::test_a_file_that_does_not_come_is_told_within_a_minute_once_and_once_more_when_it_came",
    ),
    mutant(
        "absence that is not judged ends an alert", "shared.procedures.conditions",
        "        judged -= {one.alert for one in EXPECTED}", "        pass",
        f"{HERE}::test_a_gap_ends_no_alert",
    ),
    mutant(
        "absence is judged right after the app was down", "shared.procedures.conditions",
        "now - datetime.fromisoformat(heartbeat.steady_since) >= SETTLED", "True",
        f"{HERE}::test_right_after_a_gap_absence_is_not_judged_however_often_the_clock_ticks",
    ),
    mutant(
        "a gap is no gap", "shared.procedures.conditions",
        "if heartbeat is None or stopped_since(heartbeat, now):", "if heartbeat is None:",
        DOWN,
    ),
    mutant(
        "each file's failure is a cause of its own", "shared.domain.alerts",
        'kept = " ".join(_OWN.sub(" ", str(values.get("reason", ""))).split())',
        'kept = str(values.get("reason", ""))',
        THOUSAND,
    ),
    mutant(
        "one of many that ends ends the cause", "shared.ledger.open_causes",
        '"-": before - 1', '"-": 0',
        f"{HERE}::test_a_cause_is_open_until_the_last_of_it_is_mended",
    ),
    mutant(
        "an event that is read twice is counted twice", "shared.ledger.open_causes",
        "        if number < self.next:\n            return self\n", "",
        "unit/ledger/test_open_causes.py::test_an_event_that_is_read_twice_counts_once",
    ),
    mutant(
        "what an older version moved out of the tail is not folded", "shared.ledger.event_log",
        "while row is not None and found.next < first:", "while False:",
        "unit/ledger/test_open_causes.py::test_what_a_version_that_knows_no_causes_compacted_is_folded_later",
    ),
    mutant(
        "what came in time does not meet its hour", "shared.domain.expectations",
        "one - opens > last", "one > last",
        f"{HERE}::test_a_file_that_comes_in_time_is_no_news",
    ),
    mutant(
        "two workers tell through one channel", "shared.steps.deliver_alerts",
        "for at in (cursor.until, cursor.not_before)", "for at in (cursor.not_before,)",
        f"{HERE}::test_while_one_worker_tells_another_leaves_the_channel_alone",
    ),
    mutant(
        "the cursor is moved before the message is taken", "shared.steps.deliver_alerts",
        "                return _backed_off(channel, cursor, problem, services)\n",
        "                pass\n",
        f"{HERE}::test_a_channel_that_fails_holds_up_no_other_and_the_others_tell_of_it",
    ),
    mutant(
        "who takes nothing is asked without a pause", "shared.steps.deliver_alerts",
        "        not_before=(now + timedelta(seconds=wait)).isoformat(),\n", "",
        f"{HERE}::test_tries_come_seldom_to_who_takes_nothing_and_soon_at_first",
    ),
    mutant(
        "a new channel hears of all that is past", "shared.steps.deliver_alerts",
        "begun = AlertCursor(next=count,", "begun = AlertCursor(next=0,",
        f"{HERE}::test_a_new_channel_hears_of_what_is_the_matter_and_of_nothing_that_is_over",
    ),
    mutant(
        "the reconciliation alone looks after itself", "shared.flow",
        "if clock != clock_health.SWEEP and not clock_health.is_stopped(services):", "if clock != clock_health.SWEEP:",
        f"{HERE}::test_a_reconciliation_that_does_not_run_is_told_by_the_scoring_clock",
    ),
    mutant(
        "a heartbeat is written though nobody looked", "shared.flow",
        "        if told:\n", "        if True:\n",
        f"{HERE}::test_a_look_that_fails_stops_no_clock_and_writes_no_heartbeat",
    ),
    mutant(
        "mail goes out in the open", "shared.adapters.alert_channels",
        'if self.tls == "starttls":', "if False:",
        "contract/test_alert_channels.py::test_a_server_without_starttls_gets_no_mail_in_the_open",
    ),
)  # fmt: skip
