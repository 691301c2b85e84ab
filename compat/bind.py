"""Row ↔ shim: each row becomes one composed function, everything about it resolved once.

The decoder of a row is generated Python source, as dataclasses are: `shim(thread, Buffer(memory, a[2], a[3]), a[3])`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from compat.abi.abi import Abi
from compat.abi.conventions import Convention
from compat.abi.flags import ConstantType
from compat.abi.handles import ArrayHandle, Buffer, CString, Pointer, StringList, WString
from compat.abi.rows import Row
from compat.abi.tables import PARENTS
from compat.abi.types import FlagScalar, Pair, Scalar, Type
from compat.errors import BadTable

if TYPE_CHECKING:
    from compat.process import Thread

__all__ = ["Binder", "Call", "Decode", "find_shim"]

Call = Callable[["Thread", Sequence[int]], "int | None"]
Decode = Callable[["Thread", Sequence[int]], Sequence[object]]

_HANDLES: dict[str, object] = {
    "Buffer": Buffer,
    "Pointer": Pointer,
    "CString": CString,
    "ArrayHandle": ArrayHandle,
    "StringList": StringList,
    "WString": WString,
}


class Binder:
    """Composes the rows of one Abi. Slots are the values of the convention's argument registers, then its stack.

    *convention* is the Abi's own unless another is given."""

    def __init__(self, abi: Abi, convention: Convention | None = None) -> None:
        self.abi = abi
        self.convention = convention or abi.convention
        self._offset = 1  # values[0] is the call's number
        self._registers = len(self.convention.registers)

    def call(self, row: Row) -> Call:
        """The function behind a row that is done or partly done: decode, shim, nothing else.

        Raises BadTable if the shim is missing or its parameters differ from the row's.
        """
        shim = find_shim(self.abi.guest, row)
        check_parameters(row, shim)
        if isinstance(self.abi.result_of(row), Pair):
            return self._compose(row, "two_results(thread, shim(thread{}))", {"shim": shim, "two_results": self._pair})
        return self._compose(row, "shim(thread{})", {"shim": shim})

    def _pair(self, thread: Thread, results: tuple[int, int]) -> int:
        """Put the second result into its register; the dispatcher writes the first."""
        thread.registers.write(self.convention.second, results[1] & self.abi.cpu.mask)
        return results[0]

    def decode(self, row: Row) -> Decode:
        """A function that only decodes, for the trace."""
        return self._compose(row, "[thread{}][1:]", {})  # type: ignore[return-value]

    def types(self, row: Row) -> list[Type]:
        return [self.abi.type_of(p, row) for p in row.params if p.type.name != "Varargs"]

    def case_slot(self, row: Row) -> tuple[int, ConstantType] | None:
        """Which slot's constant picks among `name/CASE` rows: the first of a type that names one of the cases."""
        cases = self.abi.tables.cases.get(row.name, {})
        types = self.types(row)
        for slot, kind in zip(self._slots(row, types), types, strict=True):
            if (
                isinstance(kind, FlagScalar)
                and isinstance(kind.values, ConstantType)
                and cases.keys() & kind.values.values
            ):
                return slot, kind.values
        return None

    def _compose(self, row: Row, body: str, bindings: dict[str, object]) -> Call:
        types = self.types(row)
        slots = self._slots(row, types)
        names = [p.name for p in row.params if p.type.name != "Varargs"]
        raw = {n: self._raw(slot, kind) for n, slot, kind in zip(names, slots, types, strict=True)}
        decoded: dict[str, str] = {}
        for name, kind in zip(names, types, strict=True):
            decoded[name] = kind.source(raw[name], "")
        arguments = ""
        environment: dict[str, object] = {**_HANDLES, **bindings, "read_slot": self._read_slot}
        for name, kind in zip(names, types, strict=True):
            length = getattr(kind, "length", "")
            if length and not isinstance(dict(zip(names, types, strict=True)).get(length), Scalar):
                raise BadTable(f"{row.place}: {name} is counted by {length}, which is no argument that is a number")
            arguments += ", " + (kind.source(raw[name], f"({decoded[length]})") if length else decoded[name])
            environment |= kind.bindings
        needs_memory = "memory" in arguments
        source = "def call(thread, a):\n"
        source += "    memory = thread.memory\n" if needs_memory else ""
        source += f"    return {body.format(arguments)}\n"
        exec(compile(source, f"<{row.place} {row.key}>", "exec"), environment)
        made = environment["call"]
        assert isinstance(made, FunctionType)
        return made

    def _slots(self, row: Row, types: Sequence[Type]) -> list[int]:
        slots, position = list[int](), 0
        for kind in types:
            if kind.slots == 2 and self.abi.cpu.pairs == "even":
                position += position % 2
            slots.append(position)
            position += kind.slots
        if position > self._registers + len(self.convention.stack):
            raise BadTable(f"{row.place}: {row.key} needs {position} slots on {self.abi.cpu.name}")
        return slots

    def _raw(self, slot: int, kind: Type) -> str:
        if kind.slots == 1:
            return self._slot(slot)
        low, high = (slot, slot + 1) if self.abi.cpu.endian == "little" else (slot + 1, slot)
        return f"({self._slot(low)} & 0xFFFFFFFF | {self._slot(high)} << 32)"

    def _slot(self, slot: int) -> str:
        if slot < self._registers:
            return f"a[{slot + self._offset}]"
        return f"read_slot(thread, a[-1] + {self.convention.stack[slot - self._registers]})"

    def first(self, thread: Thread, a: Sequence[int], count: int) -> list[int]:
        """The first *count* argument words of a call, or as many as the convention has."""
        stack = self.convention.stack[: max(0, count - self._registers)]
        found = [a[self._offset + slot] for slot in range(min(count, self._registers))]
        return found + [self._read_slot(thread, a[-1] + place) for place in stack]

    def _read_slot(self, thread: Thread, address: int) -> int:
        return self.abi.word_codec().unpack(thread.memory.read(address, self.abi.cpu.word))


def find_shim(guest: str, row: Row) -> FunctionType:
    """The function that *row* names, in the guest's shims or its parents'; raises BadTable if there is none."""
    stem, _, name = row.target.partition(".")
    for family in PARENTS[guest]:
        module = _module(f"shims.{family}.{stem}")
        found = getattr(module, name, None)
        if isinstance(found, FunctionType) and found.__module__.startswith("shims."):
            return found
    raise BadTable(
        f"{row.place}: no shim {row.target} in {' or '.join(f'shims/{f}/{stem}.py' for f in PARENTS[guest])}"
    )


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def check_parameters(row: Row, shim: FunctionType) -> None:
    """Raise BadTable unless the shim's parameters, after the thread, are named as the row's."""
    takes = list(shim.__code__.co_varnames[1 : shim.__code__.co_argcount])
    wanted = [p.name for p in row.params if p.type.name != "Varargs"]
    if takes != wanted:
        raise BadTable(f"{row.place}: {row.key} takes ({', '.join(wanted)}), shim takes ({', '.join(takes)})")
