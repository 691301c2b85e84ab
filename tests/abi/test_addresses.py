"""Socket addresses in a trace: the family is in the guest's order, the rest in the network's."""

from __future__ import annotations

import struct

import pytest

from compat.abi.abi import Abi
from compat.abi.addresses import show_address
from compat.abi.handles import Buffer
from compat.bind import Binder
from compat.memory import AddressSpace, Ram

INTERNET = (80).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)


@pytest.mark.parametrize(
    ("family", "rest", "shown"),
    [
        ("AF_INET", INTERNET, "{AF_INET, 127.0.0.1:80}"),
        ("AF_INET6", bytes(21) + b"\1" + bytes(4), "{AF_INET6, [::1]:0}"),
        ("AF_UNIX", b"/run/name\0\0", '{AF_UNIX, "/run/name"}'),
        ("AF_UNIX", b"\0name", r'{AF_UNIX, "\0name"}'),
        ("AF_UNIX", b"", "{AF_UNIX}"),
        ("AF_INET", b"\0", r'{AF_INET, "\0"}'),
    ],
)
def test_families(family: str, rest: bytes, shown: str) -> None:
    assert show_address(family, b"??" + rest) == shown


@pytest.mark.parametrize("cpu", ["x86-64", "mips"])
def test_the_guests_own(cpu: str) -> None:
    abi = Abi("linux", cpu)
    memory = AddressSpace(Ram(1 << 20), top=abi.cpu.top)
    memory.map(0x1000, 3, address=0x10000, fixed=True)
    memory.write(0x10000, struct.pack(abi.cpu.order + "H", 2) + INTERNET)
    kind = Binder(abi).types(abi.tables.rows["bind"])[1]
    assert kind.show(Buffer(memory, 0x10000, 16)) == "{AF_INET, 127.0.0.1:80}"
    assert kind.show(Buffer(memory, 0x50000, 16)) == "0x50000"
    assert kind.show(Buffer(memory, 0x10000, 1)) in (r'"\0"', r'"\x02"')
    assert kind.show(None) == "NULL"
