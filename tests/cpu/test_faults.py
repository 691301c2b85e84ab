"""Faults: the exact address, no side effect, and the instruction runs again after a repair."""

from __future__ import annotations

import pytest

from compat.cpu.machine import _FAMILIES, Machine
from tests.cpu.guest import CODE, DATA, EXEC, NOWHERE, READ_WRITE, Guest
from tests.cpu.sources import CPUS

_ALIGNED = frozenset(("mips", "mipsel", "mips64", "mips64el"))


@pytest.mark.parametrize(("program", "access"), [("load", "read"), ("store", "write")])
def test_unmapped_page_then_repair(guest: Guest, program: str, access: str) -> None:
    address = NOWHERE + (0x124 if guest.cpu in _ALIGNED else 0x123)
    stop = guest.run(program, address=address, value=0x01020304)
    assert (stop.kind, stop.access, stop.address) == ("fault", access, address)
    assert guest.pc == CODE
    guest.pages.map(NOWHERE, READ_WRITE)
    guest.pages.write(address, guest.bytes(0x0A0B0C0D))
    assert guest.machine.run().kind == "exception"
    if program == "load":
        assert guest["result"] == 0x0A0B0C0D
    else:
        assert guest.word(guest.pages.read(address, 4)) == 0x01020304


def test_write_to_a_read_only_page_then_repair(guest: Guest) -> None:
    guest.pages.map(NOWHERE, 1)
    guest.run("load", address=NOWHERE)
    stop = guest.run("store", address=NOWHERE + 8, value=5)
    assert (stop.kind, stop.access, stop.address) == ("fault", "write", NOWHERE + 8)
    assert guest.pages.read(NOWHERE + 8, 4) == bytes(4)
    guest.pages.table[NOWHERE][1] = READ_WRITE
    guest.machine.flush_tlb()
    guest.machine.run()
    assert guest.word(guest.pages.read(NOWHERE + 8, 4)) == 5


def test_protection_taken_away_after_use(guest: Guest) -> None:
    assert guest.run("store", address=DATA, value=1).kind == "exception"
    guest.pages.table[DATA][1] = 1
    guest.machine.flush_tlb()
    stop = guest.machine.run(CODE)
    assert (stop.kind, stop.access, stop.address) == ("fault", "write", DATA)
    guest.pages.table[DATA][1] = 0
    guest.machine.flush_tlb()
    stop = guest.run("load", address=DATA + 4)
    assert (stop.kind, stop.access, stop.address) == ("fault", "read", DATA + 4)


@pytest.mark.parametrize("program", ["load", "store"])
def test_access_across_into_an_unmapped_page(guest: Guest, program: str) -> None:
    if guest.cpu in _ALIGNED:
        pytest.skip("accesses must be aligned")
    stop = guest.run(program, address=DATA + 0xFFE, value=0x01020304)
    assert (stop.kind, stop.address) == ("fault", DATA + 0x1000)
    assert guest.pages.read(DATA + 0xFFE, 2) == bytes(2)
    guest.pages.map(DATA + 0x1000, READ_WRITE)
    assert guest.machine.run().kind == "exception"
    if program == "store":
        assert guest.pages.read(DATA + 0xFFE, 2) + guest.pages.read(DATA + 0x1000, 2) == guest.bytes(0x01020304)


@pytest.mark.parametrize("target", [NOWHERE + 0x28, DATA + 0x10, 0])
def test_jump_to_where_nothing_may_run(guest: Guest, target: int) -> None:
    stop = guest.run("jump", address=target)
    assert (stop.kind, stop.access, stop.address) == ("fault", "fetch", target)
    assert guest.pc == target
    if target:
        guest.pages.map(target & ~0xFFF, EXEC)
        guest.load("end", target)
        guest.machine.flush_tlb()
        assert guest.machine.run().kind == "exception"


def test_frame_0_is_not_reached_by_wrong_permissions(guest: Guest) -> None:
    stop = guest.run("store", address=0, value=1)
    assert (stop.kind, stop.address) == ("fault", 0)


def test_hook_error_in_the_page_source_comes_out_of_run(guest: Guest) -> None:
    def fail(_page: int, _access: int) -> None:
        raise LookupError("no table")

    guest.load("load")
    guest.pages.fill = fail  # type: ignore[method-assign, assignment]
    with pytest.raises(LookupError, match="no table"):
        Machine(guest.cpu, guest.pages, lambda: None).run(CODE)


@pytest.mark.parametrize("cpu", sorted(_ALIGNED))
def test_mips_fault_in_a_delay_slot_restarts_at_the_branch(cpu: str) -> None:
    guest = Guest(cpu)
    stop = guest.run("slot_load", address=NOWHERE + 4)
    assert (stop.kind, stop.address) == ("fault", NOWHERE + 4)
    assert guest.pc == CODE
    # A signal handler may run in between: the branch must not be pending in it.
    guest.load("two", CODE + 0x400)
    assert guest.machine.run(CODE + 0x400).name == "breakpoint"
    assert (guest.pc, guest["result"]) == (CODE + 0x404, 2)
    guest.pages.map(NOWHERE, READ_WRITE)
    guest.pages.write(NOWHERE + 4, guest.bytes(0x55))
    assert guest.machine.run(CODE).name == "breakpoint"
    assert (guest.pc, guest["copy"]) == (CODE + 16, 0x55)


@pytest.mark.parametrize("cpu", sorted(_ALIGNED))
def test_mips_unaligned_access(cpu: str) -> None:
    guest = Guest(cpu)
    stop = guest.run("load", address=DATA + 2)
    assert (stop.kind, stop.name, stop.address, guest.pc) == ("exception", "alignment", CODE, CODE)


@pytest.mark.parametrize("cpu", sorted(_ALIGNED))
def test_mips_load_linked_reads_user_memory(cpu: str) -> None:
    guest = Guest(cpu)
    guest.pages.map(0x7FFF0000, READ_WRITE)
    for address in (DATA, 0x7FFF0000):
        guest.pages.write(address, guest.bytes(40))
        assert guest.run("atomic", address=address, value=2).name == "breakpoint"
        assert guest.word(guest.pages.read(address, 4)) == 42
    assert guest.run("atomic", address=NOWHERE).kind == "fault"


def test_thumb_fault_inside_an_if_then_block() -> None:
    guest = Guest("arm")
    guest.load("thumb_block")
    guest["address"] = NOWHERE + 1
    stop = guest.machine.run(CODE | 1)
    assert (stop.kind, stop.address, guest.pc) == ("fault", NOWHERE + 1, CODE + 4)
    guest.pages.map(NOWHERE, READ_WRITE)
    guest.pages.write(NOWHERE + 1, guest.bytes(6))
    assert guest.machine.run().name == "breakpoint"
    assert guest["result"] == 7


def test_all_cpus_are_tested() -> None:
    assert set(_FAMILIES) == set(CPUS)
