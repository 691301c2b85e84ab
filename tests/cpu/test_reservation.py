"""Load-linked and store-conditional, with and without another thread between them."""

from __future__ import annotations

import pytest

from tests.cpu.guest import DATA, Guest
from tests.cpu.sources import CPUS, SOURCES


@pytest.mark.parametrize("cpu", [cpu for cpu in CPUS if "linked" in SOURCES[cpu]])
@pytest.mark.parametrize("switched", [False, True])
def test_a_switch_takes_the_reservation(cpu: str, switched: bool) -> None:
    guest = Guest(cpu)
    guest.stop_at_call = True
    guest.pages.write(DATA, guest.bytes(5))
    guest.run("linked", address=DATA, value=6)
    assert guest.calls
    if switched:
        guest.machine.resume(guest.machine.snapshot())
    assert guest.machine.run().kind == "exception"
    assert guest.pages.read(DATA, 4) == guest.bytes(5 if switched else 6)
