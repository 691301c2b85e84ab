"""AT_MINSIGSTKSZ: no less than what a frame takes, and not much more."""

from __future__ import annotations

import errno

import pytest

from compat.abi.abi import Abi
from shims.linux.frames import Placement
from tests.linux.guest import Guest, refused


@pytest.mark.parametrize("cpu", ["x86", "x86-64", "aarch64", "riscv64", "ppc", "ppc64"])
def test_least_stack_is_the_frames_size(cpu: str) -> None:
    abi = Abi("linux", cpu)
    place, size = Placement.of(abi), abi.layout("RtFrame").size
    if abi.cpu.family == "x86":
        size += abi.layout("FpState").size + 63  # aligned to 64 bytes
    size += place.gap[1]
    assert size <= abi.tables.grids["frames"].column("least")[cpu] <= size + 2 * place.align


@pytest.mark.parametrize(("cpu", "least"), [("aarch64", 5120), ("ppc64le", 8192), ("x86-64", 2048)])
def test_least_alternate_stack(make_guest: type[Guest], cpu: str, least: int) -> None:
    guest = make_guest(cpu)
    with refused(errno.ENOMEM):
        guest.call("sigaltstack", guest.struct("SigaltStack", {"sp": 0x10000, "size": least - 1}), 0)
    guest.call("sigaltstack", guest.struct("SigaltStack", {"sp": 0x10000, "size": least}), 0)
    assert guest.thread.altstack.size == least
