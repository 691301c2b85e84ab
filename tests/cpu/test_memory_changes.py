"""Memory changed from inside a system call, and a frame with two addresses."""

from __future__ import annotations

from compat.cpu.machine import Machine
from tests.cpu.guest import CODE, DATA, NOWHERE, READ_WRITE, Guest, program
from tests.cpu.test_code import first_instruction


def test_a_call_may_take_a_page_away(guest: Guest) -> None:
    """The page of data is used, a call removes it, and the next use faults."""
    guest.pages.map(NOWHERE, READ_WRITE)
    taken: list[int] = []

    def take() -> None:
        del guest.pages.table[NOWHERE]
        machine.flush_tlb()
        machine.invalidate_code(guest.pages.physical(CODE), 4096)
        taken.append(machine.read(guest.roles.address))

    machine = guest.machine = Machine(guest.cpu, guest.pages, take)
    end = len(program(guest.cpu, "end"))
    store = program(guest.cpu, "store")[:-end]
    call = program(guest.cpu, "trap")[: guest.roles.trap_length]
    guest.pages.write(CODE, store + call + store)
    machine.write(guest.roles.address, NOWHERE)
    stop = machine.run(CODE)
    assert taken == [NOWHERE]
    assert (stop.kind, stop.access, stop.address) == ("fault", "write", NOWHERE)
    assert machine.read(guest.pc_name) == CODE + len(store) + len(call)


def test_a_frame_written_at_one_address_and_run_at_another(guest: Guest) -> None:
    """Noticed if the writing address is reported with X too (DATA is read, written, but never run)."""
    frame = guest.pages.physical(CODE)
    guest.pages.table[DATA] = [frame, 0]
    guest.pages.fill = lambda page, access: (frame, 5 if page == CODE else 7)  # type: ignore[method-assign]
    guest.machine = Machine(guest.cpu, guest.pages, lambda: None)
    end = len(program(guest.cpu, "end"))
    store = program(guest.cpu, "store")
    at = 1 if guest.cpu.startswith("x86") else 0
    guest.pages.ram[frame + 128 : frame + 128 + len(store)] = store
    one = program(guest.cpu, "one")
    guest.pages.ram[frame : frame + len(one)] = one
    for name, value in (("two", 2), ("one", 1), ("two", 2), ("one", 1)):
        new = first_instruction(guest, name)[at : at + 4]
        guest["address"], guest["value"] = DATA + at, guest.word(new)
        guest.machine.run(CODE + 128)
        guest.machine.run(CODE)
        assert guest["result"] == value
    assert end


def test_the_tlb_grows_with_the_memory_in_use() -> None:
    """Eight walks over 2048 pages (mov (%rsi); next page) ask for far fewer than 8 x 2048 of them."""
    guest = Guest("x86-64")
    guest.pages.map(0x1000000, READ_WRITE, 2048)
    guest.pages.write(CODE, bytes.fromhex("b900080000 be00000001 8b06 4881c600100000 ffc9 75f3 ffca 75e5 cc"))
    asked = []
    fill = guest.machine._paging._source

    def count(page: int, access: int) -> tuple[int, int] | None:
        asked.append(page)
        return fill(page, access)

    guest.machine._paging._source = count
    guest.machine.restore({"rdx": 8})
    assert guest.machine.run(CODE).name == "breakpoint"
    assert 2048 <= len(asked) < 5 * 2048
