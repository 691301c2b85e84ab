"""Struct rows laid out for one CPU: C's natural alignment, sizes from cpus.tbl.

Values travel as a `Record`: a flat mapping from dotted field name (`atime.sec`) to number, bytes or tuple.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Protocol

from compat.abi.conventions import Cpu
from compat.abi.flags import ConstantType, FlagType
from compat.abi.rows import StructRow, TypeExpr, show_type
from compat.data import dataclass, replace
from compat.errors import BadTable

__all__ = ["Layout", "Leaf", "Record", "lay_out"]

_FORMATS = {"I8": "b", "U8": "B", "I16": "h", "U16": "H", "I32": "i", "U32": "I", "I64": "q", "U64": "Q"}

_LARGEST = 1 << 16  # bytes of a struct, and elements of an array in it


class Record(dict[str, object]):
    """Field values by dotted name, also as attributes where the name has no dot."""

    def __getattr__(self, name: str) -> object:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def int(self, name: str) -> int:
        """The field *name* as a number."""
        value = self[name]
        assert isinstance(value, int), name
        return value


@dataclass(frozen=True)
class Leaf:
    """One scalar, byte string or fixed array inside a struct; *count* 0 means a single value.

    *kind* is the type's name; *values* names the numbers of a flag or constant."""

    name: str
    offset: int
    format: str
    size: int
    count: int = 0
    kind: str = ""
    values: FlagType | ConstantType | None = None


class Layout:
    """A struct for one CPU: *size* and *align* in bytes, `fields` with offsets, `widths` of fields in bytes by name,
    `pack` and `unpack`."""

    def __init__(self, name: str, order: str, leaves: tuple[Leaf, ...], size: int, align: int) -> None:
        self.name = name
        self.size = size
        self.align = align
        self.fields = leaves
        self._order = order
        self._names = tuple(leaf.name for leaf in leaves)
        self.widths = {leaf.name: leaf.size for leaf in leaves}
        self._simple = all(leaf.count == 0 for leaf in leaves)
        self._struct = struct.Struct(order + _format_text(leaves, size))

    def offset(self, field: str) -> int:
        """Byte offset of the field with that dotted name; raises KeyError."""
        for leaf in self.fields:
            if leaf.name == field:
                return leaf.offset
        raise KeyError(field)

    def pack(self, values: Mapping[str, object]) -> bytes:
        """The struct's bytes; missing fields are 0. Raises OSError(EOVERFLOW) for a number that does not fit,
        as Linux's cp_new_stat does (fs/stat.c)."""
        arguments = list[object]()
        for leaf in self.fields:
            value = values.get(leaf.name)
            if leaf.count:
                items = tuple(value) if isinstance(value, (tuple, list)) else ()
                arguments.extend(items[: leaf.count] + (0,) * (leaf.count - len(items)))
            else:
                arguments.append((b"" if leaf.format.endswith("s") else 0) if value is None else value)
        try:
            return self._struct.pack(*arguments)
        except struct.error:
            raise OSError(errno.EOVERFLOW, f"a value does not fit struct {self.name}") from None

    def unpack(self, data: bytes) -> Record:
        """The fields of *data*, which must be exactly `size` bytes."""
        raw = self._struct.unpack(data)
        if self._simple:
            return Record(zip(self._names, raw, strict=True))
        record, index = Record(), 0
        for leaf in self.fields:
            width = leaf.count or 1
            record[leaf.name] = raw[index : index + width] if leaf.count else raw[index]
            index += width
        return record


def _format_text(leaves: tuple[Leaf, ...], size: int) -> str:
    text, position = "", 0
    for leaf in leaves:
        text += f"{leaf.offset - position}x" if leaf.offset > position else ""
        text += f"{leaf.count or ''}{leaf.format}"
        position = leaf.offset + leaf.size
    return text + (f"{size - position}x" if size > position else "")


class Types(Protocol):
    """What a layout must know of the types that fields name; each answers None for a name that is no such type."""

    def scalar(self, name: str) -> str | None:
        """I32, U64 …"""

    def struct(self, name: str) -> Layout | None: ...

    def values(self, name: str) -> FlagType | ConstantType | None: ...


def lay_out(row: StructRow, cpu: Cpu, types: Types) -> Layout:
    """Lay out *row* for *cpu*; raises BadTable for an unknown type."""
    plan = _Plan(row, cpu, types)
    leaves, position, align = list[Leaf](), 0, 1
    for field in row.fields:
        inner, size, alignment = plan.field(field.name, field.type)
        position = -(-position // alignment) * alignment
        leaves += [replace(leaf, offset=leaf.offset + position) for leaf in inner]
        position += size
        align = max(align, alignment)
    total = -(-position // align) * align
    if total > _LARGEST:
        raise BadTable(f"{row.place}: struct {row.name} has {total} bytes")
    return Layout(row.name, cpu.order, tuple(leaves), total, align)


@dataclass(frozen=True)
class _Plan:
    """Where one struct's fields go. Each method returns (leaves at relative offsets, size, alignment)."""

    row: StructRow
    cpu: Cpu
    types: Types

    def field(self, name: str, expr: TypeExpr) -> tuple[list[Leaf], int, int]:
        if expr.name == "Bytes" and len(expr.arguments) == 1 and isinstance(expr.arguments[0], int):
            size = expr.arguments[0]
            return [Leaf(name, 0, f"{size}s", size)], size, 1
        if expr.name == "Array" and len(expr.arguments) == 2:
            return self._array(name, expr)
        word = self.types.scalar(expr.name)
        if word is not None:
            return self._scalar(name, expr, word)
        layout = self.types.struct(expr.name)
        if layout is None:
            raise self._error(name, f"unknown type {show_type(expr)}")
        return [replace(leaf, name=f"{name}.{leaf.name}") for leaf in layout.fields], layout.size, layout.align

    def _scalar(self, name: str, expr: TypeExpr, word: str) -> tuple[list[Leaf], int, int]:
        """A number; `U16[PollEvents]` is one whose values have names."""
        size = int(word[1:]) // 8
        meaning = expr
        if expr.arguments:
            (inner, *rest) = expr.arguments
            if rest or not isinstance(inner, TypeExpr) or self.types.values(inner.name) is None:
                raise self._error(name, f"unknown type {show_type(expr)}")
            meaning = inner
        leaf = Leaf(name, 0, _FORMATS[word], size, 0, meaning.name, self.types.values(meaning.name))
        return [leaf], size, self.cpu.align64 if size == 8 else size

    def _array(self, name: str, expr: TypeExpr) -> tuple[list[Leaf], int, int]:
        element, count = expr.arguments
        if not isinstance(element, TypeExpr) or not isinstance(count, int) or not 0 < count <= _LARGEST:
            raise self._error(name, "expected Array[Type, number]")
        inner, size, alignment = self.field(name, element)
        if len(inner) == 1 and inner[0].name == name and inner[0].count == 0 and not inner[0].format.endswith("s"):
            return [replace(inner[0], size=size * count, count=count)], size * count, alignment
        leaves = [
            replace(leaf, name=f"{name}.{k}{leaf.name[len(name) :]}", offset=leaf.offset + k * size)
            for k in range(count)
            for leaf in inner
        ]
        return leaves, size * count, alignment

    def _error(self, name: str, what: str) -> BadTable:
        return BadTable(f"{self.row.place}: struct {self.row.name}, field {name}: {what}")
