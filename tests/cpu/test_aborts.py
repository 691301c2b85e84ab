"""Instructions at which Unicorn would abort the process are illegal, and the guest goes on."""

from __future__ import annotations

import struct

import pytest

from compat.cpu.aborts import functions
from tests.cpu.guest import CODE, DATA, Guest, program

_IMPOSSIBLE = [
    ("aarch64", "200080d2 2018787e", 4),  # mov x0, #1; FP16, unallocated, two operands
    ("aarch64", "200080d2 e32f480e", 4),  # three operands
    ("x86", "b801000000 f00fabc3", 5),  # mov eax, 1; lock bts ebx, eax
    ("x86-64", "b801000000 f00fbae105", 5),  # lock bt ecx, 5
]


@pytest.mark.parametrize(("cpu", "code", "offset"), _IMPOSSIBLE)
def test_the_instruction_is_illegal(cpu: str, code: str, offset: int, capfd: pytest.CaptureFixture[str]) -> None:
    guest = Guest(cpu)
    guest.pages.write(CODE + 0x80, bytes.fromhex(code))
    for _ in range(2):
        guest["result"] = 0
        stop = guest.machine.run(CODE + 0x80)
        assert (stop.kind, stop.name, stop.address) == ("exception", "illegal", CODE + 0x80 + offset)
        assert guest.pc == CODE + 0x80 + offset
        assert guest["result"] == 1
    guest.run("two")
    assert guest["result"] == 2
    assert capfd.readouterr() == ("", "")


def test_behind_a_jump_and_a_fault() -> None:
    guest = Guest("aarch64")
    # 1: cbz x0, 2f; ldr x0, [x1]; brk #0; 2: the impossible one
    guest.pages.write(CODE, bytes.fromhex("600000b4 200040f9 000020d4 2018787e"))
    for register, value in (("x0", 1), ("x1", 0x40000)):
        guest.machine.write(register, value)
    stop = guest.machine.run(CODE)
    assert (stop.kind, stop.address, guest.pc) == ("fault", 0x40000, CODE + 4)
    guest.machine.write("x0", 0)
    stop = guest.machine.run(CODE)
    assert (stop.name, stop.address) == ("illegal", CODE + 12)


@pytest.mark.parametrize(("cpu", "order"), [("mips", ">"), ("mipsel", "<"), ("mips64", ">"), ("mips64el", "<")])
@pytest.mark.parametrize("slot", [False, True])
def test_a_monitor_is_not_called(cpu: str, order: str, slot: bool, capfd: pytest.CaptureFixture[str]) -> None:
    guest = Guest(cpu)
    jump, monitor, count = 0x10000003, 0x00000185, 0x24840001  # b; pmon 6; addiu $4, $4, 1
    words = [count, jump, monitor] if slot else [count, count, monitor]
    guest.pages.write(CODE + 0x80, struct.pack(f"{order}3I", *words) + program(cpu, "end"))
    guest.machine.write("r4", 64)
    stop = guest.machine.run(CODE + 0x80)
    assert (stop.kind, stop.name) == ("exception", "illegal")
    assert guest.pc == CODE + 0x84 + 4 * (not slot)
    assert guest.machine.read("r4") == 65 + (not slot)
    assert capfd.readouterr() == ("", "")


def test_ways_out_of_an_aarch64_host() -> None:
    """Run as a guest's code: our function is a system call, and the addresses that it returns are breakpoints."""
    code, begins = functions("aarch64", [CODE + 0x800, CODE + 0x800])
    ways = [CODE + 0xA00, CODE + 0xA04]
    for begin, way, caller in ((begins[0], ways[0], None), (begins[1], ways[1], CODE + 0x900)):
        guest = Guest("aarch64")
        guest.result = DATA
        guest.pages.write(CODE, code)
        guest.pages.write(CODE + 0x800, bytes.fromhex("010000d4 c0035fd6"))  # svc #0; ret
        guest.pages.write(CODE + 0xA00, bytes.fromhex("000020d4 000020d4"))
        guest.pages.write(DATA, struct.pack("<3Q", 0x1234, *ways))
        guest.machine.restore({"x30": CODE + 0x900, "sp": DATA + 0x800})
        stop = guest.machine.run(CODE + begin)
        assert (stop.name, stop.address) == ("breakpoint", way)
        assert guest.machine.read("x0") == 0x1234
        assert caller is None or guest.machine.read("x1") == caller
