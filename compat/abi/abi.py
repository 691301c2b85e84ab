"""`Abi`: the tables of one guest on one CPU, resolved: types, layouts, numbers, errors, signals."""

from __future__ import annotations

import errno as host_errno
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from compat.abi.conventions import Convention, find_convention
from compat.abi.flags import ConstantType, FlagType
from compat.abi.grids import StrPath
from compat.abi.handles import ScalarCodec
from compat.abi.rows import Param, Row, TypeExpr, show_type
from compat.abi.structs import Layout, lay_out
from compat.abi.tables import load_tables
from compat.abi.types import SCALARS, AddressMemory, FlagScalar, Memory, Pair, Scalar, Type, scalar_word
from compat.errors import BadTable

__all__ = ["Abi"]

_DIRECTIONS = ("In", "Out", "InOut")


class Abi:
    """One guest on one CPU. Everything is resolved on first use and kept."""

    def __init__(self, guest: str, cpu: str, extra: Sequence[StrPath] = ()) -> None:
        self.guest = guest
        self.tables = load_tables(guest, cpu, extra)
        self.folders = tuple(extra)
        self.cpu = self.tables.cpu
        self._layouts: dict[str, Layout | None] = {}
        self._types: dict[tuple[str, TypeExpr], Type] = {}
        self._named: dict[str, FlagType | ConstantType] = {}

    @cached_property
    def convention(self) -> Convention:
        return find_convention(self.tables.grids["conventions"], self.guest, self.cpu)

    @cached_property
    def names(self) -> dict[int, str]:
        """Call number → name."""
        return {number: name for name, number in self.numbers.items()}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Call name → number."""
        return self.tables.columns["numbers"]

    @cached_property
    def errors(self) -> Mapping[str, int]:
        """Error name → the guest's number."""
        return self.tables.columns["errors"]

    @cached_property
    def error_names(self) -> dict[int, str]:
        """The guest's error number → name; of two names of one number (EAGAIN, EWOULDBLOCK) the first in the grid."""
        names: dict[int, str] = {}
        for name, number in self.errors.items():
            names.setdefault(number, name)
        return names

    @cached_property
    def host_errors(self) -> dict[int, int]:
        """Host errno → the guest's number, by name: of two names of one host number the first in the grid."""
        upwards = reversed([*self.errors.items()])
        return {getattr(host_errno, name): number for name, number in upwards if hasattr(host_errno, name)}

    @cached_property
    def signals(self) -> ConstantType:
        """Signal names and the guest's numbers."""
        return ConstantType("Signal", self.tables.columns["signals"])

    def flags(self, name: str) -> FlagType:
        """A type of flags.tbl; raises BadTable if there is none."""
        found = self.values(name)
        if not isinstance(found, FlagType):
            raise BadTable(f"flags.tbl has no type {name} for {self.guest} on {self.cpu.name}")
        return found

    def constants(self, name: str) -> ConstantType:
        """A type of constants.tbl; raises BadTable if there is none."""
        found = self.values(name)
        if not isinstance(found, ConstantType):
            raise BadTable(f"constants.tbl has no type {name} for {self.guest} on {self.cpu.name}")
        return found

    def values(self, name: str) -> FlagType | ConstantType | None:
        """A type of flags.tbl, constants.tbl or signals.tbl; None for a name that is none."""
        if name == "Signal":
            return self.signals
        if name not in self._named:
            flags, constants = self.tables.values["flags"], self.tables.values["constants"]
            if name in flags:
                self._named[name] = _flag_type(name, flags[name])
            elif name in constants:
                self._named[name] = ConstantType(name, constants[name])
            else:
                return None
        return self._named[name]

    def layout(self, name: str) -> Layout:
        """The struct called *name* on this CPU; raises BadTable if there is none."""
        found = self.struct(name)
        if found is None:
            raise BadTable(f"no struct {name} for {self.guest} on {self.cpu.name}")
        return found

    def struct(self, name: str) -> Layout | None:
        """The struct called *name* on this CPU, or None."""
        if name not in self._layouts:
            self._layouts[name] = None  # a struct inside itself is an unknown type
            row = self.tables.structs.get(name)
            try:
                self._layouts[name] = lay_out(row, self.cpu, self) if row else None
            except BadTable:
                del self._layouts[name]
                raise
        return self._layouts[name]

    def scalar(self, name: str) -> str | None:
        """I32, U64 … for the name of a scalar, flag or constant type; None for another name."""
        if self._is_value_type(name):
            return "U32"
        return scalar_word(name, self.cpu.bits)

    def _is_value_type(self, name: str) -> bool:
        return name not in SCALARS and self.values(name) is not None

    def word_codec(self) -> ScalarCodec:
        """A pointer-sized unsigned integer in memory."""
        return ScalarCodec(self.cpu.word, self.cpu.endian, signed=False)

    def type_of(self, param: Param, row: Row) -> Type:
        """The type of one parameter; raises BadTable with file:line if it is unknown."""
        return self._resolve(param.type, row.place, param.name)

    def result_of(self, row: Row) -> Type:
        """The type of the result. A struct of two numbers travels in the convention's two result registers."""
        layout = self.struct(row.result.name)
        if layout is not None:
            if len(layout.fields) != 2 or not self.convention.second:
                raise BadTable(f"{row.place}: the result {row.result.name} does not fit {self.cpu.name}'s registers")
            return Pair(row.result.name)
        made = self._resolve(row.result, row.place, "the result")
        if isinstance(made, Memory):
            raise BadTable(f"{row.place}: the result can't be {show_type(row.result)}")
        return made

    def _resolve(self, expr: TypeExpr, place: str, where: str) -> Type:
        known = self._types.get((place, expr))
        if known is None:
            known = self._types[place, expr] = self._make(expr, place, where)
        return known

    def _make(self, expr: TypeExpr, place: str, where: str) -> Type:
        if expr.name in _DIRECTIONS:
            return self._memory(expr, place, where)
        if expr.name in ("Path", "Str", "StrList", "WStr"):
            if expr.arguments:
                raise BadTable(f"{place}: {where}: {show_type(expr)} is no type: {expr.name} stands alone")
            return self._text(expr)
        if expr.optional or expr.arguments:
            raise BadTable(f"{place}: {where}: {show_type(expr)} is no type: {expr.name} stands alone")
        values = self.values(expr.name) if expr.name not in SCALARS else None
        if values is not None:
            return FlagScalar(
                expr.name,
                1,
                values=values,
                key=f"decode_{expr.name}",
                bindings={f"decode_{expr.name}": values.decode},
            )
        word = scalar_word(expr.name, self.cpu.bits)
        if word is None:
            raise BadTable(f"{place}: {where}: unknown type {show_type(expr)}")
        slots = 2 if word[1:] == "64" and self.cpu.bits == 32 else 1
        special = self._special(expr.name)
        return Scalar(expr.name, slots, word=word, bits=self.cpu.bits, special=special)

    def _special(self, name: str) -> dict[int, str]:
        """Numbers of a scalar that have a name: AT_FDCWD among directory descriptors."""
        named = self.values(name) if name == "DirFd" else None
        return {number: text for text, number in named.values.items()} if isinstance(named, ConstantType) else {}

    def _text(self, expr: TypeExpr) -> Type:
        if expr.name == "StrList":
            return Memory(
                "StrList",
                handle="StringList",
                key="word",
                optional=expr.optional,
                bindings={"word": self.word_codec()},
            )
        return Memory(expr.name, handle="WString" if expr.name == "WStr" else "CString", optional=expr.optional)

    def _memory(self, expr: TypeExpr, place: str, where: str) -> Type:
        """In, Out or InOut of a T, of Bytes and their length, or of Array[T] and their number."""
        unknown = BadTable(f"{place}: {where}: unknown type {show_type(expr)}")
        inner, *rest = expr.arguments or (0,)
        counter = rest[0] if len(rest) == 1 else TypeExpr("")
        if not isinstance(inner, TypeExpr) or not isinstance(counter, TypeExpr) or len(rest) > 1:
            raise unknown
        sized = inner.name in ("Bytes", "SocketAddress", "Array")
        if sized != bool(counter.name) or counter.arguments or inner.optional:
            raise unknown
        common: dict[str, object] = {"direction": expr.name, "length": counter.name, "optional": expr.optional}
        make: Callable[..., Type] = Memory
        if inner.name == "Bytes" and not inner.arguments:
            return make(show_type(expr), handle="Buffer", **common)
        if inner.name == "SocketAddress" and not inner.arguments:
            families = self.constants("AddressFamily")
            return AddressMemory(
                show_type(expr),
                handle="Buffer",
                families=families,
                endian=self.cpu.endian,
                **common,  # type: ignore[arg-type]
            )
        element: TypeExpr | int = inner
        if inner.name == "Array":
            element = inner.arguments[0] if len(inner.arguments) == 1 else 0
        codec = self.codec(element.name) if isinstance(element, TypeExpr) and not element.arguments else None
        if codec is None or not isinstance(element, TypeExpr):
            raise unknown
        key = f"codec_{element.name}"
        handle = "ArrayHandle" if sized else "Pointer"
        return make(show_type(expr), handle=handle, codec=codec, key=key, bindings={key: codec}, **common)

    def codec(self, name: str) -> Layout | ScalarCodec | None:
        """How a struct, scalar, flag or constant lies in memory; None for an unknown name."""
        layout = self.struct(name)
        if layout is not None:
            return layout
        word = self.scalar(name)
        if word is None:
            return None
        return ScalarCodec(int(word[1:]) // 8, self.cpu.endian, signed=word[0] == "I")


def _flag_type(name: str, values: Mapping[str, int]) -> FlagType:
    """Raises BadTable for a MASK/NAME whose mask has no row."""
    for member in values:
        mask, slash, _ = member.partition("/")
        if slash and mask not in values:
            raise BadTable(f"flags.tbl: {name} has {member}, but no row for the mask {mask}")
    return FlagType(name, values)
