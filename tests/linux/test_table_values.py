"""The grids agree with the kernel's user headers, number by number, on every CPU."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compat.abi.grids import read_grid
from tests.abi.tables import TABLES
from tests.linux.headers import CPUS, integers, macros, needs_headers

pytestmark = needs_headers

KERNEL_HEADERS = """
    linux/types.h linux/const.h linux/ioctl.h linux/time_types.h asm/fcntl.h linux/fcntl.h linux/stat.h
    linux/fs.h linux/openat2.h linux/close_range.h linux/falloc.h linux/memfd.h linux/xattr.h asm/mman.h
    linux/mman.h linux/mempolicy.h linux/userfaultfd.h asm/poll.h asm/signal.h linux/signal.h
    linux/sched.h linux/futex.h linux/rseq.h linux/membarrier.h linux/wait.h linux/pidfd.h
    linux/timerfd.h linux/timex.h linux/random.h linux/eventpoll.h linux/signalfd.h linux/inotify.h
    linux/fanotify.h linux/mount.h linux/ipc.h linux/shm.h linux/msg.h linux/sem.h linux/personality.h
    asm/termbits.h linux/seccomp.h linux/module.h linux/kexec.h linux/ptrace.h linux/perf_event.h
    linux/landlock.h linux/io_uring.h asm/hwprobe.h asm/cachectl.h linux/fadvise.h asm/siginfo.h
    linux/time.h asm/resource.h linux/resource.h linux/ioprio.h linux/prctl.h asm/prctl.h linux/kcmp.h
    linux/capability.h asm/socket.h linux/tcp.h linux/in.h linux/in6.h linux/net.h linux/auxvec.h
    asm/auxvec.h linux/magic.h asm/ptrace.h linux/bpf.h linux/reboot.h asm/sysmips.h asm/termios.h
    linux/serial.h linux/fiemap.h linux/blktrace_api.h asm/ioctls.h asm/sockios.h linux/sockios.h
    linux/kd.h linux/vt.h linux/if_tun.h linux/loop.h linux/rtc.h linux/keyctl.h
    linux/udp.h linux/icmp.h linux/icmpv6.h linux/if_packet.h linux/netlink.h
"""

LIBC_HEADERS = """
    unistd.h fcntl.h time.h dirent.h sys/eventfd.h sys/mount.h sys/statvfs.h sys/socket.h netinet/in.h
    netinet/tcp.h netinet/udp.h sys/swap.h
"""

FROM_LIBC = {
    "AccessMode",
    "SpliceFlags",
    "TimerFlags",
    "EventFdFlags",
    "UmountFlags",
    "StatfsFlags",
    "SocketType",
    "MessageFlags",
    "SwapFlags",
    "DirentType",
    "AddressFamily",
    "SocketLevel",
    "IpProtocol",
    "ShutdownHow",
    "ControlType",
}
"""Types whose names the kernel's user headers lack."""

ENUMERATORS = {
    "RseqFlags",
    "MembarrierFlags",
    "Personality",
    "NumaPolicy",
    "IoPriorityWho",
    "MembarrierCmd",
    "KcmpType",
    "FsConfigCmd",
    "BpfCmd",
    "LandlockRule",
    "IoUringRegisterOp",
}
"""Types whose names are C enumerators, which the preprocessor can't ask for."""

IN_NO_HEADER = {"SOCK_TYPE_MASK", "SWAP_FLAG_PRIO_MASK", "EM"}
"""Masks that only the kernel's own sources name, and the ELF machine, which each CPU calls otherwise."""

HEADER_NAMES = {"O_ASYNC": "FASYNC"}

PRELUDES = {
    False: "typedef int pid_t; typedef long long loff_t; typedef __SIZE_TYPE__ size_t;",
    True: "#define _GNU_SOURCE",
}
"""What each kind of header expects before it, by whether it is the C library's."""

MINUS = 0xFFFFFFFF

NOT_A_CALL = re.compile(r"Linux|(reserved|unused)\d+|BASE|SYSCALL_\w+|OABI_\w+|arm_sync_file_range")
NOT_A_SIGNAL = {"SIGSTKSZ", "SIGUNUSED", "SIGSWI", "SIGRTMAX"}

every_cpu = pytest.mark.parametrize("cpu", CPUS)


def _column(path: str, cpu: str) -> dict[str, int]:
    return read_grid(TABLES / path).column(f"linux/{CPUS[cpu]}", "linux")


@every_cpu
def test_numbers(cpu: str) -> None:
    """Every __NR_ name, and nothing else, with its number."""
    calls = {}
    for name, value in macros(cpu, "asm/unistd.h").items():
        prefix, mark, call = name.partition("NR_")
        if prefix in ("__", "__ARM_") and mark and not NOT_A_CALL.fullmatch(call):
            calls[call] = value
    assert read_grid(TABLES / "linux" / "numbers.tbl").column(CPUS[cpu]) == calls


@every_cpu
def test_errors(cpu: str) -> None:
    found = {name: value for name, value in macros(cpu, "asm/errno.h").items() if re.fullmatch(r"E[A-Z0-9]+", name)}
    assert _column("errors.tbl", cpu) == found | {"ENOTSUP": found["EOPNOTSUPP"]}


@every_cpu
def test_signals(cpu: str) -> None:
    found = {name: value for name, value in macros(cpu, "asm/signal.h").items() if re.fullmatch(r"SIG[A-Z0-9]+", name)}
    found = {name: value for name, value in found.items() if name not in NOT_A_SIGNAL}
    grid = _column("signals.tbl", cpu)
    assert grid.pop("SIGRTMAX") == (128 if "mips" in cpu else 64)
    assert grid == found | {"SIGCLD": found["SIGCHLD"]}


def _rows(path: str, cpu: str, libc: bool) -> dict[str, tuple[str, str, int | None]]:
    """`Type NAME` → (macro, the mask of the field it is a value of, number) of the rows of one kind of header."""
    grid = read_grid(TABLES / path)
    numbers = {keys: number for keys, number, _ in grid.numbers(f"linux/{CPUS[cpu]}", "linux")}
    rows = {}
    for keys, _, _ in grid.rows:
        field, _, name = keys[1].rpartition("/")
        if (keys[0] in FROM_LIBC) == libc and name not in IN_NO_HEADER:
            rows[" ".join(keys)] = (HEADER_NAMES.get(name, name), field, numbers.get(keys))
    return rows


def _expression(label: str, macro: str, field: str) -> str:
    masked = f"({macro}) & ({field})" if field and field not in IN_NO_HEADER else macro
    return masked if label.split()[0] in ENUMERATORS else f"?{macro} {masked}"


def _agree(expected: int | None, found: int | None) -> bool:
    """Whether both are absent or the same number; a negative C int arrives as 64 unsigned bits."""
    if expected is None or found is None:
        return expected is found
    width = 64 if expected >= 0 and found >> 32 != MINUS else 32
    return (expected ^ found) & ((1 << width) - 1) == 0


@every_cpu
@pytest.mark.parametrize("path", ["flags.tbl", "constants.tbl"])
@pytest.mark.parametrize("libc", [False, True], ids=["kernel", "libc"])
def test_flags_and_constants(path: str, libc: bool, cpu: str, tmp_path: Path) -> None:
    rows = _rows(path, cpu, libc)
    expressions = {label: _expression(label, macro, field) for label, (macro, field, _) in rows.items()}
    found = integers(cpu, LIBC_HEADERS if libc else KERNEL_HEADERS, expressions, tmp_path, PRELUDES[libc])
    wrong = {
        label: (number, found.get(label))
        for label, (_, _, number) in rows.items()
        if not _agree(number, found.get(label))
    }
    assert not wrong, f"name: (grid, header) {wrong}"
