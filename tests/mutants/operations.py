"""Mutants of delivery, backup and restore."""

from __future__ import annotations

from tests.mutants.mutant import mutant

DAY = "flow/test_backup.py::test_from_a_backup_of_any_moment_the_day_comes_to_the_same_end"

OPERATIONS = (
    mutant(
        "a rollback goes to a package that failed since it passed", "commands.deployment.history",
        "verdicts.setdefault(each.sha256, each)", "verdicts[each.sha256] = each",
        "unit/deployment/test_history.py",
    ),
    mutant(
        "a package that was changed where it lies is deployed", "commands.packaging.manifest",
        "if found != self.sha256:", "if False:",
        "contract/test_kept_packages.py::test_a_package_that_was_changed_where_it_lies_is_not_deployed",
    ),
    mutant(
        "of two deployments at once neither notices", "commands.deployment.kept_packages",
        '{"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}', '{"overwrite": True}',
        "contract/test_kept_packages.py::test_of_two_deployments_at_once_the_later_one_ends",
    ),
    mutant(
        "an operation that is open to anybody passes the smoke test", "commands.deployment.smoke",
        "if status != UNAUTHENTICATED:", "if False:",
        "unit/deployment/test_smoke.py",
    ),
    mutant(
        "a canary that the old code read passes for one of the new", "commands.deployment.smoke",
        "if sung.release == manifest.release:", "if True:",
        "unit/deployment/test_smoke.py",
    ),
    mutant(
        "what works is rolled back", "commands.deployment.delivery",
        "if current.state == PASSED:", "if False:",
        "unit/deployment/test_smoke.py::test_where_nothing_was_deployed_anew_nothing_is_rolled_back",
    ),
    mutant(
        "a package is sent again from where it broke off", "commands.deployment.in_azure",
        "data.seek(0)  # it may be sent again", "pass",
        "unit/deployment/test_in_azure.py::test_what_is_refused_for_want_of_a_role_is_sent_again_whole",
    ),
    mutant(
        "something that would be deleted is not grave", "commands.deployment.what_if",
        'self.kind == "Delete" or', "False or",
        "unit/deployment/test_what_if.py",
    ),
    mutant(
        "a backup says of facts that they are done, and not what they did", "commands.recovery.snapshot",
        "return row.changed >= cut", "return False",
        DAY,
    ),
    mutant(
        "a backup has entries of a log from after its end", "commands.recovery.snapshot",
        'return int(row.row) * SEGMENT >= hot[segment["log"]]', "return False",
        "contract/test_recovery.py::test_a_log_is_cut_where_its_end_was_read",
    ),
    mutant(
        "a restored ledger starts a run a second time", "shared.procedures.submission",
        "run = pipeline.find(request)  #", "run = pipeline.find(request) if intent.value.posted else None  #",
        DAY,
    ),
    mutant(
        "a batch is a duplicate of itself", "shared.procedures.scored_before",
        "if first != plan.batch]", "]",
        DAY,
    ),
)  # fmt: skip
