"""PowerPC instructions that the kernel has and the CPU has not."""

from __future__ import annotations

import pytest

from compat.cpu.ppc_exchange import TICKS_PER_SECOND
from compat.process import CpuFault
from shims.linux.emulation import emulate
from shims.linux.proc_cpuinfo import cpuinfo
from tests.linux.guest import Guest

_FAULT = CpuFault("illegal", 6)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0x7C7F42A6, 0x80030102),  # mfpvr r3
        (0x7C8300F4, 0x01080004),  # popcntb r3, r4
        (0x7C64281E, 0x01FF00F0),  # isel r3, r4, r5, 0
        (0x7C64285E, 9),  # isel r3, r4, r5, 1
        (0x7C60281E, 0),  # isel r3, 0, r5, 0
    ],
)
def test_results(make_guest: type[Guest], word: int, value: int) -> None:
    guest = make_guest("ppc")
    registers = guest.thread.registers
    code = guest.put(word.to_bytes(4, "big"))
    for name, number in {"pc": code, "r0": 1, "r4": 0x01FF00F0, "r5": 9, "cr": 1 << 31}.items():
        registers.write(name, number)
    assert emulate(guest.thread, _FAULT) is None
    assert (registers.read("r3"), registers.read("pc")) == (value, code + 4)


def test_others_stay_illegal(make_guest: type[Guest]) -> None:
    guest = make_guest("ppc")
    guest.thread.registers.write("pc", guest.put(bytes(4)))
    assert emulate(guest.thread, _FAULT) == _FAULT


@pytest.mark.parametrize(("cpu", "line"), [("ppc", b"1.2 (pvr 8003 0102)"), ("ppc64le", b"2.0 (pvr 004e 0200)")])
def test_cpuinfo_says_the_same(make_guest: type[Guest], cpu: str, line: bytes) -> None:
    text = cpuinfo(make_guest(cpu).process)
    assert line in text
    assert b"timebase\t: %d\n" % TICKS_PER_SECOND in text
