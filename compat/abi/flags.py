"""Flags, constants and signals: guest value → name → host value, so G guests and H hosts cost G + H columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["Constant", "ConstantType", "FlagSet", "FlagType"]

_CACHE_LIMIT = 4096  # a guest may try every value; the cache must not grow with it


class FlagSet(frozenset[str]):
    """The names in a guest's bit mask. *value* is the guest's number, *unknown* the bits without a name."""

    value: int
    unknown: int

    @classmethod
    def make(cls, names: Iterable[str], value: int, unknown: int) -> FlagSet:
        self = cls(names)
        self.value = value
        self.unknown = unknown
        return self

    def host(self, names: Mapping[str, int]) -> int:
        """The host's bits for the names that *names* knows."""
        result = 0
        for name in self:
            result |= names.get(name, 0)
        return result


class FlagType:
    """A type of flags.tbl for one guest and CPU: *bits* name → mask, *fields* mask name → (mask, value → name)."""

    def __init__(self, name: str, values: Mapping[str, int]) -> None:
        self.name = name
        self.values = {n.rpartition("/")[2]: v for n, v in values.items()}
        self.fields = {
            f: (values[f], {v: n.rpartition("/")[2] for n, v in values.items() if n.startswith(f + "/")})
            for f in {n.partition("/")[0] for n in values if "/" in n}
        }
        self._bits = [(n, v) for n, v in values.items() if "/" not in n and n not in self.fields and v]
        self._bits.sort(key=lambda item: -item[1].bit_count())  # O_SYNC contains O_DSYNC: the wider name first
        self._cache: dict[int, FlagSet] = {}

    def decode(self, raw: int) -> FlagSet:
        """The names in *raw*; overlapping masks (O_SYNC, O_DSYNC) are all named when all of their bits are set."""
        known = self._cache.get(raw)
        return known if known is not None else self._decode(raw)

    def _decode(self, raw: int) -> FlagSet:
        names, rest = list[str](), raw
        for mask, members in self.fields.values():
            name = members.get(raw & mask)
            if name is not None:
                names.append(name)
                rest &= ~mask
        for name, bits in self._bits:
            if raw & bits == bits:
                names.append(name)
                rest &= ~bits
        result = FlagSet.make(names, raw, rest)
        if len(self._cache) >= _CACHE_LIMIT:
            self._cache.clear()
        self._cache[raw] = result
        return result

    def encode(self, names: Iterable[str]) -> int:
        """The guest's number for *names*; raises KeyError for a name that the guest does not have."""
        result = 0
        for name in names:
            result |= self.values[name]
        return result

    def from_host(self, value: int, names: Mapping[str, int]) -> int:
        """The guest's number for a host mask, by way of *names* (host name → host bits)."""
        return self.encode(n for n, bits in names.items() if bits and value & bits == bits and n in self.values)

    def show(self, value: object) -> str:
        if not isinstance(value, FlagSet):
            return str(value)
        covered, texts = 0, list[str]()
        for mask, members in self.fields.values():
            name = members.get(value.value & mask)
            if name is not None:
                texts.append(name)
                covered |= mask
        for name, bits in self._bits:
            if value.value & bits == bits and bits & ~covered:
                texts.append(name)
                covered |= bits
        if value.unknown:
            texts.append(f"{value.unknown:#x}")
        return "|".join(texts) or "0"


class Constant(str):
    """One value of an enumeration: compares by name. *known* is False for a value the tables have no name for."""

    value: int
    known: bool
    __slots__ = ("known", "value")

    @classmethod
    def make(cls, name: str, value: int, known: bool = True) -> Constant:
        self = cls(name)
        self.value = value
        self.known = known
        return self


class ConstantType:
    """A type of constants.tbl (or signals.tbl) for one guest and CPU."""

    def __init__(self, name: str, values: Mapping[str, int], *, bits: int = 32) -> None:
        self.name = name
        self.values = dict(values)
        mask = (1 << bits) - 1
        self._names: dict[int, Constant] = {}
        for n, v in self.values.items():
            self._names.setdefault(v & mask, Constant.make(n, v))
        self._mask = mask

    def decode(self, raw: int) -> Constant:
        known = self._names.get(raw & self._mask)
        if known is not None:
            return known
        return Constant.make(f"{raw & self._mask:#x}", raw & self._mask, known=False)

    def encode(self, name: str) -> int:
        """The guest's number for *name*; raises KeyError for a name that the guest does not have."""
        return self.values[name]

    def show(self, value: object) -> str:
        return str(value)
