"""The very first block that a machine runs is looked at like any other."""

from __future__ import annotations

import struct

import pytest

from tests.cpu.guest import CODE, Guest, program


@pytest.mark.parametrize(
    ("cpu", "code"),
    [
        ("x86", "c5f857c1"),  # vxorps
        ("x86-64", "c5f857c1"),
        ("s390x", "b2050000"),  # stck
        ("ppc64", "f1010918"),  # xscmpudp cr2, vs1, vs1
        ("ppc64le", "180901f1"),
    ],
)
def test_the_first_block(cpu: str, code: str) -> None:
    guest = Guest(cpu)
    guest.pages.write(CODE, bytes.fromhex(code) + program(cpu, "end"))
    if cpu.startswith("ppc"):
        guest.machine.restore({"f1": struct.unpack(">Q", struct.pack(">d", 1.0))[0]})
    stop = guest.machine.run(CODE)
    if cpu.startswith("ppc"):
        assert (stop.name, guest.machine.read("cr") >> 20 & 15) == ("trap", 2)
    else:
        assert (stop.name, stop.address) == ("clock" if cpu == "s390x" else "illegal", CODE)
