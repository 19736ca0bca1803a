"""A mutation score, estimated: faults planted at random places of the flow, the ledger and the domain, and how many of
them the fast tests see.

    python -m tests.mutants.sample --count 200 --seed 1 --out score.json
    python -m tests.mutants.sample --out score.json --modules shared/ledger --tests tests/unit/ledger

All tests are collected once. They are run once to learn which test reaches which function; then each mutant is a fork
of this process in which one function's code is another, and the tests that reach it are run in it, the quickest first,
until one fails. So a mutant costs what its tests cost, and no start of an interpreter, and no file is touched.

The tools there are do not fit: cosmic-ray runs all the tests for each mutant, from a new interpreter; mutmut puts a
function of another name in front of each, and this product goes by the names of its steps.

source: on sampling, A. Mathur, W. Wong, Reducing the cost of mutation testing, Journal of Systems and Software 31(3) (1995)
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import math
import os
import random
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.mutant import ROOT

MODULES = ("shared/flow.py", "shared/ledger", "shared/domain")
TESTS = (
    "tests/unit/ledger",
    "tests/unit/domain",
    "tests/unit/functions",
    "tests/flow",
    "tests/simulation/test_schedules.py",
)
LONGEST_TEST, LONGEST = 1.0, 10.0
"""Seconds of a processor: of a test that is run at all, and of tests for one mutant, as they were before any fault."""
PATIENCE = 6
"""So many times as long as they took may the tests take; longer is an endless loop, which a person would see too."""

Function = tuple[str, int]
"""A file, and the line where a function of it begins."""


# --- what may be wrong ----------------------------------------------------------------------------------------------

Fault = tuple[str, Callable[[Any], ast.AST]]
"""In words, and how the node looks with it."""

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


def _faults(node: ast.AST) -> Iterator[Fault]:
    yield from _in_expressions(node)
    yield from _in_statements(node)


def _in_expressions(node: ast.AST) -> Iterator[Fault]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        other = COMPARED[type(node.ops[0])]
        yield (
            f"{type(node.ops[0]).__name__} is {other.__name__}",
            lambda n: ast.Compare(n.left, [other()], n.comparators),
        )
    elif isinstance(node, ast.BoolOp):
        either = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{type(node.op).__name__} is {type(either).__name__}", lambda n: ast.BoolOp(either, n.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not is left out", lambda n: n.operand
    elif (
        isinstance(node, ast.BinOp) and type(node.op) in COMPUTED and not isinstance(node.left, ast.Constant)
    ):
        made = COMPUTED[type(node.op)]
        yield f"{type(node.op).__name__} is {made.__name__}", lambda n: ast.BinOp(n.left, made(), n.right)
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        value = not node.value if isinstance(node.value, bool) else node.value + 1
        yield f"{node.value} is {value}", lambda n: ast.Constant(value)


def _in_statements(node: ast.AST) -> Iterator[Fault]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield "the condition is turned", lambda n: _with(n, test=ast.UnaryOp(ast.Not(), n.test))
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "None is returned", lambda n: ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "the call is left out", lambda n: ast.Pass()
    elif isinstance(node, ast.Raise):
        yield "it is not raised", lambda n: ast.Pass()
    elif isinstance(node, ast.Continue | ast.Break):
        yield (
            "the loop goes on otherwise",
            lambda n: ast.Break() if isinstance(n, ast.Continue) else ast.Continue(),
        )


def _with(node: Any, **changed: Any) -> Any:
    made = deepcopy(node)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


@dataclass(frozen=True)
class Planted:
    """One fault, at one place."""

    file: str
    function: int
    """Line where the outermost function it is in begins."""
    name: str
    place: int
    """Which node of the function, in the order of `ast.walk`."""
    nth: int
    line: int
    says: str

    def code(self) -> CodeType:
        """Of the function with the fault in it."""
        tree = ast.parse((ROOT / self.file).read_text())
        found = next(node for node in _functions(tree) if _first_line(node) == self.function)
        target = list(ast.walk(found))[self.place]
        _, change = list(_faults(target))[self.nth]
        changed = ast.fix_missing_locations(ast.copy_location(change(target), target))

        class Change(ast.NodeTransformer):
            def visit(self, node: ast.AST) -> ast.AST:
                return changed if node is target else self.generic_visit(node)

        module = compile(Change().visit(tree), str(ROOT / self.file), "exec", dont_inherit=True)
        return next(
            code
            for code in _codes(module)
            if code.co_firstlineno == self.function and code.co_name == self.name
        )


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """The outermost ones: of the module, and of its classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node)


def _first_line(node: ast.FunctionDef) -> int:
    """As the compiler counts it: a decorator's, if there is one."""
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def _codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)


def _not_run(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What is not in the function's code: made when the module is imported, or an annotation, which is never read."""
    yield from (function.args, *function.decorator_list)
    for node in ast.walk(function):
        noted = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        yield from (one for one in noted if isinstance(one, ast.AST))


def all_mutants(modules: tuple[str, ...] = MODULES) -> Iterator[Planted]:
    """Every fault that may be planted."""
    for module in modules:
        at = ROOT / module
        for path in sorted(at.rglob("*.py")) if at.is_dir() else [at]:
            for function in _functions(ast.parse(path.read_text())):
                outside = {id(one) for of in _not_run(function) for one in ast.walk(of)}
                for place, node in enumerate(ast.walk(function)):
                    if id(node) in outside:
                        continue
                    for nth, (says, _) in enumerate(_faults(node)):
                        yield Planted(
                            str(path.relative_to(ROOT)), _first_line(function), function.name, place, nth,
                            getattr(node, "lineno", 0), says,
                        )  # fmt: skip


# --- which test reaches what ----------------------------------------------------------------------------------------


@dataclass
class Reached:
    """What the tests reach, and how long each takes, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[Function, list[str]] = field(default_factory=lambda: defaultdict(list))
    failed: list[str] = field(default_factory=list)


def learn(items: list[pytest.Item], to: Path, modules: tuple[str, ...] = MODULES) -> None:
    """Runs them all, in a fork of this process, and writes down what they reach."""
    inside = tuple(str(ROOT / module) for module in modules)
    reached: set[Function] = set()
    known: dict[CodeType, bool] = {}

    def called(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and known.setdefault(code, code.co_filename.startswith(inside)):
            reached.add((code.co_filename, code.co_firstlineno))

    found: list[dict[str, Any]] = []
    signal.signal(signal.SIGPROF, _takes_too_long)
    for item in items:
        reached.clear()
        began, failed = time.process_time(), True
        signal.setitimer(signal.ITIMER_PROF, LONGEST_TEST)
        sys.setprofile(called)
        try:
            failed = any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
        except BaseException:  # noqa: BLE001  (the alarm, wherever it came)
            sys.setprofile(None)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            sys.setprofile(None)
        seconds = time.process_time() - began
        found.append({"test": item.nodeid, "seconds": seconds, "failed": failed, "reached": sorted(reached)})
    to.write_text(json.dumps(found))


def _takes_too_long(*_: object) -> None:
    sys.setprofile(None)
    raise TimeoutError(f"it takes more than {LONGEST_TEST} s of a processor")


def read(learnt: Path) -> Reached:
    made = Reached()
    for one in json.loads(learnt.read_text()):
        if one["failed"]:
            made.failed.append(one["test"])
        elif one["seconds"] <= LONGEST_TEST:
            made.seconds[one["test"]] = one["seconds"]
            for file, line in one["reached"]:
                made.tests[file, line].append(one["test"])
    return made


# --- planting -------------------------------------------------------------------------------------------------------


def plant(mutant: Planted) -> int:
    """Gives the function its other code, wherever it is held; returns: how many functions there were."""
    code, planted = mutant.code(), 0
    where = (str(ROOT / mutant.file), mutant.function, mutant.name)
    for one in gc.get_objects():
        if type(one) is FunctionType:  # and no proxy, which would load what it stands for
            there = one.__code__
            if (there.co_filename, there.co_firstlineno, there.co_name) == where:
                one.__code__, planted = code, planted + 1
    return planted


SEEN, SURVIVED, NOT_PLANTED, ENDLESS = 1, 0, 3, 4


def _tried(mutant: Planted, items: list[pytest.Item], seconds: float) -> int:
    """In a fork of this process; seconds: how long the tests took without a fault"""
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        most = math.ceil(5 + PATIENCE * seconds + time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))  # however busy the machine is
        os._exit(_in_the_fork(mutant, items))
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return ENDLESS if code == -signal.SIGXCPU else code
        time.sleep(0.02)


def _in_the_fork(mutant: Planted, items: list[pytest.Item]) -> int:
    try:
        if not plant(mutant):
            return NOT_PLANTED
        for item in items:
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=None)):
                return SEEN
    except BaseException:  # noqa: BLE001  (whatever it is: with the fault in it the tests do not pass)
        return SEEN
    return SURVIVED


def interval(seen: int, of: int) -> tuple[float, float]:
    """Of 95 %, by Wilson: holds near 0 and 1 too."""
    z, share = 1.96, seen / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def say(line: str) -> None:
    print(line, flush=True)


class Sampler:
    """A plugin of pytest's: in place of running the tests, it tries mutants by them."""

    def __init__(self, count: int, seed: int, out: Path, modules: tuple[str, ...] = MODULES) -> None:
        self.count, self.seed, self.out, self.modules = count, seed, out, modules
        self.outcomes: list[dict[str, Any]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        learnt = self.out.with_suffix(".reached.json")
        if not learnt.exists():
            child = os.fork()
            if child == 0:
                learn(list(items.values()), learnt, self.modules)
                os._exit(0)
            os.waitpid(child, 0)
        reached = read(learnt)
        say(f"{len(reached.seconds)} tests, {len(reached.failed)} of them fail: {reached.failed[:5]}")
        mutants = list(all_mutants(self.modules))
        chosen = random.Random(self.seed).sample(mutants, min(self.count, len(mutants)))
        say(f"{len(chosen)} of {len(mutants)} mutants")
        for number, mutant in enumerate(chosen, 1):
            self._try(number, mutant, items, reached)
        return True

    def _try(self, number: int, mutant: Planted, items: dict[str, pytest.Item], reached: Reached) -> None:
        tests = sorted(
            {
                test
                for test in reached.tests.get((str(ROOT / mutant.file), mutant.function), [])
                if test in items
            },
            key=lambda test: reached.seconds[test],
        )
        run, seconds = [], 0.0
        for test in tests:
            seconds += reached.seconds[test]
            if seconds > LONGEST and run:
                break
            run.append(items[test])
        code = _tried(mutant, run, min(seconds, LONGEST)) if run else SURVIVED
        outcome = {SEEN: "seen", SURVIVED: "survived" if run else "no test reaches it", ENDLESS: "endless"}
        said = outcome.get(code, "not planted" if code == NOT_PLANTED else "seen")
        place = f"{mutant.file}:{mutant.line} in {mutant.name}: {mutant.says}"
        self.outcomes.append({"mutant": place, "outcome": said, "tests": len(run), "of": len(tests)})
        say(f"{number:4} {said:<18} {len(run):4}/{len(tests):<4} {place}")
        self.out.write_text(json.dumps(self.outcomes, indent=1))

    def score(self) -> str:
        counted = Counter(one["outcome"] for one in self.outcomes)
        tried = sum(counted.values()) - counted["not planted"]
        seen = counted["seen"] + counted["endless"]
        low, high = interval(seen, tried)
        return f"{seen} of {tried} seen: {seen / tried:.3f} [{low:.3f}, {high:.3f}]; {dict(counted)}"


def main() -> int:
    made = argparse.ArgumentParser(prog="python -m tests.mutants.sample", description=__doc__.splitlines()[0])
    made.add_argument("--count", type=int, default=200, help="how many mutants (default: 200)")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument(
        "--modules", nargs="+", default=MODULES, metavar="PATH", help="where faults are planted"
    )
    made.add_argument("--tests", nargs="+", default=TESTS, metavar="PATH", help="what has to see them")
    made.add_argument("--out", type=Path, required=True, help="where the outcomes go, as JSON")
    given = made.parse_args()
    sampler = Sampler(given.count, given.seed, given.out, tuple(given.modules))
    code = pytest.main(["-m", "not slow", "-q", *given.tests], plugins=[sampler])
    print(sampler.score() if sampler.outcomes else f"nothing was tried: pytest ended with {code}")
    return 0 if sampler.outcomes else 1


if __name__ == "__main__":
    sys.exit(main())
