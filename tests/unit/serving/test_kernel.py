"""Machine code: the same for every model, made once a process, and refused where it cannot be made."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
from types import SimpleNamespace
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from serving import kernel
from serving.compiled import Compiled, _tables, compiled
from serving.program import Program, compile_program
from serving.trees import Node, NotSupported, Tree, Trees

PROGRAM = compile_program(
    Trees(
        trees=(Tree(nodes=(Node(feature=1, left=-1, right=-2, threshold=0.5),), leaves=(-1.0, 2.0)),),
        features=2,
        sigmoid=1.0,
        averaged=False,
    )
)


def ready(program: Program = PROGRAM) -> Compiled:
    return Compiled(program, kernel.kernel(program.bits), _tables(program))


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize("bits", [8, 16])
def test_its_text_is_a_module_that_llvm_takes(bits: int) -> None:
    module = llvm.parse_assembly(kernel.text(bits))
    module.verify()
    assert {function.name for function in module.functions} == {"score", "exp"}
    assert f"<{kernel.LANES} x i{bits}>" in kernel.text(bits)


def test_it_is_made_once_for_all_models_of_a_width() -> None:
    assert kernel.kernel(8) is kernel.kernel(8)
    assert kernel.kernel(8) is not kernel.kernel(16)


@pytest.mark.parametrize("name", ["nothing", "found"])
def test_without_the_c_librarys_exp_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Another exp would agree only nearly, and nobody would know by how much."""

    def none(_: Any) -> Any:
        if name == "nothing":
            raise OSError("no such library")
        return SimpleNamespace()

    monkeypatch.setattr(ctypes, "CDLL", none)
    with pytest.raises(OSError, match="no such library" if name == "nothing" else "no exp among"):
        kernel.Kernel(8)


def test_a_machine_that_llvm_does_not_know_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Any:
        raise RuntimeError("no target for this triple")

    monkeypatch.setattr(llvm.Target, "from_default_triple", unknown)
    with pytest.raises(RuntimeError, match="no target"):
        kernel.Kernel(8)


@pytest.mark.parametrize(
    "rows", [1, kernel.LANES - 1, kernel.LANES + 1, kernel.BLOCK - 1, kernel.BLOCK + 1, 1000]
)
def test_rows_outside_of_a_whole_block_are_not_touched(rows: int) -> None:
    """The kernel works on blocks; what lies behind a caller's last row is somebody else's."""
    guarded = np.full(rows + 8, 77.0)
    matrix = np.asfortranarray(np.random.default_rng(1).normal(size=(rows, 2)))
    trees = ready()
    scratch = trees._scratch()
    start = -(-ctypes.addressof(scratch) // kernel.ALIGNMENT) * kernel.ALIGNMENT
    trees._kernel.call(
        trees._address, -PROGRAM.sigmoid, PROGRAM.divisor, matrix.ctypes.data, rows, rows, start,
        guarded.ctypes.data,
    )  # fmt: skip
    assert guarded[rows:].tolist() == [77.0] * 8
    assert guarded[:rows].tolist() == [sigmoid(2.0 if value > 0.5 else -1.0) for value in matrix[:, 1]]


def test_a_column_may_lie_further_apart_than_there_are_rows() -> None:
    """stride: doubles from a column's beginning to the next one's."""
    memory = np.full((2, 10), np.nan)
    memory[1, :3] = [0.0, 0.5, 0.6]
    out, trees = np.empty(3), ready()
    scratch = trees._scratch()
    start = -(-ctypes.addressof(scratch) // kernel.ALIGNMENT) * kernel.ALIGNMENT
    trees._kernel.call(
        trees._address, -1.0, 1.0, memory.ctypes.data, 3, 10, start, out.ctypes.data
    )  # fmt: skip
    assert out.tolist() == [sigmoid(-1.0), sigmoid(-1.0), sigmoid(2.0)]


def test_scratch_has_room_for_its_alignment() -> None:
    trees = ready()
    needed = (len(PROGRAM.columns) + PROGRAM.slots) * kernel.BLOCK * PROGRAM.bits // 8
    for _ in range(50):
        scratch = trees._scratch()
        start = -(-ctypes.addressof(scratch) // kernel.ALIGNMENT) * kernel.ALIGNMENT
        assert start % kernel.ALIGNMENT == 0
        assert start + needed <= ctypes.addressof(scratch) + ctypes.sizeof(scratch)


def test_extreme_sums_are_a_probability_still() -> None:
    for leaf, expected in ((800.0, 1.0), (-800.0, 0.0), (0.0, 0.5)):
        made = Trees(trees=(Tree(nodes=(), leaves=(leaf,)),), features=1, sigmoid=1.0, averaged=False)
        assert ready(compile_program(made)).predict(np.zeros((2, 1))).tolist() == [expected, expected]


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 3), (1, 2, 1)])
def test_a_matrix_of_another_shape_never_reaches_it(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="the trees know 2 features"):
        ready().predict(np.zeros(shape))


def test_a_text_that_is_no_model_makes_no_kernel() -> None:
    with pytest.raises(NotSupported, match="a model text of version None"):
        compiled("tree")
