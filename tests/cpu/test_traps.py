"""System calls: arguments, result, where the PC stands, stopping and restarting."""

from __future__ import annotations

import pytest

from compat.cpu.machine import Machine
from tests.cpu.guest import CODE, Guest, program


def ended(guest: Guest, at: int = CODE, name: str = "trap") -> int:
    """The PC at which a program's closing breakpoint leaves the CPU."""
    end = len(program(guest.cpu, "end"))
    return at + len(program(guest.cpu, name)) - end + guest.roles.end_length


def test_call_brings_arguments_and_takes_result(guest: Guest) -> None:
    stop = guest.run("trap", number=93, argument=0x5555)
    assert guest.calls == [(0x1234 if guest.roles.number == guest.roles.result else 93, 0x5555)] or guest.calls == [
        (93, 0x5555)
    ]
    assert guest["copy"] == 0x1234
    assert (stop.kind, stop.name) == ("exception", "trap" if guest.cpu.startswith("ppc") else "breakpoint")
    assert guest.pc == ended(guest)


def test_stop_in_call_leaves_pc_behind_it(guest: Guest) -> None:
    guest.stop_at_call = True
    stop = guest.run("trap", number=1)
    assert stop.kind == "requested"
    assert guest.pc == CODE + guest.roles.trap_length
    assert guest["copy"] == 0
    guest.machine.run()
    assert guest["copy"] == 0x1234


def test_call_is_restarted_by_moving_the_pc_back(guest: Guest) -> None:
    guest.stop_at_call = True
    guest.run("trap", number=7, argument=9)
    guest["number"] = 7
    guest.stop_at_call = False
    guest.result = 0x77
    guest.machine.run(guest.pc - guest.roles.trap_length)
    assert len(guest.calls) == 2
    assert guest["copy"] == 0x77


def test_error_in_a_hook_comes_out_of_run(guest: Guest) -> None:
    def fail() -> None:
        raise LookupError("no such call")

    guest.load("trap")
    with pytest.raises(LookupError, match="no such call"):
        Machine(guest.cpu, guest.pages, fail).run(CODE)


def test_int_80_traps_in_64_bit_code() -> None:
    guest = Guest("x86-64")
    guest.run("int80", number=4)
    assert guest.calls == [(4, 0)]
    assert guest["copy"] == 0x1234


def test_thumb_call_goes_on_in_thumb() -> None:
    guest = Guest("arm")
    guest.load("thumb_trap")
    stop = guest.machine.run(CODE | 1)
    assert stop.name == "breakpoint"
    assert guest["copy"] == 0x1234
    assert guest.machine.read("cpsr") & 0x20
    guest.stop_at_call = True
    guest.machine.run(CODE | 1)
    assert guest.pc == CODE + 2
    guest["copy"] = 0
    guest.machine.run()
    assert guest["copy"] == 0x1234


@pytest.mark.parametrize(("name", "number"), [("trap", 0), ("numbered", 77), ("executed", 99)])
def test_s390x_number_is_in_the_instruction(name: str, number: int) -> None:
    guest = Guest("s390x")
    guest.stop_at_call = True
    guest.run(name)
    assert guest.machine.syscall_number == number
    assert guest.machine.run().name == "breakpoint"


def test_arm_old_call_number_is_in_the_instruction() -> None:
    guest = Guest("arm")
    guest.stop_at_call = True
    guest.run("old_call")
    assert guest.machine.syscall_number == 0x900014
