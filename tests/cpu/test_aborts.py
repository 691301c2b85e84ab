"""Instructions at which Unicorn would abort the process are illegal, and the guest goes on."""

from __future__ import annotations

import pytest

from tests.cpu.guest import CODE, Guest

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
