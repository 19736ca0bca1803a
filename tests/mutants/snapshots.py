"""Mutants of snapshots and of what is checked when real processes are broken."""

from __future__ import annotations

from tests.mutants.mutant import mutant

HERE = "unit/commands/test_snapshots.py"

SNAPSHOTS = (
    mutant(
        "what a part has started goes on writing while it is copied", "commands.stack.snapshots",
        "for child in processes.children(pid):", "for child in ():",
        f"{HERE}::test_all_processes_are_paused_while_it_is_copied_and_none_after",
    ),
    mutant(
        "what was paused stays so", "commands.stack.snapshots",
        "                processes.wake(pid)", "                pass",
        f"{HERE}::test_what_cannot_be_copied_leaves_nothing_and_nothing_paused",
    ),
    mutant(
        "a fork has the ports of what it is of", "commands.stack.snapshots",
        "stack.move_to(_others(before))", "stack.move_to(before)",
        f"{HERE}::test_a_fork_has_other_ports",
    ),
    mutant(
        "a state may be taken back", "commands.resilience.invariants",
        "if rank(kind, after) < rank(kind, before):", "if False:",
        "unit/commands/test_chaos.py::test_a_state_that_is_taken_back_is_a_violation",
    ),
)  # fmt: skip
