"""Faults seeded in the gate and in the rollout: each would let a wrong model answer, or keep a right one from it."""

from __future__ import annotations

from tests.mutants.mutant import mutant

GATE_AND_ROLLOUT = (
    # the guards and the verdict
    mutant(
        "the gate accepts every model", "shared.domain.models.guards",
        "    return [Finding(guard=name, outcome=o, reason=r, rows_needed=n) for name, (o, r, n) in found]",
        "    return []",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "the gate refuses every model", "shared.domain.models.promotion",
        "    if not found:\n        return Verdict(", "    if False:\n        return Verdict(",
        "unit/domain/test_model_guards.py::test_an_accepted_model_is_told_with_its_recipe_and_its_interval",
    ),
    mutant(
        "a model is compared with itself", "shared.domain.models.guards",
        'if model["champion_sha256"] == model["sha256"] and not', "if False and not",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "a model is compared with a wrong champion", "shared.domain.models.promotion",
        "if compared_with != serving:", "if False:",
        "unit/domain/test_model_guards.py::test_against_another_champion_only_what_needs_none_objects",
    ),
    mutant(
        "a verdict outlives the champion that it was against", "shared.steps.release_model",
        "if isinstance(fact, ModelAccepted) and (stale := stale_verdict(fact, services)):",
        "if isinstance(fact, ModelAccepted) and (stale := ()):",
        "flow/test_judged_again.py::test_an_accepted_model_that_waited_is_not_released_against_a_champion_it_never_met",
    ),
    mutant(
        "the first model may be as bad as the base rate", "shared.domain.models.guards",
        'if baseline["high"] < 0:', 'if baseline["low"] < 0:',
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "the first model may learn from rows in doubt", "shared.domain.models.guards",
        'if doubt["version"] == newest]', "if False]",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "ten held-out rows are enough for a verdict", "shared.domain.models.guards",
        "LEAST_HELD_OUT = 100", "LEAST_HELD_OUT = 10",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "a model that is surely worse may answer", "shared.domain.models.guards",
        'if found and found["low"] > MOST_WORSE', 'if found and found["low"] > 100 * MOST_WORSE',
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "a model is kept out by what chance may have done", "shared.domain.models.guards",
        'if found and found["low"] > MOST_WORSE', 'if found and found["high"] > MOST_WORSE',
        "unit/domain/test_model_guards.py::test_what_chance_may_have_done_keeps_no_refit_out",
    ),
    mutant(
        "the newest rows are not looked at apart", "shared.domain.models.guards",
        '(("the held-out rows", "comparison"), ("those of the newest version", "newest")):',
        '(("the held-out rows", "comparison"),):',
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "calibration is not looked at", "shared.domain.models.guards",
        '    "calibrated": _calibrated,\n', "",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "a segment may collapse", "shared.domain.models.guards",
        '    "no segment collapses": _no_segment_collapses,\n', "",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    mutant(
        "a model may read the length of the call", "shared.domain.models.guards",
        '    "reads nothing forbidden": _reads_nothing_forbidden,\n', "",
        "unit/domain/test_model_guards.py::test_the_guard_objects_and_no_other",
    ),
    # the choice of a recipe
    mutant(
        "the worse recipe is taken", "shared.domain.models.recipe_gate",
        "errors = [-mean / math.sqrt(variance)", "errors = [mean / math.sqrt(variance)",
        "unit/domain/test_recipe_gate.py::test_a_recipe_that_is_two_percent_better_is_taken_at_the_third_drop",
    ),
    mutant(
        "a change of recipe keeps the evidence of the one before", "shared.domain.models.recipe_gate",
        "if drop.version > since]", "if drop.version > 0]",
        "unit/domain/test_recipe_gate.py::test_each_change_begins_anew",
    ),
    mutant(
        "ten challengers are asked no more than one", "shared.domain.models.recipe_gate",
        "asked = max(len(tried), 1) / false_change", "asked = 1 / false_change",
        "unit/domain/test_recipe_gate.py::test_more_challengers_must_be_surer",
    ),
    mutant(
        "a recipe is changed for what one drop says", "shared.domain.models.recipe_gate",
        "or surest.drops < LEAST_DROPS", "or surest.drops < 1",
        "unit/domain/test_recipe_gate.py::test_two_drops_never_change_a_recipe_however_clear_they_are",
    ),
    mutant(
        "one extreme drop counts for all it is", "shared.domain.models.recipe_gate",
        "MOST_OF_ONE = 3.0", "MOST_OF_ONE = 300.0",
        "unit/domain/test_recipe_gate.py::test_the_month_in_which_everything_changes_does_not_decide_alone",
    ),
    mutant(
        "rows of a drop count as if each were of another month", "shared.domain.models.recipe_gate",
        "ALIKE = 0.002", "ALIKE = 0.0",
        "unit/domain/test_recipe_gate.py::test_rows_of_a_drop_are_alike",
    ),
    mutant(
        "a drop of three rows is evidence", "shared.domain.models.recipe_gate",
        "LEAST_ROWS = 30", "LEAST_ROWS = 1",
        "unit/pipelines/training/test_trial.py::test_a_drop_of_few_rows_is_passed_over",
    ),
    mutant(
        "a recipe is judged by rows that it had learned from", "pipelines.training.trial",
        "kept = (self.versions < version) &", "kept = (self.versions <= version) &",
        "unit/pipelines/training/test_trial.py::test_whatever_the_future_holds_a_drop_is_scored_the_same",
    ),
    mutant(
        "held-out rows are learned from", "pipelines.training.trial",
        "& ~self.held_out & ~np.isin", "& ~np.isin",
        "unit/pipelines/training/test_trial.py::test_held_out_rows_are_scored_and_not_learned_from",
    ),
    mutant(
        "rows in doubt are learned from", "pipelines.training.trial",
        "& ~np.isin(self.versions, [*doubted])", "",
        "unit/pipelines/training/test_trial.py::test_rows_in_doubt_are_not_learned_from",
    ),
    mutant(
        "a find is judged by the drops that it was searched on", "pipelines.training.trial",
        "(is_drop and recipe.searched < versions[0])", "is_drop",
        "unit/pipelines/training/test_trial.py::test_a_recipe_that_a_search_found_is_judged_on_no_drop_that_it_was_searched_on",
    ),
    # the rollout
    mutant(
        "another model's answers pass the smoke test", "shared.domain.models.smoke_test",
        "if answered != str(expected_version):", "if False:",
        "flow/test_rollout.py::test_answers_that_go_wrong_roll_it_back",
    ),
    mutant(
        "no number at all passes the smoke test", "shared.domain.models.smoke_test",
        "return math.isfinite(got) and abs(got - known) <= TOLERANCE", "return not abs(got - known) > TOLERANCE",
        "unit/domain/test_releases.py::test_an_answer_that_is_not_the_known_one_fails_the_smoke_test",
    ),
    mutant(
        "a deployment that fails its smoke test goes on", "shared.steps.release_model",
        'problem = smoke_test(plan, services) if state == "Succeeded"', 'problem = "" if state == "Succeeded"',
        "flow/test_rollout.py::test_a_deployment_that_fails_its_smoke_test_gets_no_traffic",
    ),
    mutant(
        "the traffic does not sum to a hundred", "shared.domain.models.baking",
        "return {new: percent, old: 100 - percent}", "return {new: percent, old: 100}",
        "unit/domain/test_releases.py::test_the_traffic_always_adds_up",
    ),
    mutant(
        "faults while it is watched are no alarm", "shared.domain.models.baking",
        'if "fault" in first and "fault" in second:', "if False:",
        "unit/domain/test_releases.py::test_alarms",
    ),
    mutant(
        "slowness while it is watched is no alarm", "shared.domain.models.baking",
        "if slow >= SLOW_SHARE * len(_times(new)):", "if False:",
        "unit/domain/test_releases.py::test_alarms",
    ),
    mutant(
        "a release is watched for ever where nobody asks", "shared.steps.release_model",
        "left = policy.release_baking_seconds - baked_seconds(release, services)",
        "left = policy.release_baking_seconds",
        "flow/test_rollout.py::test_no_request_at_all_holds_no_release_up",
    ),
    mutant(
        "scores that lie elsewhere hold nobody up", "shared.domain.models.shadow",
        "if moved > policy.release_shadow_psi:", "if False:",
        "unit/domain/test_releases.py::test_scores_that_moved_are_found_though_no_decision_did",
    ),
    mutant(
        "the old deployment keeps no traffic after a roll-back", "shared.procedures.rollout",
        "back = {serving.value.deployment: 100} if serving else {}", "back = {}",
        "flow/test_rollout.py::test_answers_that_go_wrong_roll_it_back",
    ),
    mutant(
        "traffic moves before the release is written down as switching", "shared.procedures.release",
        '    advance(plan.model, release.rollout, replace(release.rollout.value, stage="switching"), services)\n', "",
        "flow/test_rollout.py::test_a_roll_back_in_the_middle_of_the_switch_wins_or_comes_after_it",
    ),
    mutant(
        "who asked for a release approves it", "shared.steps.decide_release",
        "if is_same_caller(fact.by, rollout.value.by):", "if False:",
        "flow/test_rollout.py::test_who_asked_for_a_release_may_not_approve_it",
    ),
    mutant(
        "a release that a person has rejected goes on", "shared.steps.decide_release",
        'if fact.decision == "rejected":', "if False:",
        "flow/test_rollout.py::test_a_rejected_release_is_taken_down",
    ),
    mutant(
        "a release that nobody decided is released all the same", "shared.steps.release_model",
        'goes_on = services.policy.release_undecided == "release"', "goes_on = True",
        "flow/test_rollout.py::test_a_release_that_nobody_decides_on_is_decided_at_its_time",
    ),
)  # fmt: skip
