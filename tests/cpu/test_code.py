"""Code that changes: by the guest itself, by the host, by another frame at the same address."""

from __future__ import annotations

from compat.cpu.machine import FETCH
from tests.cpu.guest import CODE, DATA, NOWHERE, READ_WRITE, Guest, program
from tests.cpu.sources import PATCH


def first_instruction(guest: Guest, name: str) -> bytes:
    end = len(program(guest.cpu, "end"))
    return program(guest.cpu, name)[:-end]


def test_code_changed_by_the_guest_is_seen(guest: Guest) -> None:
    guest.pages.map(NOWHERE, 7)
    at = 1 if guest.cpu.startswith("x86") else 0
    for name, value in (("one", 1), ("two", 2), ("one", 1), ("two", 2)):
        new = first_instruction(guest, name)[at : at + 4]
        guest.load("patch", NOWHERE)
        assert guest.run("patch", NOWHERE, address=NOWHERE + PATCH + at, value=guest.word(new)).kind == "exception"
        assert guest["result"] == value
    # Without any help of the host: the code is translated, and the guest changes it again.
    new = first_instruction(guest, "one")[at : at + 4]
    guest["address"], guest["value"] = NOWHERE + PATCH + at, guest.word(new)
    guest.machine.run(NOWHERE)
    assert guest["result"] == 1


def test_code_changed_by_the_host_is_seen(guest: Guest) -> None:
    guest.run("one")
    assert guest["result"] == 1
    guest.load("two")
    guest.machine.invalidate_code(guest.pages.physical(CODE), 16)
    guest.machine.run(CODE)
    assert guest["result"] == 2


def test_code_of_a_frame_whose_page_is_gone(guest: Guest) -> None:
    guest.run("one")
    frame = guest.pages.physical(CODE)
    entry = guest.pages.table.pop(CODE)
    guest.machine.flush_tlb()
    guest.pages.ram[frame : frame + 8] = program(guest.cpu, "two")[:8].ljust(8, b"\0")
    guest.machine.invalidate_code(frame, 4096)
    guest.pages.table[CODE] = entry
    guest.machine.run(CODE)
    assert guest["result"] == 2


def test_another_frame_at_the_same_address(guest: Guest) -> None:
    guest.run("one")
    guest.pages.map(NOWHERE, 5)
    guest.load("two", NOWHERE)
    one, two = guest.pages.table[CODE], guest.pages.table[NOWHERE]
    for entry, value in ((two, 2), (one, 1), (two, 2)):
        guest.pages.table[CODE] = entry
        guest.machine.flush_tlb()
        guest.machine.run(CODE)
        assert guest["result"] == value


def test_code_of_the_guest_can_be_read(guest: Guest) -> None:
    guest.load("one")
    expected = program(guest.cpu, "one")
    assert guest.machine.code(CODE, len(expected)) == expected
    assert guest.machine.code(NOWHERE, 4) == b""
    assert guest.pages.fill(CODE, FETCH) is not None


def test_a_store_is_seen_though_the_block_runs_without_a_new_fetch() -> None:
    """A store to one function, a call of another, known one, a store to that: no fetch is between the stores."""
    guest = Guest("x86-64")
    guest.pages.map(NOWHERE, 7)
    # mov $1,%eax; ret at NOWHERE and NOWHERE+64. mov %ecx,1(%rsi); call *%rdi; mov %ecx,1(%rdi); call *%rdi;
    # add %eax,%ebx; inc %ecx; cmp $9,%ecx; jne back; int3
    for offset in (0, 64):
        guest.pages.write(NOWHERE + offset, bytes.fromhex("b801000000c3"))
    guest.pages.write(CODE, bytes.fromhex("894e01 ffd7 894f01 ffd7 01c3 ffc1 83f909 75ed cc"))
    guest.pages.map(DATA + 0x1000, READ_WRITE)
    guest.machine.restore({"rsi": NOWHERE, "rdi": NOWHERE + 64, "rsp": DATA + 0x1800, "rcx": 0, "rbx": 0})
    assert guest.machine.run(CODE).name == "breakpoint"
    assert guest.machine.read("rbx") == sum(range(9))
