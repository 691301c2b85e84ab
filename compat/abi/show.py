"""How values in guest memory read in a trace: strings quoted, structs by field, signal sets and modes by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.abi.flags import Constant, ConstantType, FlagSet, FlagType
from compat.abi.handles import ArrayHandle, Buffer, CString, Pointer, StringList, WString
from compat.abi.structs import Layout, Leaf, Record
from compat.errors import MemoryFault

__all__ = ["quote", "show_handle", "show_named", "show_number"]

_MOST_BYTES = 32
_MOST_VALUES = 8
_MANY_FIELDS = 12  # a larger struct shows only the fields that are not 0
_HIDDEN = ("pad", "spare", "unused", "reserved")


def quote(data: bytes, limit: int) -> str:
    """Bytes as a C string literal, cut with … after *limit*."""
    cut = data[:limit]
    text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else _ESCAPES.get(b, f"\\x{b:02x}") for b in cut)
    return f'"{text}"' + ("…" if len(data) > limit else "")


_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\", 0: "\\0"}


def show_number(kind: str, value: int) -> str:
    """A scalar of the type *kind*: pointers and large unsigned numbers in hexadecimal, modes in octal."""
    if kind == "Ptr":
        return f"{value:#x}" if value else "NULL"
    if kind == "Mode":
        return f"0{value:o}" if value else "0"
    return f"{value:#x}" if value > 0x7FFF_FFFF and kind not in _DECIMAL else str(value)


_DECIMAL = ("Off", "I64", "Time", "SSize", "Long", "U64", "Size")


def show_named(values: FlagType | ConstantType, value: object) -> str:
    """A FlagSet or Constant by its names; a file mode as S_IFREG|0644, a real-time signal as SIGRT_1."""
    if values.name == "Signal" and isinstance(value, Constant) and not value.known:
        return f"SIGRT_{value.value - 32}" if value.value > 32 else str(value.value)
    if isinstance(values, FlagType) and values.name == "FileMode" and isinstance(value, FlagSet):
        kind = values.fields.get("S_IFMT")
        name = kind[1].get(value.value & kind[0]) if kind else None
        return f"{name}|0{value.value & 0o7777:03o}" if name else f"0{value.value:o}"
    return values.show(value)


def show_handle(handle: object, count: int | None = None) -> str:
    """What lies behind a handle; only the first *count* bytes or elements where that is known.

    Memory that can't be read, or a string without an end, is shown by its address.
    """
    try:
        return _show_handle(handle, count)
    except (MemoryFault, ValueError):
        return f"{getattr(handle, 'address', 0):#x}"


def _show_handle(handle: object, count: int | None) -> str:
    if handle is None:
        return "NULL"
    if isinstance(handle, CString):
        return quote(handle.read(), 4096)
    if isinstance(handle, WString):
        return "L" + quote(handle.read().encode("utf-8", "surrogatepass"), 4096)
    if isinstance(handle, Buffer):
        size = handle.size if count is None else min(count, handle.size)
        data = handle.read(min(size, _MOST_BYTES))
        return quote(data, _MOST_BYTES) + ("…" if size > _MOST_BYTES else "")
    if isinstance(handle, Pointer):
        return _show_value(handle, handle.read())
    if isinstance(handle, ArrayHandle):
        return _show_array(handle, handle.count if count is None else min(count, handle.count))
    if isinstance(handle, StringList):
        return _show_list([quote(text, 64) for text in handle.read(most=4096)])
    return str(handle)


def _show_array(handle: ArrayHandle[object], count: int) -> str:
    shown = ArrayHandle[object](handle.memory, handle.address, handle.codec, max(0, min(count, _MOST_VALUES)))
    return _show_list([_show_value(handle, value) for value in shown.read()], count)


def _show_list(texts: Sequence[str], count: int = 0) -> str:
    more = max(count, len(texts)) > _MOST_VALUES
    return "[" + ", ".join(texts[:_MOST_VALUES]) + (", …]" if more else "]")


def _show_value(handle: Pointer[object] | ArrayHandle[object], value: object) -> str:
    codec = handle.codec
    if not isinstance(codec, Layout) or not isinstance(value, Record):
        return str(value)
    if codec.name == "Iovec":
        span = Buffer(handle.memory, value.int("base"), value.int("len"))
        return f"{{base={show_handle(span)}, len={span.size}}}"
    return _show_record([(leaf.name, leaf) for leaf in codec.fields], value)


def _show_record(leaves: Iterable[tuple[str, Leaf]], record: Record) -> str:
    """{a=1, b={c=2}}: dotted names nest, a struct of nothing but a signal set is the set, padding is left out."""
    groups: dict[str, list[tuple[str, Leaf]]] = {}
    for name, leaf in leaves:
        first, _, rest = name.partition(".")
        groups.setdefault(first, []).append((rest, leaf))
    texts = []
    for name, inner in groups.items():
        if name == "bits" and len(groups) == 1:
            return _show_leaf(inner[0][1], record[inner[0][1].name])
        large = len(groups) > _MANY_FIELDS
        if not name.startswith(_HIDDEN) and not (large and not any(record[leaf.name] for _, leaf in inner)):
            rest, leaf = inner[0]
            texts.append(f"{name}=" + (_show_record(inner, record) if rest else _show_leaf(leaf, record[leaf.name])))
    return "{" + ", ".join(texts) + "}"


def _show_leaf(leaf: Leaf, value: object) -> str:
    if isinstance(value, bytes):
        return quote(value.rstrip(b"\0"), _MOST_BYTES)
    if isinstance(value, tuple):
        if leaf.kind == "Signal" and isinstance(leaf.values, ConstantType):
            return _show_signals(leaf, leaf.values, value)
        return _show_list([str(item) for item in value])
    assert isinstance(value, int)
    if leaf.values is not None:
        return show_named(leaf.values, leaf.values.decode(value & (1 << 8 * leaf.size) - 1))
    return show_number(leaf.kind, value)


def _show_signals(leaf: Leaf, names: ConstantType, words: Sequence[int]) -> str:
    """A set of signals as [INT CHLD], or ~[RT_1] where all but a few are in it."""
    bits = 8 * leaf.size // len(words)
    most = bits * len(words)
    mask = sum((word & (1 << bits) - 1) << bits * k for k, word in enumerate(words))
    missing = [n for n in range(1, most + 1) if not mask >> (n - 1) & 1]
    if len(missing) < most // 2:
        return "~[" + " ".join(_signal(names, n) for n in missing) + "]"
    return "[" + " ".join(_signal(names, n) for n in range(1, most + 1) if mask >> (n - 1) & 1) + "]"


def _signal(names: ConstantType, number: int) -> str:
    return show_named(names, names.decode(number)).removeprefix("SIG")
