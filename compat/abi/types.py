"""The types of rows: how a value travels in argument slots, what a shim receives, how the trace prints it.

A scalar decodes at once; memory becomes a handle. Each type answers four questions: `source` (the Python expression
that decodes it, composed once per row by compat.bind), `show`, `slots` and `examples`.
"""

from __future__ import annotations

from compat.abi.flags import ConstantType, FlagType
from compat.abi.handles import Buffer, ScalarCodec
from compat.abi.show import show_handle, show_named, show_number
from compat.abi.structs import Layout
from compat.data import dataclass, field
from compat.errors import MemoryFault

__all__ = ["SCALARS", "AddressMemory", "FlagScalar", "Memory", "Pair", "Scalar", "Type", "scalar_word"]

SCALARS = {
    "Int": "I32", "UInt": "U32", "Short": "I16", "UShort": "U16", "Char": "I8", "UChar": "U8",
    "I8": "I8", "I16": "I16", "I32": "I32", "I64": "I64", "U8": "U8", "U16": "U16", "U32": "U32", "U64": "U64",
    "Long": "I*", "ULong": "U*", "Size": "U*", "SSize": "I*", "Off": "I*", "Time": "I*", "ClockT": "I*", "Ptr": "U*",
    "Fd": "I32", "DirFd": "I32", "Pid": "I32", "Uid": "U32", "Gid": "U32", "Uid16": "U16", "Gid16": "U16",
    "Handle": "U*", "FileHandle": "U*", "Bool": "I32", "NtStatus": "U32", "Low32": "U32", "Double": "U*",
    "Mode": "U32", "Dev": "U32", "Void": "I*", "Varargs": "U*",
}  # fmt: skip
"""Type name → signedness and bits; * is the width of a pointer. A Double travels in a register of its own kind, so only
the runtime's rows have one, as a result."""


_LONGEST_ADDRESS = 128  # struct sockaddr_storage


def scalar_word(name: str, bits: int) -> str | None:
    """I32, U64 … for a scalar's name on a CPU of *bits*, None for a name that is no scalar."""
    word = SCALARS.get(name)
    return word.replace("*", str(bits)) if word else None


@dataclass(frozen=True)
class Type:
    """A parameter's type. *slots* is 1, or 2 for a 64-bit scalar in 32-bit registers."""

    name: str
    slots: int = 1
    bindings: dict[str, object] = field(default_factory=dict, compare=False)

    def source(self, raw: str, length: str) -> str:
        """A Python expression over *raw* (the slot), `memory`, and *length* (the decoded length argument)."""
        raise NotImplementedError

    def show(self, value: object) -> str:
        return str(value)

    @property
    def output(self) -> bool:
        """Whether the value is known only after the call."""
        return False

    @property
    def examples(self) -> tuple[int, ...]:
        return (0, 1)


@dataclass(frozen=True)
class Scalar(Type):
    """An integer. *word* is I32, U64 …; *bits* the width of a slot."""

    word: str = "I32"
    bits: int = 64
    special: dict[int, str] = field(default_factory=dict, compare=False)

    def source(self, raw: str, length: str) -> str:
        width = int(self.word[1:])
        if self.word[0] == "U":
            return raw if width >= self.bits * self.slots else f"{raw} & {(1 << width) - 1:#x}"
        sign = 1 << (width - 1)
        return f"(({raw} & {(1 << width) - 1:#x}) ^ {sign:#x}) - {sign:#x}"

    def show(self, value: object) -> str:
        if not isinstance(value, int):
            return str(value)
        if value in self.special:
            return self.special[value]
        return show_number(self.name, value)

    @property
    def examples(self) -> tuple[int, ...]:
        width = int(self.word[1:])
        low, high = (0, (1 << width) - 1) if self.word[0] == "U" else (-(1 << (width - 1)), (1 << (width - 1)) - 1)
        return (0, 1, high, low)


@dataclass(frozen=True)
class FlagScalar(Type):
    """Flags, a constant or a signal; the shim receives a FlagSet or a Constant."""

    values: FlagType | ConstantType = field(default_factory=lambda: FlagType("", {}))
    key: str = ""
    wide: bool = False

    def source(self, raw: str, length: str) -> str:
        return f"{self.key}({raw})" if self.wide else f"{self.key}({raw} & 0xFFFFFFFF)"

    def show(self, value: object) -> str:
        return show_named(self.values, value)


@dataclass(frozen=True)
class Memory(Type):
    """A pointer that becomes a handle of class *handle* over *codec*; *length* names the argument that counts it."""

    handle: str = "CString"
    codec: Layout | ScalarCodec | None = None
    key: str = ""
    direction: str = "In"
    length: str = ""
    optional: bool = False

    def source(self, raw: str, length: str) -> str:
        parts = ["memory", raw, self.key, length if self.length else ""]
        made = f"{self.handle}({', '.join(p for p in parts if p)})"
        return f"({made} if {raw} else None)" if self.optional else made

    @property
    def output(self) -> bool:
        return self.direction == "Out"

    def show(self, value: object) -> str:
        return show_handle(value)


@dataclass(frozen=True)
class AddressMemory(Memory):
    """A struct sockaddr, which begins with a number of *families* in the byte order *endian*."""

    families: FlagType | ConstantType = field(default_factory=lambda: FlagType("", {}))
    endian: str = "little"

    def show(self, value: object) -> str:
        from compat.abi.addresses import show_address  # only the trace needs it

        if not isinstance(value, Buffer) or not 2 <= value.size <= _LONGEST_ADDRESS:
            return show_handle(value)
        try:
            raw = value.read()
        except MemoryFault:
            return show_handle(value)
        family = int.from_bytes(raw[:2], "big" if self.endian == "big" else "little")
        return show_address(str(self.families.decode(family)), raw)


@dataclass(frozen=True)
class Pair(Type):
    """A result of two numbers, in the two result registers of a convention that has them (pipe on MIPS)."""

    def show(self, value: object) -> str:
        return f"[{value[0]}, {value[1]}]" if isinstance(value, tuple) else str(value)
