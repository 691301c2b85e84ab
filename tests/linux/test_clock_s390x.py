"""STORE CLOCK and STORE FACILITY LIST, as the personality does them."""

from __future__ import annotations

import time

from compat.errors import MemoryFault
from compat.process import CpuFault
from shims.linux.emulation import emulate
from tests.linux.guest import Guest


def run(guest: Guest, code: str, address: int) -> CpuFault | MemoryFault | None:
    """Do the instruction *code*, whose operand is at r3; the PC begins behind it."""
    registers = guest.thread.registers
    registers.write("pc", guest.put(bytes.fromhex(code)) + 4)
    registers.write("r3", address)
    registers.write("pswm", 3 << 44 | 1)
    return emulate(guest.thread, CpuFault("facilities" if code.startswith("b2b0") else "clock", 1))


def test_the_clock_is_the_time_of_day(make_guest: type[Guest]) -> None:
    guest = make_guest("s390x")
    place = guest.allot(16)
    for code, at in (("b2053000", 0), ("b27c3000", 0), ("b2783000", 1)):
        before = time.time_ns()
        assert run(guest, code, place) is None
        value = int.from_bytes(guest.bytes_at(place + at, 8), "big")
        assert before // 1000 <= (value - 0x7D91_048B_CA00_0000 >> 12) <= time.time_ns() // 1000
        assert guest.thread.registers.read("pswm") == 1
    assert guest.bytes_at(place, 1) == b"\0"
    assert guest.bytes_at(place + 9, 7) == bytes(4) + b"\1\0\0"


def test_a_bad_address_leaves_the_pc_at_the_instruction(make_guest: type[Guest]) -> None:
    guest = make_guest("s390x")
    fault = run(guest, "b2053000", 0x5000)
    assert isinstance(fault, MemoryFault)
    assert (fault.address, fault.access) == (0x5000, "write")
    assert guest.bytes_at(guest.thread.registers.read("pc"), 4) == bytes.fromhex("b2053000")


def test_facilities(make_guest: type[Guest]) -> None:
    guest = make_guest("s390x")
    place = guest.put(b"\xee" * 32)
    registers = guest.thread.registers
    registers.write("r0", 0x1100)
    assert run(guest, "b2b03000", place) is None
    assert guest.bytes_at(place, 16) == bytes.fromhex("e000b64034444c00") + b"\xee" * 8
    assert (registers.read("r0"), registers.read("pswm")) == (0x1102, 3 << 44 | 1)
    registers.write("r0", 3)
    assert run(guest, "b2b03000", place) is None
    assert guest.bytes_at(place, 32) == bytes.fromhex("e000b64034444c00") + bytes(8) + b"\x40" + bytes(7) + b"\xee" * 8
    assert (registers.read("r0"), registers.read("pswm")) == (2, 1)
    assert run(guest, "b2b03000", place + 4) == CpuFault("facilities", 1)
