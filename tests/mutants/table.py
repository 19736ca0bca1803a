"""Mutants: guards taken out of the product one at a time, each with the test that has to see it.

Mutation testing by hand: R. DeMillo, R. Lipton, F. Sayward, *Hints on Test Data Selection*, IEEE Computer 11(4) (1978).
"""

from __future__ import annotations

from tests.mutants.alerts import ALERTS
from tests.mutants.gate import GATE_AND_ROLLOUT
from tests.mutants.hostile import HOSTILE
from tests.mutants.mutant import mutant
from tests.mutants.operations import OPERATIONS
from tests.mutants.snapshots import SNAPSHOTS

SEALED = """\
    services.files.seal(names.SCORED, names.scored_blob(fact.batch), len(shards))
"""
DESCRIBED = """\
    manifest = batch_manifest(plan, shards)
    blob = names.batch_manifest_blob(fact.batch)
    services.files.write(names.SCORED, blob, in_lines(manifest))
"""
STORED = """\
    is_new = services.files.write_once(names.DATASETS, part, checked.part_file)
"""
CLAIMED = """\
    mine, version = ContentClaim(upload=upload, by=fact.key), readmitted_from or upload
    first = claim_content(tally.content_hash, dataset, mine, name, services)
"""
UNSETTLED = "self._table.get(claim.row.partition, claim.row.row) or claim.row"

MUTANTS = (
    # clients become scores
    mutant(
        "the version of the answering model is not looked at", "shared.steps.score_shard",
        "if scores.model_version != str(plan.version):", "if False:",
        "flow/test_guards.py::test_scores_of_another_model_than_the_batch_is_pinned_to_are_not_taken",
    ),
    mutant(
        "a short read of a shard is taken for whole", "shared.procedures.open_batches",
        "if len(data) != shard.end - shard.start:", "if False:",
        "flow/test_guards.py::test_bytes_that_did_not_all_come_are_no_whole_shard",
    ),
    mutant(
        "rows are given up while the model fails on its golden rows too", "shared.steps.score_shard",
        "        if fault:\n            raise Transient(", "        if False:\n            raise Transient(",
        "flow/test_unanswered.py",
    ),
    mutant(
        "the manifest comes before the blocks are sealed", "shared.steps.seal_batch",
        SEALED + DESCRIBED, DESCRIBED + SEALED,
        "flow/test_guards.py::test_a_manifest_that_can_be_read_describes_an_output_that_can",
    ),
    mutant(
        "a batch is sealed with a shard missing", "shared.steps.seal_batch",
        "if len(shards) != len(plan.cut.shards):", "if False:",
        "flow/test_any_fact.py::test_a_batch_is_not_sealed_before_all_its_shards_are_scored",
    ),
    mutant(
        "an output without scores is sealed", "shared.domain.batches.unscored",
        "if unanswered <= most_share * fitting:", "if True:",
        "flow/test_unanswered.py::test_a_batch_of_which_too_many_rows_have_no_score_is_refused",
    ),
    mutant(
        "a release in the middle of a batch shows in it", "shared.steps.plan_batch",
        "return pinned.value if pinned else None", "return model",
        "flow/test_guards.py::test_a_batch_that_is_planned_again_keeps_the_model_it_was_pinned_to",
    ),
    mutant(
        "files of one size are taken for the same", "shared.procedures.scored_before",
        '        == shard["source_sha256"]', '        != ""',
        "flow/test_scored_before.py",
    ),
    mutant(
        "a file that changed during its run is taken for the planned one", "shared.steps.collect_batch_run",
        "return source is not None and source.etag == plan.etag", "return source is not None",
        "flow/test_batch_runs.py::test_a_file_that_changed_meanwhile_is_refused_and_its_newer_version_scored",
    ),
    mutant(
        "the bytes of a run's output are not compared", "shared.steps.collect_batch_run",
        "if hashlib.sha256(data).hexdigest() != shards[number][what]:", "if False:",
        "flow/test_batch_runs.py::test_an_output_that_is_not_the_plans_never_gets_a_manifest",
    ),
    mutant(
        "the sizes of a run's output are not compared", "shared.domain.batches.run_output",
        "if sizes.get(name) != size:", "if False:",
        "flow/test_batch_runs.py::test_an_output_that_is_not_the_plans_never_gets_a_manifest",
    ),
    mutant(
        "a run that fails is made again and again", "shared.steps.collect_batch_run",
        "if fact.attempt < MOST_ATTEMPTS and", "if",
        "flow/test_batch_runs.py::test_what_fails_twice_is_refused_with_the_reason",
    ),
    # files become rows
    mutant(
        "the event's ETag is not compared", "shared.procedures.file_version",
        "blob is None or blob.etag != etag", "blob is None",
        "flow/test_guards.py::test_the_file_that_is_read_is_the_version_the_event_named",
    ),
    mutant(
        "content is claimed before its part exists", "shared.procedures.admission",
        STORED + CLAIMED, CLAIMED + STORED,
        "flow/test_guards.py::test_rows_are_known_only_once_they_lie_in_a_part",
    ),
    mutant(
        "a part is written over", "shared.procedures.admission",
        "is_new = services.files.write_once(names.DATASETS, part, checked.part_file)",
        "is_new = services.files.write(names.DATASETS, part, checked.part_file) is None",
        "flow/test_guards.py::test_a_part_stays_as_it_was_written_first",
    ),
    mutant(
        "a delay that has passed is served again", "shared.ledger.outbox",
        "yield fact.due_now(), 0 if", "yield fact, 0 if",
        "unit/ledger/test_outbox.py::test_a_fact_whose_time_has_come_is_held_back_no_more",
    ),
    mutant(
        "an older value is told over a newer one", "shared.ledger.history",
        "if any(orders.get(name, change.order) > change.order for name in change.values):",
        "if False:",
        "unit/ledger/test_records.py::test_an_older_value_that_is_told_late_is_late_news",
    ),
    mutant(
        "what a process remembers is taken for what is there", "shared.ledger.records",
        "if is_remembered and entry is not None and new == entry.value:", "if False:",
        "unit/ledger/test_records.py::test_a_value_that_another_process_changed_is_said_again",
    ),
    mutant(
        "nobody is told that a subscriber is gone", "shared.steps.notify_subscribers",
        "yield from [] if services.ledger.outbox.is_noted(dead) else [dead]", "pass",
        "flow/test_notifying.py::test_a_person_is_told_whoever_dies_before_that",
    ),
    mutant(
        "an event is passed over before a person is told", "shared.steps.notify_subscribers",
        "if services.ledger.outbox.is_noted(dead):", "if True:",
        "flow/test_notifying.py::test_a_person_is_told_whoever_dies_before_that",
    ),
    mutant(
        "a clock's dead letter has one chance", "shared.procedures.clock_health",
        "if failures >= MOST_FAILURES else []", "if failures == MOST_FAILURES else []",
        "flow/test_each_by_itself.py::test_a_clocks_failure_is_told_and_resolved_whoever_dies_before_that",
    ),
    mutant(
        "a refused batch keeps its deployment", "shared.steps.plan_batch",
        "        close_batch(fact.batch, services)  # an earlier delivery may have opened it\n        return [BatchRefused",
        "        return [BatchRefused",
        "flow/test_guards.py::test_a_batch_that_is_refused_needs_its_deployment_no_more",
    ),
    mutant(
        "what waited for a pause's end waits its delay again", "shared.flow",
        "services.ledger.outbox.expect((fact.due_now(),))", "services.ledger.outbox.expect((fact,))",
        "flow/test_operator.py::test_what_came_due_while_work_was_paused_is_done_at_once_when_it_goes_on",
    ),
    mutant(
        "a release that was requested long ago takes the traffic", "shared.steps.release_model",
        "if isinstance(fact, ReleaseDue) and (late := overtaken(fact, services)):", "if late := ():",
        "flow/test_rollout.py::test_a_request_that_is_tried_again_after_a_newer_release_takes_no_traffic",
    ),
    mutant(
        "an older request overtakes a newer one", "shared.procedures.rollout",
        "is_newer = there and there.value.requested_ms > fact.requested_ms", "is_newer = False",
        "flow/test_rollout.py::test_nor_does_one_that_a_newer_request_overtook",
    ),
    mutant(
        "a model accepted long ago is released again", "shared.procedures.rollout",
        "if there and isinstance(fact, ModelAccepted) and _has_moved_on(fact, services):", "if False:",
        "flow/test_rollout.py::test_nor_a_model_that_was_accepted_long_ago",
    ),
    mutant(
        "nobody tells that the model before answers", "shared.procedures.rollout",
        "    if rollout.after:\n", "    if False:\n",
        "flow/test_rollout.py::test_a_model_whose_teller_died_after_the_switch_is_told_by_the_release_that_follows",
    ),
    mutant(
        "a failed release takes down the standby", "shared.procedures.rollout",
        "if plan.deployment not in standby | deployments_in_use(services):",
        "if plan.deployment not in deployments_in_use(services):",
        "flow/test_rollout.py::test_a_release_that_fails_takes_down_no_deployment_that_somebody_needs",
    ),
    mutant(
        "a failed release takes down what a batch needs", "shared.procedures.rollout",
        "if plan.deployment not in standby | deployments_in_use(services):",
        "if plan.deployment not in standby:",
        "flow/test_rollout.py::test_a_release_that_fails_takes_down_no_deployment_that_somebody_needs",
    ),
    mutant(
        "a run that was asked for waits for the budget", "shared.steps.start_run",
        "            want(fact.dataset, wanted, services)\n", "            del wanted\n",
        "flow/test_run_budget.py::test_what_was_asked_for_while_a_run_was_under_way_has_its_run_after_it",
    ),
    mutant(
        "a wish for a run is never fulfilled", "shared.procedures.run_slot",
        "return there.value if there and there.value.version > version else",
        "return there.value if there else",
        "flow/test_run_budget.py::test_what_was_asked_for_while_a_run_was_under_way_has_its_run_after_it",
    ),
    mutant(
        "two workers admit the same rows at once", "shared.procedures.content_claim",
        "first = mine if anew or is_mine or not _is_admitted(known, services) else known",
        "first = mine if anew or is_mine else known",
        "flow/test_guards.py::test_rows_that_a_worker_is_admitting_are_not_admitted_by_another",
    ),
    mutant(
        "a broken quote merges lines", "shared.domain.tables.dialect",
        '"strict": True}', '"strict": False}',
        "unit/domain/test_poisoned_files.py",
    ),
    mutant(
        "a column too many is passed over", "shared.domain.tables.header_match",
        "return contract, problem if missing or unexpected or problem.duplicated else None",
        "return contract, problem if missing or problem.duplicated else None",
        "unit/domain/test_poisoned_files.py",
    ),
    mutant(
        "rows that could not be taken apart are readmitted", "shared.steps.readmit_rows",
        ' if all(fault["column"] for fault in row["faults"])]', "]",
        "flow/test_operator.py",
    ),
    mutant(
        "an event of a file that is being written is taken for its end", "functions.uploads",
        'if event.type == CREATED and event.text("api") not in WHOLE:', "if False:",
        "unit/functions/test_delivery.py::test_an_event_that_is_none_of_ours_leads_to_nothing",
    ),
    # people decide about rows
    mutant(
        "a withdrawn upload's rows stay", "shared.domain.datasets.manifest",
        "withdrawn.get(part.file_version) or withdrawn.get(part.upload)", "None",
        "flow/test_withdrawn.py::test_the_next_version_lacks_the_rows_and_its_record_says_who_and_why",
    ),
    mutant(
        "rows readmitted from a withdrawn upload stay", "shared.domain.datasets.manifest",
        "withdrawn.get(part.file_version) or withdrawn.get(part.upload)", "withdrawn.get(part.upload)",
        "flow/test_withdrawn.py::test_readmitted_rows_go_with_the_upload_they_stood_in",
    ),
    mutant(
        "rows are readmitted from a withdrawn upload", "shared.steps.readmit_rows",
        '{withdrawn.reason}" if withdrawn else ""', '{withdrawn.reason}" if False else ""',
        "flow/test_withdrawn.py::test_nothing_is_readmitted_from_a_withdrawn_upload",
    ),
    mutant(
        "withdrawn rows that are dropped again are duplicates", "shared.procedures.dataset_members",
        "return withdrawn or part.file_version in self.replaced", "return part.file_version in self.replaced",
        "flow/test_withdrawn.py::test_the_same_rows_dropped_again_are_admitted_anew",
    ),
    mutant(
        "a withdrawn copy keeps the rows", "shared.procedures.overwritten",
        'name != part.source["name"] and upload not in withdrawn', 'name != part.source["name"]',
        "flow/test_withdrawn.py::test_a_copy_that_was_withdrawn_holds_nothing",
    ),
    mutant(
        "rows of very many files stay, whatever a person says", "shared.procedures.overwritten",
        "claim.value.full and not taken_out", "claim.value.full",
        "flow/test_withdrawn.py::test_of_rows_of_very_many_files_a_withdrawn_one_keeps_none",
    ),
    mutant(
        "rows dropped again stay those that were withdrawn", "shared.domain.datasets.manifest",
        " and not any(part.upload in taken_out for part in before)", "",
        "flow/test_withdrawn.py::test_the_same_rows_dropped_again_are_admitted_anew",
    ),
    mutant(
        "a dataset version has no row", "shared.domain.datasets.manifest",
        "if not left.parts or (same", "if (same",
        "flow/test_withdrawn.py::test_without_the_only_upload_there_is_no_version_and_the_last_one_stays",
    ),
    mutant(
        "a window is forgotten that says what was overwritten", "shared.steps.register_dataset",
        "        if not dataset.version:\n            leave_window", "        if True:\n            leave_window",
        "flow/test_withdrawn.py::test_nor_does_its_overwritten_version_come_back_then",
    ),
    mutant(
        "a version that was begun of withdrawn rows alone holds up the dataset", "shared.steps.register_dataset",
        "        _take_back(dataset, services)\n", '        raise LookupError("its uploads are gone")\n',
        "flow/test_withdrawn.py::test_a_version_that_was_begun_of_withdrawn_rows_alone_is_taken_back",
    ),
    mutant(
        "an upload is withdrawn twice", "shared.steps.withdraw_upload",
        "if standing.operation != fact.operation:", "if False:",
        "flow/test_withdrawn.py::test_who_comes_second_is_told_who_was_first",
    ),
    mutant(
        "the older version that an upload repeats stays", "shared.steps.withdraw_upload",
        "    older = _repeated(upload, services)\n", "    older = []\n",
        "flow/test_withdrawn.py::test_a_file_that_only_repeats_its_own_older_version_goes_with_it",
    ),
    mutant(
        "an upload is withdrawn before it is admitted", "shared.steps.withdraw_upload",
        "if standing is None and upload.state in NOT_ADMITTED:", "if False:",
        "flow/test_withdrawn.py::test_what_cannot_be_withdrawn_says_why",
    ),
    mutant(
        "trust makes no version", "shared.domain.datasets.manifest",
        " and set(trusted) <= set(known))", ")",
        "flow/test_withdrawn.py::test_rows_of_a_trusted_version_are_named_in_the_next_manifest",
    ),
    mutant(
        "trusted rows are doubted all the same", "pipelines.training.trial",
        "[] if version in decided.trusted else doubts(version, rows, expected)", "doubts(version, rows, expected)",
        "unit/pipelines/training/test_train.py::test_a_drop_that_a_person_trusts_is_learned_from",
    ),
    mutant(
        "an old doubt outlives a person's trust", "pipelines.training.evidence",
        "cleared = {doubt.version for doubt in self.doubts} & decided.trusted", "cleared = set()",
        "unit/pipelines/training/test_plausibility.py::test_rows_that_a_person_trusts_are_evidence_and_learned_from",
    ),
    mutant(
        "a doubt outlives the rows that raised it", "pipelines.training.evidence",
        "if upload not in self.withdrawn}", "if False}",
        "unit/pipelines/training/test_plausibility.py::"
        "test_what_is_left_of_a_doubted_drop_is_looked_at_anew_once_a_part_was_withdrawn",
    ),
    mutant(
        "a traceback becomes a run's reason", "shared.domain.run_end",
        'return found[-1].strip() if found else ""', "return told.strip()",
        "unit/domain/test_run_end.py",
    ),
    # rows become versions and runs
    mutant(
        "a manifest is overwritten", "shared.steps.register_dataset",
        "services.files.create(names.DATASETS", "services.files.write(names.DATASETS",
        "flow/test_two_ledgers.py::test_a_manifest_is_never_overwritten",
    ),
    mutant(
        "an unanswered submission is repeated at once", "shared.procedures.submission",
        "wait = _fence(intent.value.posted, now, services)", "wait = 0",
        "flow/test_guards.py::test_a_submission_without_an_answer_is_not_repeated_before_the_fence_has_passed",
    ),
    mutant(
        "a settled fact that another worker finished is begun anew", "shared.flow",
        "    if claim.outcome is not None:\n        return events", "    if False:\n        return events",
        "flow/test_delivered_twice.py::test_of_two_that_take_a_settled_fact_up_again_the_slower_one_begins_nothing",
    ),
    mutant(
        "a POST leaves long after its fence began", "shared.procedures.submission",
        "if services.now() - posted <= LONGEST_WRITE:", "if True:",
        "flow/test_guards.py::test_nothing_is_posted_while_storage_is_too_slow_to_note_when",
    ),
    mutant(
        "two runs of a dataset are under way at once", "shared.steps.start_run",
        'if slot and slot.state != "free" and slot.version != fact.version:', "if False:",
        "flow/test_stories.py::test_an_upload_during_a_run_has_its_run_afterwards",
    ),
    mutant(
        "a run frees the slot that another holds", "shared.procedures.run_slot",
        "if slot is None or slot.value.run != run:", "if slot is None:",
        "flow/test_guards.py::test_a_run_that_ended_long_ago_frees_no_other_ones_slot",
    ),
    mutant(
        "another ledger's run is taken for ours", "shared.adapters.pipelines",
        "if tags.get(INPUTS_TAG) != request.digest:", "if False:",
        "unit/adapters/test_any_answer.py::test_a_run_of_that_name_with_other_inputs_is_not_ours",
    ),
    mutant(
        "a backlog of files published twice", "shared.procedures.unseen_blobs",
        "if not ledger.outbox.is_noted(fact):", "if True:",
        "flow/test_stories.py",
    ),
    mutant(
        "the mark passes a file that nobody has claimed", "shared.procedures.unseen_blobs",
        "            unclaimed.append(blob.modified)\n", "",
        "flow/test_guards.py::test_a_file_that_waits_for_a_model_is_found_however_long_it_waits",
    ),
    # done once
    mutant(
        "settling asks for no ETag", "shared.ledger.claims",
        "return Claim(fact=claim.fact, row=self._table.replace(claim.row, settled))",
        f"self._table.put(claim.row.partition, claim.row.row, settled); return Claim(fact=claim.fact, row={UNSETTLED})",
        "flow/test_guards.py::test_a_worker_whose_claim_was_taken_over_settles_nothing",
    ),
    mutant(
        "a fact is taken from a worker that is at it", "shared.ledger.claims",
        "        if self.is_held(old):\n            raise InProgress\n", "",
        "unit/ledger/test_claims.py::test_a_fact_is_claimed_by_one_of_many",
    ),
    mutant(
        "a fact is tried without end", "shared.ledger.claims",
        "        if self.is_given_up(old):\n            raise GivenUp\n", "",
        "unit/functions/test_delivery.py::test_attempts_are_counted_once_whoever_delivers",
    ),
    mutant(
        "late news takes a record back", "shared.ledger.history",
        "    if incoming <= recorded:", "    if incoming == recorded:",
        "unit/ledger/test_history.py",
    ),
    mutant(
        "a fact that was finished is finished again", "shared.ledger.outbox",
        "if transaction.closes and not self.is_open(transaction.closes):", "if False:",
        "unit/ledger/test_outbox.py::test_a_second_finish_says_so_and_writes_nothing",
    ),
    # operators and subscribers
    mutant(
        "work goes on while it is paused", "shared.flow",
        "if fact.waits and is_paused(services):", "if False:",
        "flow/test_operator.py::test_a_release_waits_while_work_is_paused",
    ),
    mutant(
        "two workers tell one subscriber", "shared.steps.notify_subscribers",
        "for at in (cursor.until, cursor.not_before))", "for at in (cursor.not_before,))",
        "flow/test_notifying.py::test_two_workers_do_not_tell_the_same_subscriber_at_once",
    ),
    mutant(
        "traffic is moved while a worker is at a release", "shared.procedures.traffic",
        "        if entry and claims.is_held(entry):", "        if False:",
        "flow/test_traffic.py::test_while_a_worker_is_at_a_release_the_traffic_is_its_own",
    ),
    mutant(
        "a run begins whatever the budget says", "shared.steps.start_run",
        "    if over_budget:\n", "    if False:\n", "flow/test_run_budget.py",
    ),
    mutant(
        "the budget forgets the runs before the last", "shared.steps.start_run",
        "of_the_last_day([*(_begun(held.value) if held else ()), now]", "of_the_last_day([now]",
        "flow/test_run_budget.py",
    ),
    # the model's own server
    mutant(
        "the endpoint answers to values out of bounds", "serving.rules",
        "(numbers < feature.low) | (numbers > feature.high) | np.isinf(numbers)", "np.isinf(numbers)",
        "unit/serving/test_rules.py",
    ),
    mutant(
        "compiled trees are trusted unseen", "serving.trusted",
        "if not apart <= CLOSE:", "if False:",
        "unit/serving/test_trusted.py",
    ),
    mutant(
        "an answer of another length is taken", "shared.domain.models.answers",
        "if not len(score) == len(tenth) == len(choice) == rows:", "if False:",
        "unit/adapters/test_rest_endpoint.py",
    ),
    # who may
    mutant(
        "a reader may change things", "functions.http.middleware.gate",
        "if caller.scope < needed:", "if False:",
        "http/test_who_may.py::test_a_reader_may_change_nothing",
    ),
    mutant(
        "a route opens without a credential", "functions.http.middleware.gate",
        'if caller is None and not self._is_open(scope["method"], scope["path"]):', "if False:",
        "http/test_who_may.py::test_no_route_opens_to_a_wrong_credential",
    ),
    mutant(
        "a foreign page may use the session", "functions.http.middleware.gate",
        "and not is_same_origin(headers):", "and False:",
        "http/test_who_may.py::test_a_change_by_cookie_must_come_from_our_own_pages",
    ),
    mutant(
        "a token of another tenant opens", "functions.http.auth.tokens",
        'if claims["tid"] != self.tenant or', "if",
        "http/test_who_may.py::test_no_route_opens_to_a_wrong_credential",
    ),
    mutant(
        "a token of another issuer opens", "functions.http.auth.tokens",
        "                issuer=self.keys.issuer,\n", "",
        "http/test_who_may.py::test_no_route_opens_to_a_wrong_credential",
    ),
    mutant(
        "a token opens for ever", "functions.http.auth.tokens",
        "leeway=LEEWAY_SECONDS,", "leeway=10**9,",
        "http/test_who_may.py::test_no_route_opens_to_a_wrong_credential",
    ),
    mutant(
        "a session's signature is not compared", "functions.http.auth.sessions",
        "if not good or int(ends) <= self.now():", "if int(ends) <= self.now():",
        "http/test_who_may.py::test_a_session_ends_and_cannot_be_stretched_or_raised",
    ),
    mutant(
        "a session never ends", "functions.http.auth.sessions",
        "if not good or int(ends) <= self.now():", "if not good:",
        "http/test_who_may.py::test_a_session_ends_and_cannot_be_stretched_or_raised",
    ),
    mutant(
        "an unresolved Key Vault reference is a key", "functions.http.auth.credentials",
        "if key.startswith(UNRESOLVED)]", "if False]",
        "http/test_who_may.py::test_an_unresolved_key_vault_reference_is_no_key",
    ),
    # drift, and what it asks for
    mutant(
        "a model is held against rows that it learned from", "shared.steps.measure_drift",
        "released is None or released.value.version >= fact.version", "released is None",
        "flow/test_drift.py::test_a_model_that_learned_from_the_rows_is_not_what_they_are_held_against",
    ),
    mutant(
        "answers count twice when a step is done again", "shared.procedures.drift_evidence",
        "drops = {**known.drops, str(version): places.to_json()}",
        "drops = {**known.drops, str(version + 1000 * len(known.drops)): places.to_json()}",
        "flow/test_drift.py::test_few_answers_of_several_files_add_up_and_each_counts_once",
    ),
    mutant(
        "old seasons drown the newest", "shared.procedures.drift_evidence",
        " and too_little(found):", ":",
        "flow/test_drift.py::test_of_drops_that_say_enough_by_themselves_only_the_newest_counts",
    ),
    mutant(
        "rows in doubt say that the model is off", "shared.steps.judge_run",
        "        leave_out(fact.dataset, version, services)\n", "",
        "flow/test_drift.py::test_rows_in_doubt_do_not_say_that_the_model_is_off",
    ),
    mutant(
        "withdrawn rows say that the model is off", "shared.steps.withdraw_upload",
        "        leave_out(dataset, ", "        print(dataset, ",
        "flow/test_drift.py::test_withdrawn_rows_do_not_either",
    ),
    mutant(
        "drift asks for a retrain though it is off", "shared.domain.drift.retrain",
        'policy.drift_retrain == "off" or ', "",
        "flow/test_drift.py::test_unless_the_settings_say_so_drift_asks_for_nothing",
    ),
    mutant(
        "drift asks without end", "shared.procedures.drift_retrain",
        "(there.value.model == model or _cools_down(there.value, services))", "False",
        "flow/test_drift.py::test_it_asks_again_for_another_model_after_its_cool_down",
    ),
    mutant(
        "a loss that may be none asks for a retrain", "shared.domain.drift.retrain",
        'if cost["loss_probability"] < SURE:', "if False:",
        "unit/domain/test_drift_cost.py::test_drift_asks_for_a_retrain_when_it_surely_costs_more_than_allowed_and_it_may",
    ),
    mutant(
        "a run that drift asks for is held to no budget", "shared.steps.start_run",
        'slot.state == "intended" or (isinstance(fact, RunDue) and fact.asked):',
        'slot.state == "intended" or (isinstance(fact, RunDue) and (fact.asked or fact.drifted)):',
        "flow/test_drift.py::test_such_a_run_is_held_to_the_budget_of_the_day",
    ),
    mutant(
        "few new rows hold up a retrain that drift asks for", "shared.steps.start_run",
        "slot.version >= fact.version or _is_for_drift(fact)", "slot.version >= fact.version",
        "flow/test_drift.py::test_a_loss_asks_for_a_retrain_however_few_rows_are_new",
    ),
    mutant(
        "a month is said to be like the one before", "shared.domain.drift.expected_loss",
        "np.diag([MONTHS_DIFFER**2, 0.0])", "np.zeros((2, 2))",
        "unit/domain/test_drift_cost.py::test_the_loss_is_what_it_truly_is_and_its_interval_holds_that_of_the_next_month",
    ),
    mutant(
        "a place decides for the rows in it", "shared.domain.drift.expected_loss",
        "(better * asked.rows - asked.marked)",
        "(better * asked.rows - asked.rows * (money.of_calls(probability_of(asked.odds)) > 0))",
        "unit/domain/test_drift_cost.py::test_it_is_the_models_own_decisions_that_lose_and_not_those_of_its_place",
    ),
    mutant(
        "a doubt waits for nobody", "shared.steps.judge_run",
        'id=id_, state="doubted", values=values', "id=id_, values=values",
        "flow/test_withdrawn.py::test_a_doubt_waits_for_a_person_until_the_rows_are_trusted",
    ),
    mutant(
        "a withdrawn upload leaves its version in doubt", "shared.steps.withdraw_upload",
        "for version in versions for change in settled(version, services)", "for change in ()",
        "flow/test_withdrawn.py::test_or_until_their_upload_is_withdrawn",
    ),
    mutant(
        "trust settles what nobody doubted", "shared.procedures.data_decisions",
        'known is None or known.state != "doubted"', "known is None",
        "flow/test_withdrawn.py::test_trust_in_rows_that_nobody_doubts_moves_no_version",
    ),
    mutant(
        "scores that lie elsewhere are no alarm", "shared.steps.release_model",
        "problem = problem or score_alarm(", "problem = problem or \"\" and score_alarm(",
        "flow/test_rollout.py::test_scores_that_lie_elsewhere_on_the_same_clients_roll_it_back",
    ),
    mutant(
        "a dozen clients roll a release back", "shared.domain.models.baking",
        "max(least, chance(TENTHS, 2 / rows)) if rows else least", "least",
        "flow/test_rollout.py::test_few_clients_say_little_of_scores",
    ),
    mutant(
        "a person's choice is overruled by an alarm", "shared.procedures.release",
        "decided = bool(release.requested_ms or release.rollout.value.operation)", "decided = False",
        "flow/test_rollout.py::test_a_person_who_wants_other_scores_is_not_overruled",
    ),
    mutant(
        "a batch is compared at every look", "shared.procedures.release",
        'or batch.id == rollout.scores.get("batch"):', ":",
        "flow/test_rollout.py::test_a_batch_is_compared_once_and_one_from_before_the_watch_never",
    ),
    mutant(
        "faults that clients meet are no alarm", "shared.steps.release_model",
        "problem = problem or request_alarm(", "problem = problem or \"\" and request_alarm(",
        "flow/test_rollout.py::test_more_faults_than_the_serving_model_has_roll_it_back",
    ),
    mutant(
        "two faults roll a release back", "shared.domain.models.baking",
        'new["errors"] < LEAST_FAULTS', 'not new["errors"]',
        "flow/test_rollout.py::test_a_fault_or_two_among_few_requests_roll_nothing_back",
    ),
    mutant(
        "metrics that are late hold a release up", "shared.procedures.release",
        "    except (Transient, Refused):\n        return release  # no",
        "    except ZeroDivisionError:\n        return release  # no",
        "flow/test_rollout.py::test_metrics_that_cannot_be_read_hold_no_release_up",
    ),
    # traces
    mutant(
        "a claim whose answer was lost is taken for another's", "shared.ledger.claims",
        'holder:\n                return Claim(fact=fact, row=there)  # it was done',
        '"":\n                return Claim(fact=fact, row=there)  # it was done',
        "flow/test_given_back.py::test_a_claim_whose_answer_was_lost_is_its_workers",
    ),
    mutant(
        "a claim that failed before it was noted is kept", "shared.flow",
        "        if claim.outcome is None:\n            ledger.claims.free",
        "        if False:\n            ledger.claims.free",
        "flow/test_given_back.py::test_an_action_that_could_not_be_begun_is_begun_when_it_is_asked_for_again",
    ),
    mutant(
        "what nobody may be at is dropped", "functions.delivery",
        "if not expected and not wiring.services().ledger.outbox.is_open(fact):", "if False:",
        "flow/test_given_back.py::test_what_could_not_even_be_given_back_is_not_taken_for_being_done",
    ),
    mutant(
        "sequels of a fact that is open again are done again", "shared.flow",
        "    if again:\n        due = [", "    if False:\n        due = [",
        "flow/test_delivered_twice.py::test_a_fact_that_is_open_again_does_not_have_its_sequels_done_again",
    ),
    mutant(
        "a worker that was away does not look at its claim", "shared.ledger.outbox",
        "if claim and (transaction.doubtful or self._has_lapsed(claim)):", "if claim and transaction.doubtful:",
        "flow/test_given_back.py::test_a_worker_that_was_away_for_longer_than_its_lease_logs_no_event_twice",
    ),
    mutant(
        "an operation that nobody may be at is said to be accepted", "functions.http.dependencies.actions",
        "if not self.services.ledger.outbox.is_open(requested):", "if False:",
        "http/test_actions.py::test_an_operation_that_nobody_may_be_at_is_not_said_to_be_accepted",
    ),
    mutant(
        "a retry begins a trace of its own", "shared.ledger.claims",
        '"holder": holder, **in_its_trace(fact)}', '"holder": holder}',
        "flow/test_traces.py::test_attempts_in_vain_are_in_one_trace_with_the_one_that_goes_well",
    ),
    mutant(
        "a lost message loses its trace", "shared.ledger.outbox",
        '{"fact": fact.to_json(), **in_its_trace(fact)}', '{"fact": fact.to_json()}',
        "flow/test_traces.py::test_a_lost_message_is_published_again_in_its_trace",
    ),
    mutant(
        "a clock's trace goes on in all that it finds", "shared.flow",
        "active if asked else None, services)", "active, services)",
        "flow/test_traces.py::test_a_clock_is_the_beginning_of_no_trace_and_finds_each_batch_in_one_of_its_own",
    ),
    mutant(
        "a run is found due before its version is recorded", "shared.steps.reconcile",
        'if services.ledger.find("dataset", names.dataset_id(dataset, newest)) is None:', "if False:",
        "flow/test_traces.py::test_a_crash_at_any_call_breaks_no_trace",
    ),
    mutant(
        "a fact is taken from the reconciler before a person is told of it", "functions.delivery",
        "        _record(dead)\n        services.ledger.outbox.dead_letter(fact, retries=dead.retries)\n",
        "        services.ledger.outbox.dead_letter(fact, retries=dead.retries)\n        _record(dead)\n",
        "unit/functions/test_delivery.py::test_whoever_dies_while_a_fact_is_given_up_a_person_is_told_once",
    ),
    mutant(
        "a fact that a person was told of stays the reconciler's", "shared.steps.reconcile",
        "if dead is not None and services.ledger.outbox.is_done(dead):", "if False:",
        "unit/functions/test_delivery.py::test_whoever_dies_while_a_fact_is_given_up_a_person_is_told_once",
    ),
    mutant(
        "a fact that somebody is at is given up", "shared.procedures.dead_letters",
        "if entry and ledger.claims.is_held(entry):", "if False:",
        "unit/functions/test_delivery.py::test_a_fact_that_somebody_is_at_is_not_given_up_but_looked_at_again",
    ),
    mutant(
        "a fact that was given back is taken away again", "shared.ledger.outbox",
        "if retried or done or", "if done or",
        "unit/ledger/test_outbox.py::test_a_dead_letter_is_nobodys_until_it_is_reopened",
    ),
    *GATE_AND_ROLLOUT,
    *OPERATIONS,
    *ALERTS,
    *HOSTILE,
    *SNAPSHOTS,
)  # fmt: skip
