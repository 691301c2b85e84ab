"""stat, status and limits of a process or thread of the guest (fs/proc/array.c, fs/proc/base.c)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from compat.memory import PAGE
from shims.linux.capabilities import granted
from shims.linux.proc_machine import host_text
from shims.linux.proc_maps import totals
from shims.linux.state import LinuxProcess, LinuxThread
from shims.posix.family import parent
from shims.posix.limits import INFINITY, current
from shims.posix.state import Pending

__all__ = ["comm", "limits", "stat", "status"]

_TICKS = 100  # per second: USER_HZ of every CPU here
_START_FIELD = 21  # of /proc/pid/stat, counted from 0: starttime


def comm(thread: LinuxThread) -> bytes:
    """The thread's name."""
    return thread.name + b"\n"


def stat(process: LinuxProcess, thread: LinuxThread) -> bytes:
    """/proc/self/stat: 52 numbers; those that nobody here counts are 0."""
    host, memory = process.host, totals(process)
    times = host.times()
    numbers: list[object] = [
        parent(process),
        host.getpgid(0),
        host.getsid(0),
        *_terminal(process),
        0,  # flags
        *(0, 0, 0, 0),  # faults
        *(round(seconds * _TICKS) for seconds in (times.user, times.system)),
        *(round(seconds * _TICKS) for seconds in (times.children_user, times.children_system)),
        20,  # priority
        host.getpriority(0, 0),
        len(process.threads) or 1,
        0,
        _start_time(process),
        memory.size,
        memory.resident // PAGE,
        _soft(process, "RLIMIT_RSS"),
        *_code_range(process),
        process.stack_top,
        *(0, 0),  # the registers, which only a debugger may see
        *(_mask([*process.pending, *thread.pending]) & 0x7FFFFFFF, thread.mask & 0x7FFFFFFF),
        *(_actions(process, ignored=True) & 0x7FFFFFFF, _actions(process, ignored=False) & 0x7FFFFFFF),
        *(0, 0, 0),  # wchan and two that are no longer kept
        int(process.abi.signals.values["SIGCHLD"]),
        host.getcpu(),
        *(0, 0, 0, 0, 0),  # realtime, policy, delays, guest time
        *(0, 0, process.break_start, 0, 0, 0, 0, 0),
    ]
    head = b"%d (%s) R " % (thread.id, thread.name)
    return head + " ".join(str(number) for number in numbers).encode() + b"\n"


def _host_stat(process: LinuxProcess) -> list[bytes]:
    """The host's own line, from the third field (state) on."""
    text = host_text(process.host, b"/proc/self/stat")
    return text[text.rfind(b")") + 2 :].split()


def _terminal(process: LinuxProcess) -> tuple[int, int]:
    """tty_nr and tpgid, the host's: the terminal and its foreground group are real."""
    fields = _host_stat(process)[4:6]
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 else (0, -1)


def _start_time(process: LinuxProcess) -> int:
    """Ticks from boot to the process's start, as the host counts them."""
    fields, index = _host_stat(process), _START_FIELD - 2
    return int(fields[index]) if len(fields) > index else round(time.monotonic() * _TICKS)


def _code_range(process: LinuxProcess) -> tuple[int, int]:
    path = process.executable.guest_path
    code = [a for a in process.memory.areas if a.backing and a.protection & 4 and a.backing.path == path]
    return (code[0].start, code[-1].end) if code else (0, 0)


def _soft(process: LinuxProcess, name: str) -> int:
    return current(process).get(name, (INFINITY, INFINITY))[0]


# --- signals ---


def _mask(pending: Sequence[Pending]) -> int:
    mask = 0
    for each in pending:
        mask |= 1 << (each.number - 1)
    return mask


def _actions(process: LinuxProcess, *, ignored: bool) -> int:
    """The signals that are ignored, or else caught."""
    return sum(1 << (n - 1) for n, a in process.actions.items() if (a.handler == 1 if ignored else a.handler > 1))


def _signals(process: LinuxProcess, thread: LinuxThread) -> list[tuple[str, object]]:
    digits = process.most_signals // 4
    masks = {
        "SigPnd": _mask(thread.pending),
        "ShdPnd": _mask(process.pending),
        "SigBlk": thread.mask,
        "SigIgn": _actions(process, ignored=True),
        "SigCgt": _actions(process, ignored=False),
    }
    return [(name, f"{mask:0{digits}x}") for name, mask in masks.items()]


# --- status ---


def status(process: LinuxProcess, thread: LinuxThread) -> bytes:
    """/proc/self/status."""
    lines = [
        *_identity(process, thread),
        *_memory(process),
        ("Threads", len(process.threads) or 1),
        ("SigQ", f"{len(process.pending)}/{_soft(process, 'RLIMIT_SIGPENDING') & 0x7FFFFFFF}"),
        *_signals(process, thread),
        *_capabilities(process),
        ("NoNewPrivs", 1),
        ("Seccomp", 1 if thread.strict else 2 if thread.filters is not None else 0),  # SECCOMP_MODE_*
        ("Seccomp_filters", thread.filters.count if thread.filters is not None else 0),
        ("Speculation_Store_Bypass", "not vulnerable"),
        *_cpus(process),
        ("voluntary_ctxt_switches", 0),
        ("nonvoluntary_ctxt_switches", 0),
    ]
    return "".join(f"{name}:\t{value}\n" for name, value in lines).encode("utf-8", "surrogateescape")


def _identity(process: LinuxProcess, thread: LinuxThread) -> list[tuple[str, object]]:
    users, groups = process.credentials.users, process.credentials.groups
    host = process.host
    name = thread.name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return [
        ("Name", name.decode("utf-8", "surrogateescape")),
        ("Umask", f"{process.umask:04o}"),
        ("State", "R (running)"),
        ("Tgid", process.pid),
        ("Ngid", 0),
        ("Pid", thread.id),
        ("PPid", parent(process)),
        ("TracerPid", 0),
        ("Uid", "\t".join(str(n) for n in (users.real, users.effective, users.saved, users.files))),
        ("Gid", "\t".join(str(n) for n in (groups.real, groups.effective, groups.saved, groups.files))),
        ("FDSize", max(64, 1 << (max((fd for fd, _ in process.files), default=0)).bit_length())),
        ("Groups", "".join(f"{group} " for group in process.credentials.supplementary)),
        ("NStgid", process.pid),
        ("NSpid", thread.id),
        ("NSpgid", host.getpgid(0)),
        ("NSsid", host.getsid(0)),
        ("Kthread", 0),
    ]


def _capabilities(process: LinuxProcess) -> list[tuple[str, object]]:
    found, mask = process.host.rights(process.pid), granted(process)
    return [(name, f"{found[name] & mask:016x}") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]


def _memory(process: LinuxProcess) -> list[tuple[str, object]]:
    found = totals(process)
    anonymous = found.resident - found.resident_file - found.resident_shared
    sizes = {
        "VmPeak": found.size,
        "VmSize": found.size,
        "VmLck": found.locked,
        "VmPin": 0,
        "VmHWM": found.resident,
        "VmRSS": found.resident,
        "RssAnon": anonymous,
        "RssFile": found.resident_file,
        "RssShmem": found.resident_shared,
        "VmData": found.data,
        "VmStk": found.stack,
        "VmExe": found.code,
        "VmLib": found.library,
        "VmPTE": found.resident // PAGE * 8,
        "VmSwap": 0,
        "HugetlbPages": 0,
    }
    lines: list[tuple[str, object]] = [(name, f"{size // 1024:8d} kB") for name, size in sizes.items()]
    return [*lines, ("CoreDumping", 0), ("THP_enabled", 0)]


def _cpus(process: LinuxProcess) -> list[tuple[str, object]]:
    allowed = sorted(process.host.sched_getaffinity(0))
    mask = sum(1 << cpu for cpu in allowed)
    words = [
        f"{mask >> shift & 0xFFFFFFFF:08x}" for shift in range((max(mask.bit_length(), 1) - 1) // 32 * 32, -1, -32)
    ]
    return [
        ("Cpus_allowed", ",".join(words).lstrip("0") or "0"),
        ("Cpus_allowed_list", cpu_list(allowed)),
        ("Mems_allowed", "1"),
        ("Mems_allowed_list", "0"),
    ]


def cpu_list(numbers: Sequence[int]) -> str:
    """Sorted numbers as `0-3,6`."""
    ranges = list[list[int]]()
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


# --- limits ---

_LIMITS = (
    ("Max cpu time", "RLIMIT_CPU", "seconds"),
    ("Max file size", "RLIMIT_FSIZE", "bytes"),
    ("Max data size", "RLIMIT_DATA", "bytes"),
    ("Max stack size", "RLIMIT_STACK", "bytes"),
    ("Max core file size", "RLIMIT_CORE", "bytes"),
    ("Max resident set", "RLIMIT_RSS", "bytes"),
    ("Max processes", "RLIMIT_NPROC", "processes"),
    ("Max open files", "RLIMIT_NOFILE", "files"),
    ("Max locked memory", "RLIMIT_MEMLOCK", "bytes"),
    ("Max address space", "RLIMIT_AS", "bytes"),
    ("Max file locks", "RLIMIT_LOCKS", "locks"),
    ("Max pending signals", "RLIMIT_SIGPENDING", "signals"),
    ("Max msgqueue size", "RLIMIT_MSGQUEUE", "bytes"),
    ("Max nice priority", "RLIMIT_NICE", ""),
    ("Max realtime priority", "RLIMIT_RTPRIO", ""),
    ("Max realtime timeout", "RLIMIT_RTTIME", "us"),
)


def limits(process: LinuxProcess) -> bytes:
    """/proc/self/limits (proc_pid_limits of fs/proc/base.c)."""
    text = f"{'Limit':<26}{'Soft Limit':<21}{'Hard Limit':<21}{'Units':<10}\n"
    known = current(process)
    for title, name, unit in _LIMITS:
        soft, hard = (("unlimited" if n == INFINITY else str(n)) for n in known.get(name, (INFINITY, INFINITY)))
        text += f"{title:<25} {soft:<20} {hard:<20} {f'{unit:<10}' if unit else ''}\n"
    return text.encode()
