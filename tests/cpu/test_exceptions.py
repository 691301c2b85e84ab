"""CPU exceptions: named, with the instruction's address, and repeatable."""

from __future__ import annotations

import time

import pytest

from tests.cpu.guest import CODE, DATA, NOWHERE, READ_WRITE, Guest, program
from tests.cpu.sources import BIG

_MIPS = ("mips", "mipsel", "mips64", "mips64el")


@pytest.mark.parametrize("again", range(3))
def test_illegal_instruction(guest: Guest, again: int) -> None:
    for _ in range(again + 1):
        stop = guest.run("illegal")
    at = CODE + (1 if guest.cpu.startswith("x86") else 4)
    assert (stop.kind, stop.name, stop.address) == ("exception", "illegal", at)
    assert guest.pc == at + (2 if guest.cpu == "s390x" else 0)


def test_breakpoint(guest: Guest) -> None:
    stop = guest.run("end")
    assert (stop.kind, stop.address) == ("exception", CODE)
    assert stop.name == ("trap" if guest.cpu.startswith("ppc") else "breakpoint")
    assert guest.pc == CODE + guest.roles.end_length


def test_privileged_instruction_is_refused(guest: Guest) -> None:
    stop = guest.run("privileged", address=DATA)
    assert (stop.kind, stop.name in ("illegal", "privileged")) == ("exception", True)
    assert stop.address == CODE + (1 if guest.cpu.startswith("x86") else 4)


def test_illegal_instruction_at_the_start_of_a_page(guest: Guest) -> None:
    bad = program(guest.cpu, "illegal")[1 if guest.cpu.startswith("x86") else 4 :]
    guest.pages.write(CODE, bad)
    stop = guest.machine.run(CODE)
    assert (stop.kind, stop.name, stop.address) == ("exception", "illegal", CODE)


@pytest.mark.parametrize("cpu", ["x86-64", "s390x"])
def test_division_by_zero_any_number_of_times(cpu: str) -> None:
    guest = Guest(cpu)
    for _ in range(4):
        stop = guest.run("divide")
        assert (stop.kind, stop.name) == ("exception", "divide")
        assert stop.address == CODE + (2 if cpu == "x86-64" else 4)
    assert guest.run("privileged").name == "privileged"


@pytest.mark.parametrize("cpu", _MIPS)
def test_mips_exceptions_have_an_exact_pc(cpu: str) -> None:
    guest = Guest(cpu)
    guest.run("trap")
    stop = guest.run("divide")
    assert (stop.name, stop.address, guest.pc) == ("trap", CODE + 8, CODE + 8)


@pytest.mark.parametrize("cpu", _MIPS)
def test_mips_exception_in_a_delay_slot_is_at_the_branch(cpu: str) -> None:
    guest = Guest(cpu)
    assert guest.run("slot_trap").name == "trap"
    assert guest.pc == CODE


@pytest.mark.parametrize("cpu", _MIPS)
def test_mips_idle_code_that_is_gone_is_no_fault(cpu: str) -> None:
    guest = Guest(cpu)
    guest.pages.map(0x30000, 5)
    guest.pages.write(0x30000, program(cpu, "end"))
    assert guest.machine.run(0x30000).name == "breakpoint"
    del guest.pages.table[0x30000]
    guest.machine.flush_tlb()
    guest.stop_at_call = True
    assert guest.run("trap", number=1).kind == "requested"


@pytest.mark.parametrize("cpu", _MIPS)
def test_mips_long_straight_code_and_zeros_do_not_crash(cpu: str) -> None:
    guest = Guest(cpu)
    guest.pages.map(0x30000, 5, 3)
    guest.pages.write(0x32000, program(cpu, "end"))
    stop = guest.machine.run(0x30000)
    assert (stop.name, stop.address) == ("breakpoint", 0x32000)


@pytest.mark.parametrize("cpu", ["x86", "x86-64"])
def test_vector_instructions_with_vex_are_illegal(cpu: str) -> None:
    guest = Guest(cpu)
    for _ in range(2):
        guest["copy"] = 0
        stop = guest.run("avx")
        assert (stop.kind, stop.name, stop.address) == ("exception", "illegal", CODE + 3)
        assert (guest.pc, guest["copy"]) == (CODE + 3, 1)


def test_fault_before_a_vex_instruction_comes_first() -> None:
    guest = Guest("x86-64")
    stop = guest.run("avx_after_load", address=NOWHERE)
    assert (stop.kind, stop.address, guest.pc) == ("fault", NOWHERE, CODE)
    guest.pages.map(NOWHERE, READ_WRITE)
    stop = guest.machine.run()
    assert (stop.name, stop.address) == ("illegal", CODE + 2)


def test_vex_bytes_that_are_no_instruction_run() -> None:
    guest = Guest("x86-64")
    assert guest.run("avx_inside").name == "breakpoint"
    assert guest["result"] == 0xC1F857C5
    assert guest.run("sse").name == "breakpoint"
    guest["address"], guest["value"] = 0b0101, 0b1111
    assert guest.run("bmi").name == "breakpoint"
    assert guest["result"] == 0b1010


@pytest.mark.parametrize("cpu", ["ppc", "ppc64", "ppc64le"])
def test_powerpc_reads_time(cpu: str) -> None:
    guest = Guest(cpu)
    before = time.monotonic_ns() * 512 // 1000
    assert guest.run("time", value=3).name == "trap"
    first, upper, last = guest["result"], guest.machine.read("r4"), guest.machine.read("r5")
    if cpu == "ppc":  # halves, which only a wrap in between would make differ
        first, last = upper << 32 | first, upper << 32 | last
    after = time.monotonic_ns() * 512 // 1000
    assert before <= first < last <= after
    assert upper in range(before >> 32, (after >> 32) + 1)
    code = program(cpu, "time")
    assert guest.pages.read(CODE, len(code)) == code


def test_riscv_reads_time() -> None:
    guest = Guest("riscv64")
    assert guest.run("time").name == "breakpoint"
    first = guest["result"]
    assert first
    guest.run("time")
    assert guest["result"] >= first


@pytest.mark.parametrize("cpu", ["arm", "aarch64"])
def test_arm_hints_go_on(cpu: str) -> None:
    guest = Guest(cpu)
    for _ in range(2):
        guest["result"] = 0
        assert guest.run("sleep").name == "breakpoint"
        assert guest["result"] == 6
        guest.run("illegal")


def test_thumb_hints_go_on_and_illegal_instructions_behind_them_do_not() -> None:
    guest = Guest("arm")
    guest.load("thumb_sleep")
    assert guest.machine.run(CODE | 1).name == "breakpoint"
    assert guest["result"] == 6
    guest.machine.write("cpsr", 0)
    for _ in range(2):
        stop = guest.run("illegal_after_hint")
        assert (stop.name, stop.address) == ("illegal", CODE + 8)


def test_aarch64_user_system_registers() -> None:
    guest = Guest("aarch64")
    guest.pages.write(DATA, b"\xff" * 128)
    assert guest.run("registers", address=DATA).name == "breakpoint"
    assert guest.pages.read(DATA, 65) == bytes(64) + b"\xff"
    guest.pages.write(DATA, bytes(8))
    guest.run("atomic", address=DATA, value=5)
    assert guest.pages.read(DATA, 4) == b"\5\0\0\0"


def test_byte_orders() -> None:
    assert set(BIG) == {"mips", "mips64", "ppc", "ppc64", "s390x"}
