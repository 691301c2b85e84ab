"""How values in guest memory read: strings, structs by field, signal sets, and what can't be read."""

from __future__ import annotations

import pytest

from compat.abi.handles import ArrayHandle, Buffer, CString, Pointer, ScalarCodec, StringList
from compat.abi.show import quote, show_handle, show_named
from tests.guests import HEAP, HEAP_SIZE, FakeGuest

NOWHERE = HEAP + HEAP_SIZE


@pytest.fixture
def guest(fake_guest: FakeGuest) -> FakeGuest:
    return fake_guest


def struct(guest: FakeGuest, name: str, **fields: object) -> str:
    return show_handle(Pointer(guest.memory, guest.pack(name, **fields), guest.abi.layout(name)))


def test_quote() -> None:
    assert quote(b'a"\\\n\t\r\0\x7f\xff', 99) == '"a\\"\\\\\\n\\t\\r\\0\\x7f\\xff"'
    assert quote(b"abcd", 4) == '"abcd"'
    assert quote(b"abcde", 4) == '"abcd"…'


def test_bytes_and_strings(guest: FakeGuest) -> None:
    at = guest.put(b"x" * 40 + b"\0")
    assert show_handle(Buffer(guest.memory, at, 3)) == '"xxx"'
    assert show_handle(Buffer(guest.memory, at, 40)) == '"' + "x" * 32 + '"…'
    assert show_handle(Buffer(guest.memory, at, 40), 2) == '"xx"'
    assert show_handle(CString(guest.memory, at)) == '"' + "x" * 40 + '"'
    word = ScalarCodec(guest.abi.cpu.word, guest.abi.cpu.endian, signed=False)
    pointers = b"".join(word.pack(p) for p in (at, guest.put(b"b\0"), 0))
    assert show_handle(StringList(guest.memory, guest.put(pointers), word)) == '["' + "x" * 40 + '", "b"]'


def test_what_cannot_be_read_is_an_address(guest: FakeGuest) -> None:
    layout = guest.abi.layout("Timespec")
    for handle in (
        Buffer(guest.memory, NOWHERE, 3),
        Buffer(guest.memory, NOWHERE, 1 << 60),
        CString(guest.memory, NOWHERE),
        Pointer(guest.memory, NOWHERE, layout),
        ArrayHandle(guest.memory, NOWHERE, layout, 1 << 60),
        StringList(guest.memory, NOWHERE, guest.abi.word_codec()),
    ):
        assert show_handle(handle) == f"{NOWHERE:#x}"
    assert show_handle(None) == "NULL"


def test_structs(guest: FakeGuest) -> None:
    assert struct(guest, "Timespec", sec=-1, nsec=5) == "{sec=-1, nsec=5}"
    assert struct(guest, "Itimerspec", value__sec=1) == "{interval={sec=0, nsec=0}, value={sec=1, nsec=0}}"
    text = struct(guest, "Stat", mode=0o100644, size=5, uid=7)
    assert "mode=S_IFREG|0644" in text
    assert "size=5" in text
    assert "pad" not in text
    assert "gid" not in text, "a large struct shows what is not 0"
    events = {"fd": 3, "events": guest.abi.flags("PollEvents").encode({"POLLIN", "POLLHUP"})}
    assert struct(guest, "Pollfd", **events) == "{fd=3, events=POLLIN|POLLHUP, revents=0}"


def test_signal_sets(guest: FakeGuest) -> None:
    names = guest.abi.signals
    bits = 8 * guest.abi.cpu.word
    words = guest.abi.layout("Sigset").fields[0].count

    def signals(mask: int) -> tuple[int, ...]:
        return tuple(mask >> bits * k & (1 << bits) - 1 for k in range(words))

    some = 1 << names.encode("SIGINT") - 1 | 1 << names.encode("SIGCHLD") - 1 | 1 << 39
    assert struct(guest, "Sigset", bits=signals(some)) in ("[INT CHLD RT_8]", "[INT RT_8 CHLD]")
    assert struct(guest, "Sigset", bits=signals(0)) == "[]"
    most = (1 << bits * words) - 1 & ~(1 << names.encode("SIGKILL") - 1)
    assert struct(guest, "Sigset", bits=signals(most)) == "~[KILL]"
    assert "mask=[INT]" in struct(guest, "Sigaction", mask__bits=signals(1 << names.encode("SIGINT") - 1))
    assert show_named(names, names.decode(0)) == "0"
    assert show_named(names, names.decode(40)) == "SIGRT_8"


def test_arrays(guest: FakeGuest) -> None:
    text = guest.put(b"hello")
    vector = guest.iovec((text, 5), (NOWHERE, 3))
    iovec = guest.abi.layout("Iovec")
    shown = show_handle(ArrayHandle(guest.memory, vector, iovec, 2))
    assert shown == f'[{{base="hello", len=5}}, {{base={NOWHERE:#x}, len=3}}]'
    codec = ScalarCodec(4, guest.abi.cpu.endian, signed=True)
    numbers = guest.put(b"".join(codec.pack(n) for n in range(-1, 20)))
    assert show_handle(ArrayHandle(guest.memory, numbers, codec, 3)) == "[-1, 0, 1]"
    assert show_handle(ArrayHandle(guest.memory, numbers, codec, 3), 1) == "[-1]"
    assert show_handle(ArrayHandle(guest.memory, numbers, codec, 20)) == "[-1, 0, 1, 2, 3, 4, 5, 6, …]"
