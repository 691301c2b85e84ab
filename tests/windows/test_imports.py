"""Numbers of imports, and what becomes of errors."""

from __future__ import annotations

import errno

import pytest

from compat.errors import MemoryFault, ThreadExit
from shims.linux.state import LinuxThread
from tests.guests import FakeRegisters
from tests.windows.guest import make_process

TEB = 0x10000


def test_numbers_are_given_out_once() -> None:
    imports = make_process().imports
    first, second = imports.number("kernel32.dll", "WriteFile"), imports.number("some.dll", "WriteFile")
    assert (first, second) == (0x5000_0000, 0x5000_0001)
    assert imports.number("kernel32.dll", "WriteFile") == first
    assert imports.call(0x5000_0002) is None
    assert imports.call(4) is None


@pytest.mark.parametrize(
    ("error", "number"),
    [(OSError(errno.EBADF, ""), 6), (MemoryFault(0, "read"), 998), (OSError(errno.ESTALE, ""), 1117)],
)
def test_an_error_becomes_the_last_error(error: Exception, number: int) -> None:
    process = make_process()
    process.memory.map(0x1000, 3, address=TEB, fixed=True)
    thread = LinuxThread(process, 1, FakeRegisters())
    process.tebs[1] = TEB
    call = process.foreign(process.imports.number("kernel32.dll", "WriteFile"))
    assert call is not None
    assert call.fail is not None
    assert call.fail(thread, error) == 0
    assert process.memory.read(TEB + 0x68, 4) == number.to_bytes(4, "little")


def test_what_no_table_knows_ends_the_process() -> None:
    process = make_process()
    call = process.foreign(process.imports.number("strange.dll", "Strange"))
    assert call is not None
    assert (call.row.key, call.row.state) == ("strange.dll!Strange", "known")
    with pytest.raises(ThreadExit):
        call.unwritten(LinuxThread(process, 1, FakeRegisters()))
    assert process.status == 0x3900  # the low byte of STATUS_ENTRYPOINT_NOT_FOUND
