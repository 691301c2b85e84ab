"""RDHWR as the kernel does it, in and out of delay slots."""

from __future__ import annotations

import os
import time

import pytest

from compat.process import CpuFault
from shims.linux.emulation import emulate
from tests.linux.guest import Guest

_FAULT = CpuFault("illegal", 20)
_CPU, _COUNT, _OTHER = 0x7C03003B, 0x7C03103B, 0x7C03203B  # rdhwr r3, $0; $2; $4
_BRANCH = 0x10000004  # b .+20


def run(guest: Guest, *words: int) -> tuple[int, CpuFault | None]:
    """What remains, and how far the PC went."""
    code = guest.put(b"".join(word.to_bytes(4, "big") for word in words))
    guest.thread.registers.write("pc", code)
    remains = emulate(guest.thread, _FAULT)
    assert remains is None or remains is _FAULT
    return guest.thread.registers.read("pc") - code, remains


@pytest.mark.parametrize(("words", "distance"), [((_CPU,), 4), ((_BRANCH, _CPU), 20)])
def test_cpu_number(make_guest: type[Guest], words: tuple[int, ...], distance: int) -> None:
    guest = make_guest("mips")
    guest.thread.registers.write("r3", 1023)
    assert run(guest, *words) == (distance, None)
    assert guest.thread.registers.read("r3") in range(os.cpu_count() or 1)


@pytest.mark.parametrize("cpu", ["mips", "mips64"])
def test_the_counter_counts(make_guest: type[Guest], cpu: str) -> None:
    guest = make_guest(cpu)
    before = time.monotonic_ns() // 10
    assert run(guest, _COUNT) == (4, None)
    after = time.monotonic_ns() // 10
    assert (guest.thread.registers.read("r3") - before) % (1 << 32) <= after - before
    assert guest.thread.registers.read("r3") >> 32 in (0, (1 << guest.abi.cpu.bits - 32) - 1)


@pytest.mark.parametrize("words", [(_OTHER,), (0,), (_BRANCH, 0), (_BRANCH, _OTHER)])
def test_others_stay_illegal(make_guest: type[Guest], words: tuple[int, ...]) -> None:
    assert run(make_guest("mips"), *words) == (0, _FAULT)
