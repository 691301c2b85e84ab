"""The loops that take the places of the library's functions, run as a guest's code: each host's can be tried on any."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from compat.cpu import loop_aarch64, loop_x86_64
from compat.cpu.machine import Machine
from tests.cpu.guest import CODE, DATA, EXEC, READ_WRITE, Pages

_SWAP, _RETURN, _ENVIRONMENT, _ADDRESS, _KIND = CODE + 0x800, CODE + 0x900, 0x1234_5678_9ABC, 0x20_0000_0040, 0x35
_ALL = (1 << 64) - 1


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


_DEFINED: dict[str, Callable[[int, int, int], int]] = {
    "xchg": lambda old, operand, bits: operand,
    "add": lambda old, operand, bits: old + operand & (1 << bits) - 1,
    "smin": lambda old, operand, bits: min(old, operand, key=lambda value: _signed(value, bits)),
    "smax": lambda old, operand, bits: max(old, operand, key=lambda value: _signed(value, bits)),
    "umin": lambda old, operand, bits: min(old, operand),
    "umax": lambda old, operand, bits: max(old, operand),
}


class Caller:
    """Calls a loop whose compare-and-swap is done here, after others have written each of *values* in turn."""

    registers: tuple[str, ...]
    result: str
    pc: str

    def __init__(self, cpu: str, host: Any, code: dict[int, bytes], registers: tuple[str, ...]) -> None:
        self.host = host
        self.code = code
        self.result, self.registers = registers[0], registers[1:]
        self.pages = Pages()
        self.pages.map(CODE, EXEC, 2)
        self.pages.map(DATA, READ_WRITE)
        self.machine = Machine(cpu, self.pages, self._swap)
        self.values: list[int] = []
        self.word = 0

    def _swap(self) -> None:
        environment, address, expected, new, kind, back = (
            self.machine.batch([name]).read()[0] for name in self.registers
        )
        assert (environment, address, kind & 0xFFFFFFFF, back) == (_ENVIRONMENT, _ADDRESS, _KIND, _RETURN)
        if self.values:
            self.word = self.values.pop(0)
        cut = (1 << self.bits) - 1
        old = self.word
        if old == expected & cut:
            self.word = new & cut
        self.machine.batch([self.result]).write([old])

    def call(self, kind: str, size: int, new: bool, operand: int, values: list[int]) -> int:
        self.bits, self.values, self.word = 8 * size, values, values[-1]
        self.pages.write(CODE, self.host.loop(kind, size, new, _SWAP))
        for place, code in self.code.items():
            self.pages.write(place, code)
        self.machine.invalidate_code(self.pages.physical(CODE), 0x1000)
        self.enter(operand)
        assert self.machine.run(CODE).name == "breakpoint"
        return self.machine.read(self.result)

    def enter(self, operand: int) -> None:
        raise NotImplementedError


class X8664(Caller):
    def __init__(self) -> None:
        code = {_SWAP: bytes.fromhex("0f05 c3"), _RETURN: b"\xcc"}  # syscall; ret
        super().__init__("x86-64", loop_x86_64, code, ("rax", "rdi", "rsi", "rdx", "rcx", "r8", "r9"))

    def enter(self, operand: int) -> None:
        self.pages.write(DATA + 0x808, struct.pack("<Q", _RETURN))
        self.saved = {name: 0x1111 * i for i, name in enumerate(("rbx", "rbp", "r12", "r13", "r14", "r15"), 1)}
        arguments = {"rdi": _ENVIRONMENT, "rsi": _ADDRESS, "rdx": operand, "rcx": _KIND, "rsp": DATA + 0x808}
        self.machine.restore(arguments | self.saved)


class AArch64(Caller):
    def __init__(self) -> None:
        code = {_SWAP: bytes.fromhex("010000d4 c0035fd6"), _RETURN: bytes.fromhex("000020d4")}  # svc #0; ret; brk #0
        super().__init__("aarch64", loop_aarch64, code, ("x0", *(f"x{i}" for i in range(6))))

    def enter(self, operand: int) -> None:
        self.saved = {f"x{i}": 0x1111 * i for i in (*range(19, 26), 29)}
        arguments = {"x0": _ENVIRONMENT, "x1": _ADDRESS, "x2": operand, "x3": _KIND, "x30": _RETURN, "sp": DATA + 0x800}
        self.machine.restore(arguments | self.saved)


def _met(values: list[int]) -> int:
    """The value that a loop finds twice in a row, its first guess being 0."""
    guess = 0
    for value in values:
        if value == guess:
            break
        guess = value
    return guess


@pytest.mark.parametrize("caller", [X8664, AArch64])
@pytest.mark.parametrize("kind", list(_DEFINED))
def test_the_result_is_that_of_the_last_value(caller: Callable[[], Caller], kind: str) -> None:
    called = caller()
    for size in (1, 2, 4, 8):
        cut = (1 << 8 * size) - 1
        for first, operand in ((5, 3), (3, 5), (-5, 3), (3, -5), (-5, -7), (0, 1), (_ALL // 3, _ALL // 5)):
            for values in ([first], [9, first], [1, -2, 0, first], [0, 0, first]):
                for new in (False, True):
                    seen = [value & cut for value in values]
                    junk = 0x5A5A << 8 * size & _ALL
                    got = called.call(kind, size, new, operand & cut | junk, list(seen))
                    old = _met(seen)
                    result = _DEFINED[kind](old, operand & cut, 8 * size)
                    assert got == (result if new else old)
                    assert called.word == result
                    state = called.machine.save()
                    assert {name: state[name] for name in called.saved} == called.saved
