"""The JIT compiler: a program's machine code, made by LLVM when a model is loaded; the same for every model.

The trees are data to it, so compiling takes as long for a thousand trees as for one, and there is nothing to cache.
It works on blocks of rows, a column at a time: codes of a block first, then step after step on LANES rows at once,
then each row's leaves are added in the trees' order, as LightGBM adds them; the result is the same to the last bit.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped, unused-ignore]
from llvmlite import ir

from serving.program import CATEGORY, COLUMN, GROUP, STEP, TREE
from serving.trees import NEARLY_ZERO, Missing

LANES = 32
"""Rows that a step is carried out for at once; LLVM splits them where the processor's registers are smaller."""
BLOCK = 256
"""Rows whose codes and answers are in the nearest cache at the same time."""
ALIGNMENT = 64
"""Of scratch, in bytes: what so many lanes of 16 bits need."""
TABLES = ("columns", "column_count", "thresholds", "steps", "trees", "tree_count", "leaves", "leaf_slots")
"""A program as the kernel takes it: addresses and counts, each in 64 bits."""

_I8, _I32, _I64, _F64, _PTR = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.DoubleType(), ir.PointerType()
_CALL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_double, ctypes.c_double, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
    ctypes.c_void_p, ctypes.c_void_p,
)  # fmt: skip


class Kernel:
    """`call(tables, -sigmoid, divisor, matrix, rows, stride, scratch, out)`: addresses, and no state between calls.

    matrix: doubles, each column `stride` after the one before; scratch: BLOCK codes for each column and each slot;
    out: a double a row. ctypes releases the GIL for the call, so threads run it side by side.
    """

    def __init__(self, bits: int) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
        )
        module = llvm.parse_assembly(text(bits))
        module.triple, module.data_layout = machine.triple, str(machine.target_data)
        module.verify()
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(module, builder)
        _exp_from_libm()
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        self.call = _CALL(self._engine.get_function_address("score"))


@cache
def kernel(bits: int) -> Kernel:
    """One a process: a kernel has no state, and its machine code must live as long as anyone may call it.

    raises: RuntimeError or OSError where there is no compiling
    """
    return Kernel(bits)


def _exp_from_libm() -> None:
    """The exp that LightGBM itself calls, so that probabilities agree to the last bit. raises: OSError"""
    library = ctypes.CDLL(ctypes.util.find_library("m"))  # without a name: what this process has loaded
    try:
        address = ctypes.cast(library.exp, ctypes.c_void_p).value
    except AttributeError as cause:
        raise OSError("no exp among the C library's functions") from cause
    llvm.add_symbol("exp", address)


def text(bits: int) -> str:
    """The kernel in LLVM's language, for codes of so many bits."""
    module = ir.Module(name="trees")
    kind = ir.FunctionType(ir.VoidType(), [_PTR, _F64, _F64, _PTR, _I64, _I64, _PTR, _PTR])
    exp = ir.Function(module, ir.FunctionType(_F64, [_F64]), name="exp")
    function = ir.Function(module, kind, name="score")
    for argument in function.args:
        if isinstance(argument.type, ir.PointerType):
            argument.add_attribute("noalias")
    _Writer(ir.IRBuilder(function.append_basic_block("entry")), function, exp, bits).write()
    return str(module)


class _Writer:
    """Writes the kernel; each method is one loop of it."""

    def __init__(self, builder: Any, function: Any, exp: Any, bits: int) -> None:
        self.b, self.exp = builder, exp
        self.code, self.bits = ir.IntType(bits), bits
        self.vector = ir.VectorType(self.code, LANES)
        tables, self.sigmoid, self.divisor, self.matrix, self.rows, self.stride, self.scratch, self.out = (
            function.args
        )
        for place, name in enumerate(TABLES):
            kind = _I64 if name.endswith(("count", "slots")) else _PTR
            setattr(self, name, builder.load(self._at(tables, _int(place), _I64), typ=kind))
        self.position = builder.alloca(_I64)
        self.length = builder.alloca(_I64)

    columns: Any
    column_count: Any
    thresholds: Any
    steps: Any
    trees: Any
    tree_count: Any
    leaves: Any
    leaf_slots: Any

    def write(self) -> None:
        b = self.b
        self.slots = self._at(self.scratch, b.mul(self.column_count, _int(BLOCK)), self.code)
        with self._each(self.leaf_slots) as leaf, self._each(_int(BLOCK)) as row:
            b.store(b.trunc(leaf, self.code), self._at(self._slot(leaf), row, self.code))
        with self._each(self.rows, _int(BLOCK)) as first:
            left = b.sub(self.rows, first)
            count = b.select(b.icmp_signed("<", left, _int(BLOCK)), left, _int(BLOCK))
            self._block(first, count)
        b.ret_void()

    def _block(self, first: Any, count: Any) -> None:
        b, out = self.b, self._at(self.out, first, _F64)
        with self._each(self.column_count) as place:
            self._codes(place, self._at(self.matrix, first, _F64), count)
        with self._each(count) as row:
            b.store(ir.Constant(_F64, 0.0), self._at(out, row, _F64))
        with self._each(self.tree_count, _int(GROUP)) as place:
            self._group(place, out, count)
        with self._each(count) as row:
            at = self._at(out, row, _F64)
            raw = b.fdiv(b.load(at, typ=_F64), self.divisor)
            one = ir.Constant(_F64, 1.0)
            b.store(b.fdiv(one, b.fadd(one, b.call(self.exp, [b.fmul(self.sigmoid, raw)]))), at)

    # --- values to codes ----------------------------------------------------------------------------------

    def _codes(self, place: Any, matrix: Any, count: Any) -> None:
        b, record = self.b, self._record(self.columns, place, COLUMN)
        values = self._at(matrix, b.mul(record("feature"), self.stride), _F64)
        codes = self._at(self.scratch, b.mul(place, _int(BLOCK)), self.code)
        is_category = b.icmp_signed("==", record("kind"), _int(CATEGORY))
        with b.if_else(is_category) as (category, number):
            with category, self._each(count) as row:
                code = self._bit(b.load(self._at(values, row, _F64), typ=_F64), record("start"))
                b.store(code, self._at(codes, row, self.code))
            with number, self._each(count) as row:
                code = self._rank(b.load(self._at(values, row, _F64), typ=_F64), record)
                b.store(code, self._at(codes, row, self.code))

    def _bit(self, value: Any, first: Any) -> Any:
        """The category's bit, or none when it is not among this code's categories, negative, or not a number."""
        b = self.b
        known = b.and_(
            b.fcmp_ordered(">", value, ir.Constant(_F64, -1.0)),
            b.fcmp_ordered("<", value, ir.Constant(_F64, 2.0**31)),
        )
        category = b.fptosi(b.select(known, value, ir.Constant(_F64, -1.0)), _I64)
        bit = b.sub(category, first)
        inside = b.and_(known, b.icmp_unsigned("<", bit, _int(self.bits)))
        shift = b.trunc(b.select(inside, bit, _int(0)), self.code)
        return b.select(inside, b.shl(ir.Constant(self.code, 1), shift), ir.Constant(self.code, 0))

    def _rank(self, given: Any, record: Any) -> Any:
        """How many thresholds lie below the value, by halving without a branch; another code where it is missing."""
        b, zero = self.b, ir.Constant(_F64, 0.0)
        missing = record("missing")
        absent = b.fcmp_unordered("uno", given, given)
        gone = b.and_(absent, b.icmp_signed("==", missing, _int(Missing.NAN)))
        value = b.select(b.or_(self._nearly_zero(given), absent), zero, given)
        is_zero = b.fcmp_ordered("==", value, zero)
        gone = b.or_(gone, b.and_(is_zero, b.icmp_signed("==", missing, _int(Missing.ZERO))))
        thresholds = self._at(self.thresholds, record("start"), _F64)
        b.store(_int(0), self.position)
        b.store(record("count"), self.length)
        with self._while(lambda: b.icmp_signed(">", b.load(self.length, typ=_I64), _int(1))):
            length = b.load(self.length, typ=_I64)
            half = b.ashr(length, _int(1))
            at = b.load(self.position, typ=_I64)
            below = b.load(self._at(thresholds, b.sub(b.add(at, half), _int(1)), _F64), typ=_F64)
            b.store(b.select(b.fcmp_ordered("<", below, value), b.add(at, half), at), self.position)
            b.store(b.sub(length, half), self.length)
        at = b.load(self.position, typ=_I64)
        below = b.load(self._at(thresholds, at, _F64), typ=_F64)
        rank = b.add(at, b.zext(b.fcmp_ordered("<", below, value), _I64))
        return b.trunc(b.select(gone, record("missing_code"), rank), self.code)

    def _nearly_zero(self, value: Any) -> Any:
        above = self.b.fcmp_ordered(">=", value, ir.Constant(_F64, -NEARLY_ZERO))
        return self.b.and_(above, self.b.fcmp_ordered("<=", value, ir.Constant(_F64, NEARLY_ZERO)))

    # --- trees --------------------------------------------------------------------------------------------

    def _group(self, first: Any, out: Any, count: Any) -> None:
        b = self.b
        trees = [self._record(self.trees, b.add(first, _int(member)), TREE) for member in range(GROUP)]
        for tree in trees:
            steps = self._at(self.steps, b.mul(tree("step"), _int(STEP.itemsize)), _I8)
            with self._each(tree("steps")) as at:
                self._step(self._record(steps, at, STEP), count)
        leaves = [self._at(self.leaves, tree("leaf"), _F64) for tree in trees]
        answers = [self._slot(tree("answer")) for tree in trees]
        with self._each(count) as row:
            at = self._at(out, row, _F64)
            total = b.load(at, typ=_F64)
            for of, answer in zip(leaves, answers, strict=True):
                leaf = b.zext(b.load(self._at(answer, row, self.code), typ=self.code), _I64)
                total = b.fadd(total, b.load(self._at(of, leaf, _F64), typ=_F64))
            b.store(total, at)

    def _step(self, record: Any, count: Any) -> None:
        b = self.b
        codes = self._at(self.scratch, b.mul(record("column"), _int(BLOCK)), self.code)
        yes, no, into = (self._slot(record(name)) for name in ("yes", "no", "into"))
        mask, limit = self._all(record("mask")), self._all(record("limit"))
        with self._each(count, _int(LANES)) as row:
            code = self._lanes(codes, row)
            is_yes = b.icmp_unsigned("<=", b.and_(code, mask), limit)
            chosen = b.select(is_yes, self._lanes(yes, row), self._lanes(no, row))
            b.store(chosen, self._at(into, row, self.code), align=self._align)

    # --- words of the language ----------------------------------------------------------------------------

    @property
    def _align(self) -> int:
        return LANES * self.bits // 8

    def _lanes(self, array: Any, row: Any) -> Any:
        return self.b.load(self._at(array, row, self.code), typ=self.vector, align=self._align)

    def _all(self, value: Any) -> Any:
        """The same value in every lane."""
        b, none = self.b, ir.Constant(self.vector, ir.Undefined)
        one = b.insert_element(none, b.trunc(value, self.code), ir.Constant(_I32, 0))
        lanes = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
        return b.shuffle_vector(one, none, lanes)

    def _slot(self, number: Any) -> Any:
        return self._at(self.slots, self.b.mul(number, _int(BLOCK)), self.code)

    def _at(self, array: Any, place: Any, kind: Any) -> Any:
        return self.b.gep(array, [place], inbounds=True, source_etype=kind)

    def _record(self, table: Any, place: Any, kind: Any) -> Any:
        """The fields of a record, each loaded as 64 bits when it is needed."""
        start = self._at(table, self.b.mul(place, _int(kind.itemsize)), _I8)

        def load(name: str) -> Any:
            at = self._at(start, _int(kind.fields[name][1]), _I8)
            return self.b.sext(self.b.load(at, typ=_I32), _I64)

        return load

    @contextmanager
    def _each(self, count: Any, step: Any = None) -> Iterator[Any]:
        """A loop over 0, step, 2 step, ... below count."""
        b = self.b
        before = b.block
        head, body, after = (b.append_basic_block(name) for name in ("head", "body", "after"))
        b.branch(head)
        b.position_at_end(head)
        place = b.phi(_I64)
        place.add_incoming(_int(0), before)
        b.cbranch(b.icmp_signed("<", place, count), body, after)
        b.position_at_end(body)
        yield place
        place.add_incoming(b.add(place, _int(1) if step is None else step), b.block)
        b.branch(head)
        b.position_at_end(after)

    @contextmanager
    def _while(self, condition: Any) -> Iterator[None]:
        b = self.b
        head, body, after = (b.append_basic_block(name) for name in ("head", "body", "after"))
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(condition(), body, after)
        b.position_at_end(body)
        yield
        b.branch(head)
        b.position_at_end(after)


def _int(value: int) -> Any:
    return ir.Constant(_I64, int(value))
