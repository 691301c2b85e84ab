"""Calls of single CPU families: thread pointers, segments, caches, probing."""

from __future__ import annotations

import errno

import pytest

from compat.process import CpuFault
from shims.linux.emulation import emulate
from tests.linux.guest import Guest, refused


def test_segment_bases_of_x86_64(make_guest: type[Guest]) -> None:
    guest = make_guest("x86-64")
    codes, place = guest.abi.constants("ArchPrctlCmd").values, guest.allot(8)
    for letter, base in (("FS", 0x1234_5678_9000), ("GS", 0x77)):
        guest.call("arch_prctl", codes[f"ARCH_SET_{letter}"], base)
        assert guest.thread.registers.read(f"{letter.lower()}_base") == base
        guest.call("arch_prctl", codes[f"ARCH_GET_{letter}"], place)
        assert guest.pointer_at(place) == base
    assert guest.call("arch_prctl", codes["ARCH_GET_CPUID"], 0) == 1


@pytest.mark.parametrize(
    ("code", "addr", "expected"),
    [(0x1002, 1 << 63, errno.EPERM), (0x1012, 0, errno.ENODEV), (0x5001, 1, errno.EINVAL), (0x3001, 0, errno.EINVAL)],
)
def test_arch_prctl_refuses(make_guest: type[Guest], code: int, addr: int, expected: int) -> None:
    with refused(expected):
        make_guest("x86-64").call("arch_prctl", code, addr)


FLAT = {"entry_number": 0xFFFFFFFF, "base_addr": 0x12345678, "limit": 0xFFFFF, "bits": 0b1010001}
"""What i386 C libraries ask for: seg_32bit, limit_in_pages, useable."""


def test_set_thread_area_takes_a_free_descriptor(make_guest: type[Guest]) -> None:
    guest = make_guest("x86")
    place = guest.struct("UserDesc", FLAT)
    guest.call("set_thread_area", place)
    assert guest.record("UserDesc", place)["entry_number"] == 12
    # Intel SDM 3A 3.4.5: base 31:24, G D AVL, limit 19:16, P DPL S type, base 23:0, limit 15:0
    assert guest.thread.registers.read("gdt12") == 0x12DF_F334_5678_FFFF
    for entry in (13, 14):
        guest.call("set_thread_area", place := guest.struct("UserDesc", FLAT))
        assert guest.record("UserDesc", place)["entry_number"] == entry
    with pytest.raises(ProcessLookupError):
        guest.call("set_thread_area", guest.struct("UserDesc", FLAT))


def test_get_thread_area_tells_what_was_set(make_guest: type[Guest]) -> None:
    guest = make_guest("x86")
    guest.call("set_thread_area", guest.struct("UserDesc", {**FLAT, "entry_number": 13}))
    place = guest.struct("UserDesc", {"entry_number": 13})
    guest.call("get_thread_area", place)
    assert guest.record("UserDesc", place) == {**FLAT, "entry_number": 13}
    place = guest.struct("UserDesc", {"entry_number": 14})
    guest.call("get_thread_area", place)
    assert guest.record("UserDesc", place)["bits"] == 0b101000


def test_an_empty_segment_frees_its_descriptor(make_guest: type[Guest]) -> None:
    guest = make_guest("x86")
    guest.call("set_thread_area", guest.struct("UserDesc", FLAT))
    guest.call("set_thread_area", guest.struct("UserDesc", {"entry_number": 12, "bits": 0b101000}))
    assert guest.thread.registers.read("gdt12") == 0


@pytest.mark.parametrize("fields", [{"entry_number": 6}, {"bits": 0b1010000}, {"bits": 0b1010101}, {"bits": 0b1110001}])
def test_segments_that_may_not_be(make_guest: type[Guest], fields: dict[str, int]) -> None:
    guest = make_guest("x86")
    with refused(errno.EINVAL):
        guest.call("set_thread_area", guest.struct("UserDesc", {**FLAT, **fields}))


def test_the_tls_of_a_new_x86_thread_is_a_segment(make_guest: type[Guest]) -> None:
    guest = make_guest("x86")
    flags = guest.abi.flags("CloneFlags").encode(["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD", "CLONE_SETTLS"])
    area = guest.struct("UserDesc", {**FLAT, "entry_number": 12})
    guest.call("clone", flags, 0, 0, area, 0)
    assert guest.engine.spawned[0].registers.read("gdt12") == 0x12DF_F334_5678_FFFF
    assert guest.thread.registers.read("gdt12") == 0


@pytest.mark.parametrize(
    ("cpu", "name"), [("arm", "set_tls"), ("mips", "set_thread_area"), ("mips64el", "set_thread_area")]
)
def test_thread_pointers(make_guest: type[Guest], cpu: str, name: str) -> None:
    guest = make_guest(cpu)
    guest.call(name, 0x1234)
    assert guest.thread.registers.read("tls") == 0x1234


@pytest.mark.parametrize(
    ("cpu", "name", "arguments"),
    [
        ("arm", "cacheflush", (0x1000, 0x1100, 0)),
        ("mips", "cacheflush", (0x1000, 0x100, 3)),
        ("riscv64", "riscv_flush_icache", (0x1000, 0x1100, 1)),
    ],
)
def test_changed_code_is_forgotten(make_guest: type[Guest], cpu: str, name: str, arguments: tuple[int, ...]) -> None:
    guest = make_guest(cpu)
    guest.call(name, *arguments)
    assert guest.engine.forgotten == [(0x1000, 0x100)]


@pytest.mark.parametrize("cpu", ["mips", "mipsel"])
def test_sysmips_swaps_a_word(make_guest: type[Guest], cpu: str) -> None:
    guest = make_guest(cpu)
    place = guest.word(-5)
    swap = guest.abi.constants("SysmipsCmd").encode("MIPS_ATOMIC_SET")
    assert guest.call("sysmips", swap, place, 7) == -5
    assert guest.int_at(place) == 7
    for arguments in ((swap, place + 1, 7), (1, 0, 0)):
        with refused(errno.EINVAL):
            guest.call("sysmips", *arguments)


def test_sysmips_turns_unaligned_accesses_off_and_on(make_guest: type[Guest]) -> None:
    guest = make_guest("mips")
    fix = guest.abi.constants("SysmipsCmd").encode("MIPS_FIXADE")
    code = guest.put((0x8C820001).to_bytes(4, "big") + b"\0\1\2\3\4\5\6\7")  # lw r2, 1(r4)
    for wanted in (0, 1):
        guest.call("sysmips", fix, wanted, 0)
        guest.thread.registers.write("pc", code)
        guest.thread.registers.write("r4", code + 4)
        remains = emulate(guest.thread, CpuFault("alignment", 12))
        assert (remains is None) == bool(wanted)
    assert (guest.thread.registers.read("r2"), guest.thread.registers.read("pc")) == (0x01020304, code + 4)
    with refused(errno.EINVAL):
        guest.call("sysmips", fix, 4, 0)


def test_hwprobe_says_what_the_cpu_has(make_guest: type[Guest]) -> None:
    guest = make_guest("riscv64")
    pairs = guest.put(b"".join(key.to_bytes(8, "little", signed=True) + b"\xff" * 8 for key in (3, 4, 5, 7, 8, 99)))
    guest.call("riscv_hwprobe", pairs, 6, 0, 0, 0)
    raw = guest.bytes_at(pairs, 96)
    words = [int.from_bytes(raw[at : at + 8], "little", signed=True) for at in range(0, 96, 8)]
    assert words == [3, 1, 4, 3, 5, 3, 7, (1 << 38) - 1, 8, 10_000_000, -1, 0]
