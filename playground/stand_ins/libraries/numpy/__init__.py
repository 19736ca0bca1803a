"""A stand-in for NumPy where there is none: arrays of one dimension over lists, with what the simulated path asks of them.

It is for files of a dozen rows. What it does not have raises AttributeError or NotImplementedError, and never guesses.
"""

from __future__ import annotations

import builtins
import math
import operator
import struct
from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from types import SimpleNamespace

__version__ = "stand-in"
nan, inf, pi = math.nan, math.inf, math.pi
newaxis = None


class generic:
    """What a number may be stored as; called, it makes one."""

    kind, code, size = "", "", 0


class _Whole(generic):
    kind = "i"
    signed = True

    def __new__(cls, value=0):
        if isinstance(value, ndarray):
            return value.astype(cls)
        return cls.made(value)

    @classmethod
    def made(cls, value):
        """As it is kept: it wraps around."""
        bits, value = cls.size * 8, int(value)
        value &= (1 << bits) - 1
        return value - (1 << bits) if cls.signed and value >> (bits - 1) else value


class _Fraction(generic):
    kind = "f"

    def __new__(cls, value=0.0):
        return cls.made(value)

    @classmethod
    def made(cls, value):
        return float("nan") if value is None else float(value)


class int8(_Whole):
    code, size = "b", 1


class int16(_Whole):
    code, size = "h", 2


class int32(_Whole):
    code, size = "i", 4


class int64(_Whole):
    code, size = "q", 8


class uint8(_Whole):
    code, size, signed, kind = "B", 1, False, "u"


class uint16(_Whole):
    code, size, signed, kind = "H", 2, False, "u"


class uint32(_Whole):
    code, size, signed, kind = "I", 4, False, "u"


class uint64(_Whole):
    code, size, signed, kind = "Q", 8, False, "u"


class float32(_Fraction):
    code, size = "f", 4

    @classmethod
    def made(cls, value):
        return struct.unpack("<f", struct.pack("<f", value))[0]


class float64(_Fraction):
    code, size = "d", 8


class bool_(generic):
    kind, code, size = "b", "?", 1

    def __new__(cls, value=False):
        return bool(value)

    @classmethod
    def made(cls, value):
        return bool(value)


class object_(generic):
    kind = "O"

    @classmethod
    def made(cls, value):
        return value


floating, integer, number = _Fraction, _Whole, generic
_KINDS = {kind.__name__.rstrip("_"): kind for kind in (
    int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, bool_, object_,
)}  # fmt: skip
_SHORT = {"i1": int8, "i2": int16, "i4": int32, "i8": int64, "u1": uint8, "u4": uint32, "u8": uint64,
          "f4": float32, "f8": float64}  # fmt: skip


def _type_of(given) -> type[generic]:
    if isinstance(given, dtype):
        return given.type
    if isinstance(given, str):
        return _SHORT.get(given.lstrip("<=")) or _KINDS[given]
    return {int: int64, float: float64, bool: bool_, object: object_}.get(given) or given


class dtype:
    """How an array's numbers are stored."""

    def __init__(self, given) -> None:
        self.type = _type_of(given)
        self.kind, self.itemsize, self.name = self.type.kind, self.type.size, self.type.__name__.rstrip("_")

    def __class_getitem__(cls, _):
        return cls

    def __eq__(self, other) -> bool:
        try:
            return self.type is _type_of(other)
        except (KeyError, TypeError):
            return False

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        return f"dtype({self.name!r})"


def _guessed(values) -> type[generic]:
    if values and builtins.all(isinstance(value, bool) for value in values):
        return bool_
    if values and builtins.all(isinstance(value, int) for value in values):
        return int64
    if builtins.all(isinstance(value, int | float) for value in values):
        return float64
    return object_


def _wider(one, other) -> type[generic]:  # noqa: PLR0911  (it is a table)
    """The type of what comes of both."""
    if one is other:
        return one
    if object_ in (one, other):
        return object_
    if "f" in (one.kind, other.kind):
        return float64 if float64 in (one, other) or one.kind != other.kind else float32
    if one is bool_ or other is bool_:
        return other if one is bool_ else one
    if one.signed == other.signed:
        return one if one.size >= other.size else other
    signed, unsigned = (one, other) if one.signed else (other, one)
    if signed.size > unsigned.size:
        return signed
    return {1: int16, 2: int32, 4: int64}.get(unsigned.size, float64)


class ndarray:
    """An array of one dimension."""

    __slots__ = ("_values", "dtype")
    __array_priority__ = 1

    def __init__(self, values, kind) -> None:
        """values: already of that kind"""
        self._values, self.dtype = values, dtype(kind)

    def __class_getitem__(cls, _):
        return cls

    # --- what it holds

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self):
        return iter(self._values)

    def __bool__(self) -> bool:
        if len(self) != 1:
            raise ValueError("the truth of an array is ambiguous")
        return bool(self._values[0])

    def __repr__(self) -> str:
        return f"array({self._values!r}, {self.dtype.name})"

    def __index__(self):
        raise TypeError("only one number is an index")

    @property
    def size(self) -> int:
        return len(self)

    @property
    def shape(self):
        return (len(self),)

    @property
    def ndim(self) -> int:
        return 1

    @property
    def nbytes(self) -> int:
        return len(self) * self.dtype.itemsize

    @property
    def base(self):
        return None

    def _places(self, where):
        if isinstance(where, slice):
            return range(*where.indices(len(self)))
        where = asarray(where)
        if where.dtype.kind == "b":
            if len(where) != len(self):
                raise IndexError("the mask is of another length")
            return [at for at, wanted in enumerate(where) if wanted]
        return [int(at) for at in where]

    def __getitem__(self, where):
        if isinstance(where, int):
            return self._values[where]
        return ndarray([self._values[at] for at in self._places(where)], self.dtype)

    def __setitem__(self, where, value) -> None:
        made = self.dtype.type.made
        if isinstance(where, int):
            self._values[where] = made(value)
            return
        places = self._places(where)
        values = list(value) if hasattr(value, "__len__") else [value] * len(places)
        for at, one in zip(places, values, strict=True):
            self._values[at] = made(one)

    def tolist(self):
        return list(self._values)

    def item(self):
        [only] = self._values
        return only

    def copy(self):
        return ndarray(list(self._values), self.dtype)

    def astype(self, kind, copy=True):
        kind = _type_of(kind)
        return ndarray([kind.made(value) for value in self._values], kind)

    def view(self, kind):
        return frombuffer(self.tobytes(), dtype=kind)

    def tobytes(self) -> bytes:
        return struct.pack(f"<{len(self)}{self.dtype.type.code}", *self._values)

    def __bytes__(self) -> bytes:
        return self.tobytes()

    def reshape(self, *_):
        raise NotImplementedError("arrays of two dimensions")

    # --- what is made of it

    def _with(self, other, do, kind=None):
        if isinstance(other, ndarray | list | tuple):
            other = asarray(other)
            if len(other) == 1 != len(self):
                other = ndarray(other._values * len(self), other.dtype)
            mine = self._values * len(other) if len(self) == 1 != len(other) else self._values
            pairs, theirs = zip(mine, other._values, strict=True), other.dtype.type
        else:
            theirs = self.dtype.type  # a plain number takes the array's type, but for fractions
            if isinstance(other, float) and self.dtype.kind != "f":
                theirs = float64
            elif not isinstance(other, bool) and self.dtype.kind == "b":
                theirs = int64
            pairs = ((value, other) for value in self._values)
        kind = kind or _wider(self.dtype.type, theirs)
        return ndarray([kind.made(do(*pair)) for pair in pairs], kind)

    def __add__(self, other):
        return self._with(other, operator.add)

    __radd__ = __add__

    def __sub__(self, other):
        return self._with(other, operator.sub)

    def __rsub__(self, other):
        return self._with(other, lambda mine, theirs: theirs - mine)

    def __mul__(self, other):
        return self._with(other, operator.mul)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._with(other, _divided, float64)

    def __rtruediv__(self, other):
        return self._with(other, lambda mine, theirs: _divided(theirs, mine), float64)

    def __floordiv__(self, other):
        return self._with(other, operator.floordiv)

    def __mod__(self, other):
        return self._with(other, operator.mod)

    def __pow__(self, other):
        return self._with(other, operator.pow)

    def __lshift__(self, other):
        return self._with(other, operator.lshift)

    def __rshift__(self, other):
        return self._with(other, operator.rshift)

    def __and__(self, other):
        return self._with(other, operator.and_)

    __rand__ = __and__

    def __or__(self, other):
        return self._with(other, operator.or_)

    __ror__ = __or__

    def __xor__(self, other):
        return self._with(other, operator.xor)

    __rxor__ = __xor__

    def _in_place(do):
        def done(self, other):
            self._values[:] = do(self, other).astype(self.dtype)._values
            return self

        return done

    __iadd__, __isub__, __imul__ = _in_place(__add__), _in_place(__sub__), _in_place(__mul__)
    __ior__, __iand__ = _in_place(__or__), _in_place(__and__)

    def __invert__(self):
        if self.dtype.kind == "b":
            return ndarray([not value for value in self._values], bool_)
        return ndarray([self.dtype.type.made(~value) for value in self._values], self.dtype)

    def __neg__(self):
        return ndarray([self.dtype.type.made(-value) for value in self._values], self.dtype)

    def __eq__(self, other):
        return self._with(other, operator.eq, bool_)

    def __ne__(self, other):
        return self._with(other, operator.ne, bool_)

    def __lt__(self, other):
        return self._with(other, operator.lt, bool_)

    def __le__(self, other):
        return self._with(other, operator.le, bool_)

    def __gt__(self, other):
        return self._with(other, operator.gt, bool_)

    def __ge__(self, other):
        return self._with(other, operator.ge, bool_)

    __hash__ = None

    # --- what it comes to

    def all(self) -> bool:
        return builtins.all(self._values)

    def any(self) -> bool:
        return builtins.any(self._values)

    def sum(self, dtype=None):
        total = builtins.sum(self._values)
        return float(math.fsum(self._values)) if self.dtype.kind == "f" else total

    def mean(self):
        return self.sum() / len(self) if len(self) else nan

    def min(self, initial=None):
        return builtins.min([*self._values, *([] if initial is None else [initial])])

    def max(self, initial=None):
        return builtins.max([*self._values, *([] if initial is None else [initial])])

    def argmax(self) -> int:
        return self._values.index(self.max())

    def cumsum(self, dtype=None):
        return cumsum(self, dtype)


def _divided(one, other):
    if other:
        return one / other
    return nan if not one or math.isnan(one) else math.copysign(inf, one)


# --- made of something else ---------------------------------------------------------------------------------------


def asarray(given, dtype=None):
    if isinstance(given, ndarray):
        return given if dtype is None or given.dtype == dtype else given.astype(dtype)
    if hasattr(given, "to_numpy"):
        return asarray(given.to_numpy(zero_copy_only=False), dtype)
    values = list(given)
    kind = _guessed(values) if dtype is None else _type_of(dtype)
    return ndarray([kind.made(value) for value in values], kind)


def array(given, dtype=None, copy=True):
    made = asarray(given, dtype)
    return made.copy() if made is given else made


def full(size, value, dtype=None):
    kind = _guessed([value]) if dtype is None else _type_of(dtype)
    return ndarray([kind.made(value)] * _one(size), kind)


def _one(size) -> int:
    if isinstance(size, tuple):
        if len(size) != 1:
            raise NotImplementedError("arrays of two dimensions")
        return int(size[0])
    return int(size)


def zeros(size, dtype=float64):
    return full(size, 0, dtype)


def ones(size, dtype=float64):
    return full(size, 1, dtype)


empty = zeros


def zeros_like(like, dtype=None):
    return full(len(like), 0, dtype or like.dtype)


def ones_like(like, dtype=None):
    return full(len(like), 1, dtype or like.dtype)


def arange(*bounds, dtype=None):
    kind = int64 if dtype is None else _type_of(dtype)
    return ndarray([kind.made(at) for at in range(*map(int, bounds))], kind)


def linspace(start, stop, num=50):
    step = (stop - start) / (num - 1)
    return ndarray([start + step * at for at in range(num - 1)] + [float(stop)], float64)


def frombuffer(data, dtype=float64, count=-1, offset=0):
    kind, data = _type_of(dtype), bytes(data)[offset:]
    size = len(data) // kind.size if count < 0 else count
    return ndarray(list(struct.unpack(f"<{size}{kind.code}", data[: size * kind.size])), kind)


# --- of one array -------------------------------------------------------------------------------------------------


def flatnonzero(given):
    return ndarray([at for at, value in enumerate(given) if value], int64)


def count_nonzero(given) -> int:
    return builtins.sum(1 for value in given if value)


def cumsum(given, dtype=None):
    given = asarray(given)
    kind = _type_of(dtype) if dtype else int64 if given.dtype.kind in "ib" else given.dtype.type
    return ndarray([kind.made(value) for value in accumulate(given)], kind)


def diff(given, prepend=None, append=None):
    values = [*([] if prepend is None else [prepend]), *given, *([] if append is None else [append])]
    return array([after - before for before, after in pairwise(values)], asarray(given).dtype)


def delete(given, places):
    gone, given = {int(at) for at in places}, asarray(given)
    return ndarray([value for at, value in enumerate(given) if at not in gone], given.dtype)


def repeat(given, times):
    given = asarray(given)
    times = [int(times)] * len(given) if isinstance(times, int) else [int(one) for one in times]
    return ndarray([value for value, n in zip(given, times, strict=True) for _ in range(n)], given.dtype)


def unique(given, return_counts=False, return_inverse=False):
    given = asarray(given)
    found = sorted(set(given))
    made = [ndarray(found, given.dtype)]
    if return_inverse:
        place = {value: at for at, value in enumerate(found)}
        made.append(ndarray([place[value] for value in given], int64))
    if return_counts:
        made.append(ndarray([given.tolist().count(value) for value in found], int64))
    return made[0] if len(made) == 1 else tuple(made)


def sort(given):
    given = asarray(given)
    return ndarray(sorted(given), given.dtype)


def argsort(given, kind=None):
    values = list(given)
    return ndarray(sorted(range(len(values)), key=values.__getitem__), int64)


def lexsort(keys):
    """By the last key first."""
    rows = list(zip(*[list(key) for key in reversed(keys)], strict=True))
    return ndarray(sorted(range(len(rows)), key=rows.__getitem__), int64)


def bincount(given, weights=None, minlength=0):
    places = [int(value) for value in given]
    size = builtins.max([minlength, *(at + 1 for at in places)])
    counts = [0.0 if weights is not None else 0] * size
    for row, at in enumerate(places):
        counts[at] += 1 if weights is None else weights[row]
    return ndarray(counts, int64 if weights is None else float64)


def quantile(given, at, method="linear"):
    values = sorted(given)
    if hasattr(at, "__len__"):
        return array([quantile(values, one, method) for one in at], float64)
    place = at * (len(values) - 1)
    low = math.floor(place)
    high = builtins.min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def _each(do, kind=None):
    def done(given):
        if not isinstance(given, ndarray):
            return done(asarray(given)) if hasattr(given, "__len__") else (kind or float64).made(do(given))
        made = kind or float64
        return ndarray([made.made(do(value)) for value in given], made)

    return done


def _logarithm(value):
    return math.log(value) if value > 0 else -inf if value == 0 else nan


isnan = _each(math.isnan, bool_)
isfinite = _each(math.isfinite, bool_)
log, log1p, exp, sqrt = _each(_logarithm), _each(math.log1p), _each(math.exp), _each(math.sqrt)
floor = _each(math.floor)


def abs(given):
    return (
        ndarray([builtins.abs(value) for value in given], given.dtype)
        if isinstance(given, ndarray)
        else builtins.abs(given)
    )


def clip(given, low, high):
    given = asarray(given)
    return given._with(0, lambda value, _: builtins.min(builtins.max(value, low), high))


def maximum(one, other):
    return asarray(one)._with(other, builtins.max)


def minimum(one, other):
    return asarray(one)._with(other, builtins.min)


def sum(given):
    return asarray(given).sum()


def mean(given):
    return asarray(given).mean()


def all(given):
    return asarray(given).all()


def any(given):
    return asarray(given).any()


# --- of several ---------------------------------------------------------------------------------------------------


def concatenate(parts):
    parts = [asarray(part) for part in parts]
    kind = parts[0].dtype.type
    for part in parts[1:]:
        kind = _wider(kind, part.dtype.type)
    return ndarray([kind.made(value) for part in parts for value in part], kind)


def where(condition, one=None, other=None):
    if one is None:
        return (flatnonzero(condition),)
    size = len(condition)
    one, other = (
        part if isinstance(part, ndarray) else asarray(part) if hasattr(part, "__len__") else part
        for part in (one, other)
    )
    kinds = [part.dtype.type for part in (one, other) if isinstance(part, ndarray)]
    plain = [part for part in (one, other) if not isinstance(part, ndarray)]
    kind = _wider(*kinds) if len(kinds) == 2 else kinds[0] if kinds else _guessed(plain)
    if kinds and builtins.any(isinstance(value, float) for value in plain) and kind.kind != "f":
        kind = float64
    one, other = (part if isinstance(part, ndarray) else full(size, part, kind) for part in (one, other))
    return ndarray([kind.made(a if c else b) for c, a, b in zip(condition, one, other, strict=True)], kind)


def isin(given, among):
    wanted = set(among)
    return ndarray([value in wanted for value in given], bool_)


def searchsorted(within, wanted, side="left"):
    within, find = list(within), bisect_left if side == "left" else bisect_right
    if not hasattr(wanted, "__len__"):
        return find(within, wanted)
    return ndarray([find(within, value) for value in wanted], int64)


def array_equal(one, other) -> bool:
    return list(one) == list(other)


class _Add:
    @staticmethod
    def reduceat(given, starts, dtype=None):
        given, starts = list(given), [int(at) for at in starts]
        ends = [*starts[1:], len(given)]
        return array(
            [
                builtins.sum(given[start:end]) if start < end else given[start]
                for start, end in zip(starts, ends, strict=True)
            ],
            dtype or int64,
        )

    @staticmethod
    def at(given, places, values) -> None:
        values = list(values) if hasattr(values, "__len__") else [values] * len(places)
        for at, value in zip(places, values, strict=True):
            given[int(at)] = given[int(at)] + value


add = _Add


def iinfo(kind):
    kind = _type_of(kind)
    bits = kind.size * 8 - kind.signed
    return SimpleNamespace(min=-(1 << bits) if kind.signed else 0, max=(1 << bits) - 1)


def issubdtype(kind, of) -> bool:
    return issubclass(_type_of(kind), of)


class errstate:
    """Says nothing anyway."""

    def __init__(self, **_) -> None: ...

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None: ...
