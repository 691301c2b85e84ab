"""Rows become functions: slots to arguments, results to registers, and a refusal for a shim that does not fit."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compat.abi.abi import Abi
from compat.abi.handles import ArrayHandle, Buffer, CString, Pointer
from compat.abi.rows import Row
from compat.bind import Binder
from compat.check import check_all, check_once
from compat.dispatch import Dispatcher
from compat.errors import BadTable, MemoryFault
from tests.abi.tables import make_abi
from tests.guests import STACK, FakeGuest
from tests.linux.headers import CPUS


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test binds is remembered for others."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def made(tmp_path: Path, params: str, cpu: str, tail: str = "") -> tuple[Binder, Row]:
    abi = make_abi(tmp_path / "tables", f"made({params}) -> Int {tail}", cpu)
    return Binder(abi), abi.tables.rows["made"]


def thread_of(memory: object = None) -> Any:
    return SimpleNamespace(memory=memory)


def test_scalars_are_signed_as_their_type(tmp_path: Path) -> None:
    binder, row = made(tmp_path, "a: Int, b: UInt, c: I64, d: U8", "x86-64")
    values = [0, 2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1]
    assert binder.decode(row)(thread_of(), values) == [-1, 2**32 - 1, -1, 255]


@pytest.mark.parametrize(
    ("cpu", "values", "wanted"),
    [
        ("x86", [0, 1, 2, 3, 4], [1, 3 << 32 | 2, 4]),
        ("arm", [0, 1, 9, 2, 3, 4], [1, 3 << 32 | 2, 4]),
        ("ppc", [0, 1, 9, 2, 3, 4], [1, 2 << 32 | 3, 4]),
        ("x86-64", [0, 1, 2, 3], [1, 2, 3]),
    ],
)
def test_pairs_of_registers(cpu: str, values: list[int], wanted: list[int], tmp_path: Path) -> None:
    """A 64-bit argument on a CPU of 32 bits: which registers, and in which order, syscall(2) tells."""
    binder, row = made(tmp_path, "a: Int, b: I64, c: Int", cpu)
    assert binder.decode(row)(thread_of(), [*values, 0, 0, 0]) == wanted


def test_memory_becomes_handles(tmp_path: Path) -> None:
    params = "a: Path, b: Out[Bytes, n], n: Size, c: In[Timespec] | None, d: In[Array[Int, ], n]".replace(
        "Int, ", "Int"
    )
    binder, row = made(tmp_path, params, "x86-64")
    path, buffer, count, none, array = binder.decode(row)(thread_of("memory"), [0, 16, 32, 5, 0, 64])
    assert isinstance(path, CString)
    assert isinstance(buffer, Buffer)
    assert isinstance(array, ArrayHandle)
    assert (path.address, buffer.address, buffer.size, count, none) == (16, 32, 5, 5, None)
    assert (array.count, array.codec.size) == (5, 4)
    some = binder.decode(row)(thread_of("memory"), [0, 16, 32, 5, 48, 64])[3]
    assert isinstance(some, Pointer)
    assert some.codec.size == 16


@pytest.mark.parametrize(
    ("params", "tail", "sentence"),
    [
        ("a: Out[Bytes, n]", "", "a is counted by n, which is no argument that is a number"),
        ("a: Out[Bytes, n], n: OpenFlags", "", "a is counted by n, which is no argument that is a number"),
        ("a: Out[Bytes, a]", "", "a is counted by a, which is no argument that is a number"),
        ("a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int", "", "made needs 7 slots on aarch64"),
    ],
)
def test_rows_that_cannot_be_decoded(params: str, tail: str, sentence: str, tmp_path: Path) -> None:
    binder, row = made(tmp_path, params, "aarch64", tail)
    with pytest.raises(BadTable) as refused:
        binder.decode(row)
    assert str(refused.value) == f"tables/extra.abi:1: {sentence}"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            "getpid() -> Pid = nowhere.getpid",
            "no shim nowhere.getpid in shims/linux/nowhere.py or shims/posix/nowhere.py",
        ),
        ("getpid() -> Pid = identity.nothing", "no shim identity.nothing in"),
        ("getpid() -> Pid = identity.errno", "no shim identity.errno in"),
        ("getpid() -> Pid = os.getpid", "no shim os.getpid in"),
        ("getpid(pid: Pid) -> Pid = processes.getpid", "getpid takes (pid), shim takes ()"),
        ("close(fd: Fd) -> Void = files.dup2", "close takes (fd), shim takes (old, new)"),
        ("close(handle: Fd) -> Void = files.close", "close takes (handle), shim takes (fd)"),
        ("fcntl/F_GETFD(fd: Fd, cmd: FcntlCmd, arg: Int) -> Int = fcntl.get_descriptor_flags", "shim takes (fd, cmd)"),
        ("close(fd: Nothing) -> Void = files.close", "fd: unknown type Nothing"),
        ("uselib(path: Nothing) -> Void", "path: unknown type Nothing"),
        ("close(fd: Fd) -> Path = files.close", "the result can't be Path"),
        ("close(fd: Fd) -> Void ! ENOTHING", "ENOTHING is no error of errors.tbl"),
        ("struct Stat(a: Nothing)", "struct Stat, field a: unknown type Nothing"),
    ],
)
def test_the_program_refuses_to_start(row: str, sentence: str, tmp_path: Path) -> None:
    abi = make_abi(tmp_path / "tables", row)
    for _ in range(2):
        with pytest.raises(BadTable) as refused:
            check_once(abi)
        assert str(refused.value).startswith("tables/extra.abi:1: ")
        assert sentence in str(refused.value)


@pytest.mark.parametrize("cpu", CPUS)
def test_every_row_of_every_cpu_binds(cpu: str) -> None:
    check_all(Abi("linux", cpu))


def test_what_passed_once_is_not_bound_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abi = make_abi(tmp_path / "tables", "getpid() -> Pid = processes.getpid")
    check_once(abi)
    monkeypatch.setattr(Binder, "call", lambda self, row: pytest.fail("bound again"))
    check_once(abi)
    changed = make_abi(tmp_path / "tables", "getpid() -> Pid = processes.getpid  # changed\n")
    with pytest.raises(pytest.fail.Exception, match="bound again"):
        check_once(changed)


# --- MIPS: arguments on the stack, results in two registers ---


@pytest.fixture
def mips(tmp_path: Path) -> FakeGuest:
    root = tmp_path / "root"
    root.mkdir()
    return FakeGuest("mips", root)


def slots(stack: int, *registers: int) -> list[int]:
    """Number, four registers and the stack pointer, as the dispatcher reads them."""
    return [0, *registers, *[0] * (4 - len(registers)), stack]


def test_arguments_from_the_stack(mips: FakeGuest) -> None:
    mips.memory.write(STACK + 16, bytes.fromhex("ffffffff 00000005"))
    row = mips.abi.tables.rows["mmap"]
    *_, fd, offset = mips.binder.decode(row)(mips.thread, slots(STACK, 0, 4096, 3, 2))
    assert (fd, offset) == (-1, 5)


def test_a_stack_that_cannot_be_read(mips: FakeGuest) -> None:
    for stack in (0, 4, 0xFFFF_FFF0, STACK + 0x1000 - 16, 0x7FFF_FFFF):
        with pytest.raises(MemoryFault):
            mips.binder.call(mips.abi.tables.rows["mmap"])(mips.thread, slots(stack))


class FakeMachine:
    """Registers of the call under way, and what was written to them."""

    def __init__(self, values: Sequence[int]) -> None:
        self.values = values
        self.written: list[list[int]] = []

    def batch(self, names: Sequence[str]) -> SimpleNamespace:
        return SimpleNamespace(read=lambda: list(self.values), write=self.written.append)

    def stop(self) -> None: ...


def test_a_bad_stack_is_efault(mips: FakeGuest) -> None:
    number = mips.abi.numbers["mmap"]
    machine = FakeMachine([number, 0, 4096, 3, 2, 0x10])
    dispatcher = Dispatcher(mips.process, machine)  # type: ignore[arg-type]
    dispatcher.scheduler = SimpleNamespace(current=mips.thread)  # type: ignore[assignment]
    dispatcher.on_syscall()
    assert machine.written == [[mips.abi.errors["EFAULT"], 1]]
    assert mips.abi.host_errors[errno.EFAULT] == mips.abi.errors["EFAULT"]


def test_pipe_returns_two_numbers(mips: FakeGuest) -> None:
    row = mips.abi.tables.rows["pipe"]
    first = mips.binder.call(row)(mips.thread, slots(STACK))
    assert first is not None
    assert mips.registers.values["r3"] != first
    for number in (first, mips.registers.values["r3"]):
        mips.process.files.close(number)
