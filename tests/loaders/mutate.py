"""Damaged ELF files by the thousand: each is made from a sample by a few random changes."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.loaders.splice import HEADER_FIELDS, PROGRAM_HEADER_FIELDS, get, put, sample, sample_names

EDGES = (0, 1, 2, 7, 0xFF, 0xFFF, 0x1000, 0xFFFE, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFFF)
EDGES += (1 << 32, 1 << 47, (1 << 63) - 1, 1 << 63, (1 << 64) - 0x1000, (1 << 64) - 1)
TYPES = (0, 1, 2, 3, 4, 6, 7, 0x6474E550, 0x6474E551, 0x6474E553, 0x7000_0003, 0x65A3_DBE6)


def mutants(chance: random.Random) -> Iterator[bytes]:
    """Endlessly many, of all samples in turn."""
    originals = [sample(name) for name in sample_names()]
    while True:
        for original in originals:
            yield mutate(original, chance)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """*data* after one to four changes of random kinds."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_CHANGES)(data, chance)
        if len(data) < 64:
            break
    return data


def _value(data: bytes, chance: random.Random) -> int:
    return chance.choice((chance.choice(EDGES), chance.randrange(len(data) + 64), chance.getrandbits(64)))


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _early(data: bytes, chance: random.Random) -> bytes:
    """One byte of the headers replaced; they are a small part of a file but the parser's whole business."""
    at = chance.randrange(4, min(len(data), 800))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))] if chance.random() < 0.3 else data + bytes(chance.randrange(64))


def _header(data: bytes, chance: random.Random) -> bytes:
    if data[4] not in (1, 2):
        return data
    return put(data, chance.choice(HEADER_FIELDS), _value(data, chance))


def _program_header(data: bytes, chance: random.Random) -> bytes:
    if data[4] not in (1, 2):
        return data
    count = get(data, "e_phnum")
    index = chance.randrange(min(count, 12) or 1)
    if get(data, "e_phoff") + 56 * (index + 1) > len(data):
        return data
    field = chance.choice(PROGRAM_HEADER_FIELDS)
    value = chance.choice(TYPES) if field == "p_type" else _value(data, chance)
    return put(data, field, value, index)


def _copy(data: bytes, chance: random.Random) -> bytes:
    """A piece of the file over another: tables that point into each other."""
    size = chance.randrange(1, 64)
    start, to = (chance.randrange(max(1, len(data) - size)) for _ in range(2))
    return data[:to] + data[start : start + size] + data[to + size :]


_CHANGES = (_flip, _flip, _cut, _header, _program_header, _program_header, _copy, _early)
