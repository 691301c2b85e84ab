"""Handles: typed references to guest memory, read only when a shim asks.

So the shim decides whether a bad descriptor or a bad pointer is reported first. Every method raises MemoryFault for
memory that the guest itself could not use that way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from compat.abi.structs import Layout

__all__ = ["ArrayHandle", "Buffer", "CString", "Codec", "Memory", "Pointer", "ScalarCodec", "StringList", "WString"]

_T = TypeVar("_T")


class Memory(Protocol):
    """What handles need of an address space."""

    def read(self, address: int, size: int) -> bytes: ...
    def write(self, address: int, data: bytes) -> None: ...
    def views(self, address: int, size: int, write: bool) -> list[memoryview]: ...
    def string(self, address: int, limit: int) -> bytes | None: ...


class Codec(Protocol):
    """A value's bytes: a struct `Layout` or a `ScalarCodec`."""

    @property
    def size(self) -> int: ...
    def pack(self, values: object) -> bytes: ...
    def unpack(self, data: bytes) -> object: ...


class ScalarCodec:
    """One integer in memory; *size* in bytes, *order* "little" or "big"."""

    def __init__(self, size: int, order: str, signed: bool) -> None:
        self.size = size
        self._little = order == "little"
        self._signed = signed
        self._mask = (1 << (8 * size)) - 1

    def pack(self, values: object) -> bytes:
        assert isinstance(values, int)
        return (values & self._mask).to_bytes(self.size, "little" if self._little else "big")

    def unpack(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self._little else "big", signed=self._signed)


class Buffer:
    """*size* bytes at *address*."""

    __slots__ = ("address", "memory", "size")

    def __init__(self, memory: Memory, address: int, size: int) -> None:
        self.memory = memory
        self.address = address
        self.size = size

    def read(self, limit: int | None = None) -> bytes:
        return self.memory.read(self.address, self.size if limit is None else min(limit, self.size))

    def write(self, data: bytes) -> None:
        """Write *data* at the start; it must not be longer than the buffer."""
        if len(data) > self.size:
            raise ValueError("data longer than the guest's buffer")
        self.memory.write(self.address, data)

    def views(self, *, write: bool, limit: int = 0x7FFF_F000) -> list[memoryview]:
        """The guest's own memory in host order, for readv/writev; at most MAX_RW_COUNT bytes (include/linux/fs.h)."""
        return self.memory.views(self.address, min(self.size, limit), write)


class Pointer(Generic[_T]):
    """One value of a struct or scalar type at *address*."""

    __slots__ = ("address", "codec", "memory")

    def __init__(self, memory: Memory, address: int, codec: Layout | ScalarCodec) -> None:
        self.memory = memory
        self.address = address
        self.codec = codec

    def read(self) -> _T:
        return self.codec.unpack(self.memory.read(self.address, self.codec.size))  # type: ignore[return-value]

    def write(self, value: _T | Mapping[str, object]) -> None:
        self.memory.write(self.address, self.codec.pack(value))  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        return self.codec.size


class ArrayHandle(Generic[_T]):
    """*count* values one after the other at *address*."""

    __slots__ = ("address", "codec", "count", "memory")

    def __init__(self, memory: Memory, address: int, codec: Layout | ScalarCodec, count: int) -> None:
        self.memory = memory
        self.address = address
        self.codec = codec
        self.count = count

    def read(self) -> list[_T]:
        size = self.codec.size
        data = self.memory.read(self.address, size * self.count)
        return [self.codec.unpack(data[k : k + size]) for k in range(0, len(data), size)]  # type: ignore[misc]

    def write(self, values: Sequence[object]) -> None:
        if len(values) > self.count:
            raise ValueError("more values than the guest's array holds")
        self.memory.write(self.address, b"".join(self.codec.pack(v) for v in values))  # type: ignore[arg-type]

    def at(self, index: int) -> Pointer[_T]:
        return Pointer(self.memory, self.address + index * self.codec.size, self.codec)


class CString:
    """A NUL-terminated string at *address*."""

    __slots__ = ("address", "memory")

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address

    def read(self, limit: int = 4096) -> bytes:
        """The bytes before the NUL, which must come within *limit* bytes; raises ValueError where it does not."""
        text = self.memory.string(self.address, limit)
        if text is None:
            raise ValueError("string longer than the limit")
        return text


class WString:
    """A string of 16-bit units at *address* that a zero ends."""

    __slots__ = ("address", "memory")

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address

    def read(self, limit: int = 0x8000) -> str:
        """The text, a lone surrogate standing for itself; raises ValueError where it has more than *limit* units."""
        units = list[bytes]()
        for place in range(self.address, self.address + 2 * limit, 2):
            unit = self.memory.read(place, 2)
            if unit == b"\0\0":
                return b"".join(units).decode("utf-16-le", "surrogatepass")
            units.append(unit)
        raise ValueError("string longer than the limit")


class StringList:
    """A NULL-terminated array of pointers to strings, as argv and envp are."""

    __slots__ = ("address", "memory", "word")

    def __init__(self, memory: Memory, address: int, word: ScalarCodec) -> None:
        self.memory = memory
        self.address = address
        self.word = word

    def read(self, limit: int = 0x20000, most: int = 0x40000) -> list[bytes]:
        """The strings; ValueError if one is longer than *limit* bytes or there are more than *most* of them."""
        result, place = list[bytes](), self.address
        while place and len(result) <= most:
            pointer = self.word.unpack(self.memory.read(place, self.word.size))
            if not pointer:
                return result
            result.append(CString(self.memory, pointer).read(limit))
            place += self.word.size
        if place:
            raise ValueError("too many strings")
        return result
