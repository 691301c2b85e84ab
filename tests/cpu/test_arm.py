"""What is ARM's own: conditions of IT blocks, and hints."""

from __future__ import annotations

import pytest

from tests.cpu.guest import CODE, DATA, EXEC, READ_WRITE, Guest

THUMB = 1


@pytest.mark.parametrize("code_ran_there", [False, True])
def test_a_new_page_inside_an_if_then_block_leaves_no_condition(code_ran_there: bool) -> None:
    guest = Guest("arm")
    if code_ran_there:
        guest.pages.table[DATA][1] = READ_WRITE | EXEC
        guest.pages.write(DATA + 16, bytes.fromhex("700020e1"))  # bkpt
        guest.machine.run(DATA + 16)
        guest.machine.flush_tlb()
    # cmp r0, r0; itt eq; ldreq r2, [r1]; addeq r3, #1; cmp r0, #99; b next; next: movs r4, #7; bkpt
    guest.pages.write(CODE, bytes.fromhex("8042 04bf 0a68 0133 6328 ffe7 0724 00be"))
    guest.machine.write("r1", DATA)
    assert guest.machine.run(CODE | THUMB).name == "breakpoint"
    assert (guest.machine.read("r3"), guest.machine.read("r4")) == (1, 7)


@pytest.mark.parametrize(
    ("code", "thumb"),
    [
        ("01f020e3 02f020e3 01f02003 0700a0e3 700020e1", 0),  # yield; wfe; yieldeq; mov r0, #7; bkpt
        ("10bf 20bf aff30180 aff30280 0720 00be", 1),  # yield; wfe; yield.w; wfe.w; movs r0, #7; bkpt
    ],
)
def test_hints_to_wait_go_on_at_once(code: str, thumb: int) -> None:
    guest = Guest("arm")
    guest.pages.write(CODE, bytes.fromhex(code))
    for _ in range(2):
        guest.machine.write("r0", 0)
        assert guest.machine.run(CODE | thumb).name == "breakpoint"
        assert guest.machine.read("r0") == 7
    assert guest.pages.read(CODE, 4) == bytes.fromhex(code)[:4]


@pytest.mark.parametrize(("code", "thumb"), [("01f020e3 f000f0e7", 0), ("10bf 00de", 1)])
def test_an_illegal_instruction_behind_a_hint(code: str, thumb: int) -> None:
    guest = Guest("arm")
    guest.pages.write(CODE, bytes.fromhex(code))
    for _ in range(2):
        stop = guest.machine.run(CODE | thumb)
        assert (stop.name, stop.address) == ("illegal", CODE + (2 if thumb else 4))


@pytest.mark.parametrize(("code", "thumb"), [("000091e5 01f020e3 0700a0e3 700020e1", 0), ("0868 10bf 0720 00be", 1)])
def test_a_hint_behind_a_load_from_a_new_page(code: str, thumb: int) -> None:
    guest = Guest("arm")  # ldr r0, [r1]; yield; mov r0, #7; bkpt
    guest.pages.write(CODE, bytes.fromhex(code))
    guest.machine.write("r1", DATA)
    assert guest.machine.run(CODE | thumb).name == "breakpoint"
    assert guest.machine.read("r0") == 7
