"""The initial stack, read back as a program's start code reads it."""

from __future__ import annotations

import errno
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shims.linux.stack import InitialStack, argument_limit, initial_stack

TAGS = {"AT_PHDR": 3, "AT_PAGESZ": 6, "AT_UID": 11, "AT_PLATFORM": 15, "AT_HWCAP": 16, "AT_BASE_PLATFORM": 24}
TAGS |= {"AT_RANDOM": 25, "AT_HWCAP2": 26, "AT_EXECFN": 31, "AT_IGNOREPPC": 22, "AT_DCACHEBSIZE": 19}
RANDOM = bytes(range(16))
TOPS = {32: 0xBFFF_F000, 64: 0x7FFF_FFFF_F000}


def build(
    argv: list[bytes],
    envp: list[bytes],
    bits: int = 64,
    order: str = "little",
    auxv: Mapping[str, int] = {"AT_PAGESZ": 4096},
    platform: bytes | None = None,
    limit: int = 2 << 20,
    tags: Mapping[str, int] = TAGS,
) -> InitialStack:
    return initial_stack(
        TOPS[bits],
        bits=bits,
        order=order,  # type: ignore[arg-type]
        argv=argv,
        envp=envp,
        execfn=b"./prog",
        random=RANDOM,
        auxv=auxv,
        tags=tags,
        platform=platform,
        limit=limit,
    )


class Reader:
    """What _start sees: words up from the stack pointer, strings where they point."""

    def __init__(self, stack: InitialStack, bits: int, order: str) -> None:
        self.stack, self.size, self.order = stack, bits // 8, order
        words = self.words()
        self.argc = next(words)
        self.argv = [self.text(next(words)) for _ in range(self.argc)]
        assert next(words) == 0
        self.envp = [self.text(word) for word in iter(lambda: next(words), 0)]
        self.auxv = list(iter(lambda: (next(words), next(words)), (0, 0)))

    def words(self):  # type: ignore[no-untyped-def]
        for at in range(0, len(self.stack.data), self.size):
            yield int.from_bytes(self.stack.data[at : at + self.size], self.order)  # type: ignore[arg-type]

    def at(self, address: int) -> bytes:
        offset = address - self.stack.pointer
        assert 0 <= offset < len(self.stack.data)
        return self.stack.data[offset:]

    def text(self, address: int) -> bytes:
        return self.at(address).split(b"\0", 1)[0]


texts = st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b"x")), max_size=6)


@given(argv=texts, envp=texts, bits=st.sampled_from([32, 64]), order=st.sampled_from(["little", "big"]))
def test_a_program_reads_back_what_was_given(argv: list[bytes], envp: list[bytes], bits: int, order: str) -> None:
    stack = build(argv, envp, bits, order, {"AT_PAGESZ": 4096, "AT_UID": 1000}, b"v7l")
    assert stack.pointer % 16 == 0
    assert stack.pointer + len(stack.data) == TOPS[bits]
    seen = Reader(stack, bits, order)
    assert seen.argv == (argv or [b""])
    assert seen.envp == envp
    auxv = dict(seen.auxv)
    assert (auxv[6], auxv[11]) == (4096, 1000)
    assert seen.text(auxv[15]) == b"v7l"
    assert seen.text(auxv[31]) == b"./prog"
    assert seen.at(auxv[25])[:16] == RANDOM
    assert stack.auxv in stack.data


def test_strings_lie_as_in_linux() -> None:
    stack = build([b"a", b"bc"], [b"X=1", b"Y=2"])
    assert stack.data.endswith(b"a\0bc\0X=1\0Y=2\0./prog\0" + bytes(8))
    assert stack.arg_end - stack.arg_start == len(b"a\0bc\0")
    assert (stack.env_start, stack.env_end - stack.env_start) == (stack.arg_end, len(b"X=1\0Y=2\0"))
    assert stack.env_end + len(b"./prog\0") + 8 == TOPS[64]


def test_the_vector_keeps_the_kernels_order_and_leaves_out_what_has_no_number() -> None:
    values = {"AT_PHDR": 64, "AT_HWCAP": 1 << 31, "AT_PAGESZ": 4096, "AT_IGNOREPPC": 22, "AT_DCACHEBSIZE": 128}
    seen = Reader(build([b"a"], [], 32, "big", values), 32, "big")
    assert [tag for tag, _ in seen.auxv] == [22, 22, 19, 16, 6, 3, 25, 31]
    assert dict(seen.auxv)[16] == 1 << 31
    few = {name: tag for name, tag in TAGS.items() if name not in ("AT_IGNOREPPC", "AT_DCACHEBSIZE")}
    seen = Reader(build([b"a"], [], 32, "big", values, tags=few), 32, "big")
    assert [tag for tag, _ in seen.auxv] == [16, 6, 3, 25, 31]


@pytest.mark.parametrize(
    ("argv", "envp", "limit"),
    [
        ([b"x" * 131072], [], 2 << 20),
        ([], [b"x" * 131072], 2 << 20),
        ([b"x" * 100_000] * 21, [], 2 << 20),
        ([b""] * 250_000, [], 2 << 20),
        ([b"x" * 1000], [], 1000),
    ],
)
def test_too_much_is_e2big(argv: list[bytes], envp: list[bytes], limit: int) -> None:
    with pytest.raises(OSError, match="argument list too long") as caught:
        build(argv, envp, limit=limit)
    assert caught.value.errno == errno.E2BIG


def test_just_fitting_is_fine() -> None:
    assert Reader(build([b"x" * 131071], []), 64, "little").argv == [b"x" * 131071]


@pytest.mark.parametrize(
    ("stack", "limit"), [(8 << 20, 2 << 20), (1 << 40, 6 << 20), (4096, 131072), (2**64 - 1, 6 << 20)]
)
def test_the_limit_follows_the_stack(stack: int, limit: int) -> None:
    assert argument_limit(stack) == limit
