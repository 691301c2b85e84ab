"""Registers: one by one, in batches, saved and restored, by snapshot, thread pointers, floating point."""

from __future__ import annotations

import struct

import pytest

from compat.cpu.x86 import user_descriptor
from tests.cpu.guest import CODE, DATA, Guest
from tests.cpu.sources import CPUS

_KEPT = frozenset(("pc", "eip", "rip", "cs", "ss", "ds", "es", "fs", "gs"))


def pattern(guest: Guest) -> dict[str, int]:
    """A different value for every register, of user-settable bits only."""
    values = {}
    for i, (name, register) in enumerate(guest.machine.family.registers.items()):
        if name in _KEPT or name.startswith(("fp", "fs", "fc", "mxcsr", "st", "fop", "fip", "fdp")):
            continue
        value = int.from_bytes(bytes((i * 7 + j * 31 + 1) & 0x7F for j in range(register.size)), "little")
        bits = guest.machine.family.settable.get(name)
        if bits is not None:
            value = guest.machine.read(name) & ~bits | value & bits & 0xF0000000
        values[name] = value
    return values


def test_write_and_read_each(guest: Guest) -> None:
    values = pattern(guest)
    for name, value in values.items():
        guest.machine.write(name, value)
    assert {name: guest.machine.read(name) for name in values} == values


def test_batch(guest: Guest) -> None:
    roles = guest.roles
    names = list(dict.fromkeys((roles.number, roles.argument, roles.copy, roles.address, roles.value)))
    batch = guest.machine.batch(names)
    batch.write(range(11, 11 + len(names)))
    assert batch.read() == list(range(11, 11 + len(names)))
    batch.write([-1] * len(names))
    mask = (1 << 8 * guest.machine.family.registers[names[0]].size) - 1
    assert batch.read() == [mask] * len(names)


def test_save_and_restore_in_another_machine(guest: Guest) -> None:
    for name, value in pattern(guest).items():
        guest.machine.write(name, value)
    saved = guest.machine.save()
    assert all(isinstance(value, int) for value in saved.values())
    other = Guest(guest.cpu)
    other.machine.restore(saved)
    assert other.machine.save() == saved


def test_user_cannot_restore_privilege(guest: Guest) -> None:
    saved = guest.machine.save()
    guest.machine.restore(
        {name: (1 << 64) - 1 if "f" not in name else 0 for name in saved if name in guest.machine.family.settable}
    )
    stop = guest.run("privileged", address=DATA)
    assert stop.kind == "exception"
    assert stop.name in ("illegal", "privileged")


def test_snapshot_switches_threads(guest: Guest) -> None:
    machine = guest.machine
    guest["copy"] = 5
    first = machine.snapshot()
    guest.run("trap")
    second = machine.snapshot()
    machine.resume(first)
    assert guest["copy"] == 5
    machine.resume(second)
    assert guest["copy"] == 0x1234
    machine.resume(first)
    guest.run("trap")
    assert guest["copy"] == 0x1234


def test_thread_pointer(guest: Guest) -> None:
    guest.pages.write(DATA + 0x100, guest.bytes(0x11223344))
    guest.machine.set_tls(DATA + 0x100)
    guest.run("tls")
    assert guest["result"] == 0x11223344


def test_floating_point(guest: Guest) -> None:
    if guest.cpu.startswith("ppc"):
        guest.pages.write(DATA, struct.pack(">d" if guest.order == "big" else "<d", 3.0))
        guest.run("float", address=DATA)
        value = struct.unpack(">d" if guest.order == "big" else "<d", guest.pages.read(DATA, 8))[0]
        assert value == 6.0
    else:
        guest.run("float")
        assert guest["result"] == 6


def test_wide_registers_are_whole() -> None:
    for cpu, name in (("x86-64", "xmm9"), ("aarch64", "v31"), ("x86", "xmm7")):
        guest = Guest(cpu)
        guest.machine.write(name, 1 << 127 | 3)
        assert guest.machine.read(name) == 1 << 127 | 3


@pytest.mark.parametrize("cpu", ["ppc", "ppc64", "ppc64le"])
def test_powerpc_keeps_carry_and_vectors(cpu: str) -> None:
    guest = Guest(cpu)
    guest.run("carry")
    guest.run("vector")
    saved = guest.machine.save()
    assert saved["xer"] >> 29 & 1
    vector = "vr5" if cpu == "ppc" else "vs37"
    assert saved[vector] == int("07" * 16, 16)
    other = Guest(cpu)
    other.machine.restore(saved)
    assert other.machine.save() == saved
    other.run("use_vector", address=DATA)
    assert other["result"] == 0x07070707
    other.run("add_carry")
    assert other["result"] == 1


@pytest.mark.parametrize("cpu", ["ppc", "ppc64", "ppc64le"])
def test_powerpc_state_without_registers(cpu: str) -> None:
    guest = Guest(cpu)
    before = guest.machine.save()
    vector = "vr31" if cpu == "ppc" else "vs63"
    changes = {"vscr": 0x10001 ^ before["vscr"], "vrsave": 0x12345678, "xer": 0xC008_0011, vector: 1 << 127 | 5}
    if cpu != "ppc":
        changes |= {"f_low31": 1 << 63 | 3, "f31": 1 << 62}
    guest.machine.restore(changes)
    assert guest.machine.save() == before | changes
    guest.machine.restore({"vscr": before["vscr"], "msr": 0})
    assert guest.machine.save() == before | changes | {"vscr": before["vscr"]}


def test_s390x_condition_code_survives() -> None:
    guest = Guest("s390x")
    guest.run("condition")
    saved = guest.machine.save()
    assert saved["pswm"] >> 44 & 3
    other = Guest("s390x")
    other.machine.restore(saved)
    assert other.machine.read("pswm") == saved["pswm"]


def test_x86_descriptors() -> None:
    assert user_descriptor(0, 0, 0x28) == 0
    assert user_descriptor(0x12345678, 0xFFFFF, 0b1010001) == 0x12DFF334_5678FFFF
    guest = Guest("x86")
    guest.pages.write(DATA, b"\x0d\xf0\xad\x8b")
    guest.machine.set_tls(DATA)
    saved = guest.machine.save()
    other = Guest("x86")
    other.pages.write(DATA, b"\1\0\0\0")
    other.machine.restore(saved)
    other.run("tls")
    assert other["result"] == 1
    snapshot = guest.machine.snapshot()
    guest.machine.set_tls(DATA + 0x40)
    guest.machine.resume(snapshot)
    guest.machine.write("gs", 0x63)
    guest.run("tls")
    assert guest["result"] == 0x8BADF00D


def test_x86_stack_of_floats_survives() -> None:
    guest = Guest("x86-64")
    for i, value in enumerate((0x3800, 0xFF)):
        guest.machine.write(("fpsw", "fptag")[i], value)
    guest.machine.write("st2", 0x4000_C000000000000000)
    saved = guest.machine.save()
    other = Guest("x86-64")
    other.machine.restore(saved)
    assert other.machine.read("st2") == 0x4000_C000000000000000
    assert other.machine.save() == saved


@pytest.mark.parametrize("cpu", CPUS)
def test_a_new_machine_begins_with_zeros(cpu: str) -> None:
    guest = Guest(cpu)
    roles = guest.roles
    assert [guest[role] for role in ("number", "argument", "copy", "address", "value")] == [0] * 5
    assert guest.pc == 0
    assert CODE
    assert roles
