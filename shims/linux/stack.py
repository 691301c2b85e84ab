"""The first bytes on a new program's stack: strings, argc, argv, envp and the auxiliary vector.

Source: Linux's fs/exec.c (copy_strings, bprm_stack_limits) and fs/binfmt_elf.c (create_elf_tables); the ABI side is
the figure "Initial Process Stack" of each processor supplement.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from compat.data import dataclass

__all__ = ["InitialStack", "argument_limit", "initial_stack"]

MAX_ARG_STRLEN = 131072
ARG_MAX = 131072
ALIGNMENT = 16

# As create_elf_tables writes them. No AT_SYSINFO and AT_SYSINFO_EHDR: why not, shims/linux/trampolines.py says; no
# AT_RSEQ_*, as rseq is refused. A program may rely on none of it but AT_NULL's place, yet tools print them so.
_ORDER: Final = (
    "AT_MINSIGSTKSZ",
    # Twice: old glibc for PowerPC rounded the vector's address up and so may miss the first pair.
    "AT_IGNOREPPC",
    "AT_IGNOREPPC",
    "AT_DCACHEBSIZE",
    "AT_ICACHEBSIZE",
    "AT_UCACHEBSIZE",
    "AT_L1I_CACHESIZE",
    "AT_L1I_CACHEGEOMETRY",
    "AT_L1D_CACHESIZE",
    "AT_L1D_CACHEGEOMETRY",
    "AT_L2_CACHESIZE",
    "AT_L2_CACHEGEOMETRY",
    "AT_L3_CACHESIZE",
    "AT_L3_CACHEGEOMETRY",
    "AT_HWCAP",
    "AT_PAGESZ",
    "AT_CLKTCK",
    "AT_PHDR",
    "AT_PHENT",
    "AT_PHNUM",
    "AT_BASE",
    "AT_FLAGS",
    "AT_ENTRY",
    "AT_UID",
    "AT_EUID",
    "AT_GID",
    "AT_EGID",
    "AT_SECURE",
    "AT_RANDOM",
    "AT_HWCAP2",
    "AT_EXECFN",
    "AT_PLATFORM",
    "AT_BASE_PLATFORM",
)


@dataclass(frozen=True, slots=True)
class InitialStack:
    """The bytes *data* that lie from *pointer*, the initial stack pointer, up to the stack's top.

    The ranges of the argument and environment strings and *auxv*, the vector's bytes, are what /proc/self/cmdline,
    environ and auxv show.
    """

    pointer: int
    data: bytes
    arg_start: int
    arg_end: int
    env_start: int
    env_end: int
    auxv: bytes


def argument_limit(stack_limit: int) -> int:
    """The most bytes of strings and pointers that execve takes, for a soft RLIMIT_STACK of *stack_limit* bytes.

    A quarter of the limit, at most 6 MiB, never less than ARG_MAX (fs/exec.c, bprm_stack_limits).
    """
    return max(min(stack_limit // 4, (8 << 20) // 4 * 3), ARG_MAX)


def initial_stack(
    top: int,
    *,
    bits: int,
    order: Literal["little", "big"],
    argv: Sequence[bytes],
    envp: Sequence[bytes],
    execfn: bytes,
    random: bytes,
    auxv: Mapping[str, int],
    tags: Mapping[str, int],
    platform: bytes | None = None,
    base_platform: bytes | None = None,
    limit: int = 2 << 20,
) -> InitialStack:
    """Lay out the stack below *top* for a CPU whose words have *bits* bits in byte *order*.

    *auxv* gives the values by name; AT_RANDOM (16 bytes of *random*), AT_EXECFN, AT_PLATFORM and AT_BASE_PLATFORM are
    added here. *tags* gives the numbers by name; what has none there is left out. An empty *argv* becomes one empty
    argument, as since Linux 5.18.

    Raises:
        OSError: E2BIG if a string is longer than 131071 bytes, or everything together than *limit*.
    """
    argv = argv or (b"",)
    word = bits // 8
    check_size(argv, envp, execfn, word, limit)
    place = _Downward(top)
    place.put(bytes(word))
    values = dict(auxv)
    values["AT_EXECFN"] = place.put(execfn + b"\0")
    env_end = place.at
    environment = [place.put(text + b"\0") for text in reversed(envp)][::-1]
    env_start = arg_end = place.at
    arguments = [place.put(text + b"\0") for text in reversed(argv)][::-1]
    arg_start = place.at
    place.align()
    for name, text in (("AT_PLATFORM", platform), ("AT_BASE_PLATFORM", base_platform)):
        if text is not None:
            values[name] = place.put(text + b"\0")
    values["AT_RANDOM"] = place.put(random[:16].ljust(16, b"\0"))
    vector = _words((*_pairs(values, tags), 0, 0), word, order)
    pointers = _words((len(argv), *arguments, 0, *environment, 0), word, order)
    # create_elf_tables rounds the room for the vector down, then the stack pointer; the gap lies above the vector.
    place.align()
    place.at = (place.at - len(vector) - len(pointers)) // ALIGNMENT * ALIGNMENT
    pointer = place.at
    table = pointers + vector
    strings = place.bytes_from(pointer + len(table))
    return InitialStack(pointer, table + strings, arg_start, arg_end, env_start, env_end, vector)


class _Downward:
    """Pieces placed one below the other."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._pieces: list[tuple[int, bytes]] = []
        self.at = top

    def put(self, data: bytes) -> int:
        self.at -= len(data)
        self._pieces.append((self.at, data))
        return self.at

    def align(self) -> None:
        self.at -= self.at % ALIGNMENT

    def bytes_from(self, start: int) -> bytes:
        """Everything from *start* to the top, zero where no piece lies."""
        room = bytearray(self._top - start)
        for at, data in self._pieces:
            room[at - start : at - start + len(data)] = data
        return bytes(room)


def _pairs(values: Mapping[str, int], tags: Mapping[str, int]) -> Iterator[int]:
    for name in _ORDER:
        if name in values and name in tags:
            yield tags[name]
            yield values[name]


def _words(values: Sequence[int], word: int, order: Literal["little", "big"]) -> bytes:
    mask = (1 << 8 * word) - 1
    return b"".join((value & mask).to_bytes(word, order) for value in values)


def check_size(argv: Sequence[bytes], envp: Sequence[bytes], execfn: bytes, word: int, limit: int) -> None:
    pointers = (len(argv) + len(envp)) * word
    strings = [len(text) + 1 for text in (execfn, *argv, *envp)]
    if max(strings) > MAX_ARG_STRLEN or pointers + sum(strings) > limit:
        raise OSError(errno.E2BIG, "argument list too long")
