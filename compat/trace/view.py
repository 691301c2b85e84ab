"""How the calls of one row read: arguments before and after, results, remarks."""

from __future__ import annotations

from collections.abc import Sequence

from compat.abi.flags import ConstantType, FlagType
from compat.abi.rows import Row
from compat.abi.show import show_handle, show_named
from compat.abi.types import FlagScalar, Memory, Pair, Scalar, Type
from compat.bind import Binder, Decode
from compat.errors import BadTable, MemoryFault
from compat.process import Thread

__all__ = ["View"]


class View:
    """One row, or a number without one. *names* are those of its arguments; *state* is the row's, or "unknown"."""

    def __init__(self, binder: Binder, row: Row | None, number: int) -> None:
        abi = binder.abi
        name = row.name if row else abi.names.get(number, "")
        self.name = name or f"number {number}"
        self.number = number if number >= 0 else abi.numbers.get(name, -1)
        self.state = row.state if row else "unknown"
        self._row = row
        self._said = False
        self._types: list[Type] = []
        self._result: Type | None = None
        self._decode, self.names = self._prepare(binder)

    def _prepare(self, binder: Binder) -> tuple[Decode, list[str]]:
        """A row that this CPU can't decode (it is not done, or has no number here) shows its slots as numbers."""
        row = self._row
        if row is not None:
            try:
                decode = binder.decode(row)
                self._types = binder.types(row)
                self._result = binder.abi.result_of(row)
                return decode, [p.name for p in row.params if p.type.name != "Varargs"]
            except BadTable:
                self._types = []
        count = min(len(binder.abi.convention.registers), 6)
        slot = Scalar("Ptr")
        self._types = [slot] * count
        return (lambda thread, a: tuple(a[1 : 1 + count])), [f"arg{k}" for k in range(count)]

    def decode(self, thread: Thread, slots: Sequence[int]) -> Sequence[object]:
        """The arguments as a shim gets them; stack slots that can't be read end them early, shown as 0."""
        try:
            return self._decode(thread, slots)
        except MemoryFault:
            return (0,) * len(self.names)

    def before(self, values: Sequence[object]) -> list[str]:
        """The arguments as they stand before the call; what the call fills is left for `after`."""
        return ["" if self._late(kind) else kind.show(value) for kind, value in zip(self._types, values, strict=True)]

    def after(self, values: Sequence[object], texts: Sequence[str], result: int | None) -> list[str]:
        """The arguments with what the call wrote; by address where it wrote nothing, because it failed."""
        shown = []
        for kind, value, text in zip(self._types, values, texts, strict=True):
            if self._late(kind):
                text = _address(value) if result is None else show_handle(value, self._filled(kind, result))
            elif isinstance(kind, Memory) and kind.direction == "InOut" and result is not None:
                now = kind.show(value)
                text += f" => {now}" if now != text else ""
            shown.append(text)
        if self.name in ("open", "openat") and not any("O_CREAT" in text or "O_TMPFILE" in text for text in shown):
            shown[self.names.index("mode")] = ""
        return shown

    def show_result(self, thread: Thread, result: int) -> str:
        """The result by its type; of two results, in two registers, both."""
        kind = self._result
        if isinstance(kind, Pair):
            return kind.show((result, thread.registers.read(thread.abi.convention.second)))
        if isinstance(kind, FlagScalar):
            return _show_named_result(kind.values, result)
        if isinstance(kind, Scalar) and kind.name != "Void":
            width = int(kind.word[1:])
            value = result & (1 << width) - 1
            if kind.word[0] == "I" and value >> (width - 1):
                value -= 1 << width
            return kind.show(value)
        return str(result)

    def remark(self) -> str:
        """What a person must know of the answer: not written, refused (said once), or no such call."""
        row, said, self._said = self._row, self._said, True
        if row is None:
            return "unimplemented: an unknown number" if self.name.startswith("number ") else "unimplemented: no row"
        if row.state == "known":
            return f"unimplemented: {row.place}"
        if row.state == "refused" and not said:
            return f"refused: {row.note}" if row.note else f"refused: {row.place}"
        return ""

    def _late(self, kind: Type) -> bool:
        """Whether the call fills what is behind the argument: Out, or the spans of readv and its kin."""
        if kind.output:
            return True
        return kind.name.startswith("In[Array[Iovec]") and ("read" in self.name or "recv" in self.name)

    def _filled(self, kind: Type, result: int) -> int | None:
        """How many bytes or elements the call wrote, where its result tells."""
        counts = isinstance(kind, Memory) and kind.direction == "Out" and kind.length
        if counts and isinstance(self._result, Scalar) and self._result.name in ("SSize", "Int", "Size", "Long"):
            return max(result, 0)
        return None


def _address(value: object) -> str:
    address = getattr(value, "address", 0)
    return f"{address:#x}" if address else "NULL"


def _show_named_result(values: FlagType | ConstantType, result: int) -> str:
    text = show_named(values, values.decode(result & 0xFFFFFFFF))
    return f"{result:#x} ({text})" if isinstance(values, FlagType) else f"{result} ({text})"
