"""Limits on resources: some the host enforces for us, some are kept here (descriptors, address space)."""

from __future__ import annotations

import errno
import resource as host_limits

from compat.abi.flags import Constant
from compat.abi.handles import Pointer
from compat.abi.structs import Record
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["INFINITY", "begin", "change", "current", "getrlimit", "setrlimit", "to_record"]

INFINITY = (1 << 64) - 1
"""RLIM64_INFINITY: no limit, in `process.limits`."""

_OPEN_MOST = 1 << 20  # fs.nr_open, above which no one may raise RLIMIT_NOFILE
_OWN_FILES = 64  # descriptors that the host process needs beside the guest's
_KEPT = ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_MEMLOCK", "RLIMIT_NOFILE", "RLIMIT_RSS")
"""Limits that must not bind the host process, whose memory is not the guest's."""


def current(process: PosixProcess) -> dict[str, tuple[int, int]]:
    """The process's limits by name; the host's, cut down to what the user granted, when first asked for."""
    if not process.limits:
        for name in process.abi.constants("Resource").values:
            which = getattr(host_limits, name, None)
            if which is not None:
                soft, hard = process.host.getrlimit(which)
                process.limits[name] = (_from_host(soft), _from_host(hard))
            elif name.startswith("RLIMIT_"):
                process.limits[name] = (INFINITY, INFINITY)
        _keep_some_files(process.limits)
        _apply_options(process)
    return process.limits


def _keep_some_files(limits: dict[str, tuple[int, int]]) -> None:
    """Let the guest count on no descriptors that the host process needs."""
    soft, hard = limits["RLIMIT_NOFILE"]
    if hard != INFINITY:
        most = max(hard - _OWN_FILES, hard // 2)
        limits["RLIMIT_NOFILE"] = min(soft, most), most


def begin(process: PosixProcess) -> None:
    """Put the first process's limits into effect."""
    soft = current(process)["RLIMIT_NOFILE"][0]
    _make_room(process, soft)
    process.files.limit = min(soft, _OPEN_MOST)
    if process.options.cpu_time is not None:
        process.host.setrlimit(host_limits.RLIMIT_CPU, process.limits["RLIMIT_CPU"])


def _apply_options(process: PosixProcess) -> None:
    options, limits = process.options, process.limits
    limits["RLIMIT_STACK"] = (options.stack, max(options.stack, limits["RLIMIT_STACK"][1]))
    granted = {
        "RLIMIT_AS": options.memory,
        "RLIMIT_CPU": options.cpu_time,
        "RLIMIT_NOFILE": options.files,
        "RLIMIT_NPROC": options.processes,
    }
    for name, most in granted.items():
        if most is not None:
            soft, hard = limits[name]
            limits[name] = (min(soft, most), min(hard, most))


def _from_host(value: int) -> int:
    return INFINITY if value == host_limits.RLIM_INFINITY else value


def _to_host(value: int) -> int:
    return host_limits.RLIM_INFINITY if value == INFINITY else value


def change(process: PosixProcess, name: str, soft: int, hard: int) -> None:
    """Set a limit.

    Raises:
        OSError: EINVAL for an unknown resource or a soft limit above the hard one, EPERM for a hard limit that grows.
    """
    limits = current(process)
    if name not in limits or soft > hard:
        raise OSError(errno.EINVAL, f"limit {name}: {soft} above {hard}")
    if hard > limits[name][1] or (name == "RLIMIT_NOFILE" and hard > _OPEN_MOST):
        raise OSError(errno.EPERM, f"{name} may not grow")
    if name not in _KEPT and (which := getattr(host_limits, name, None)) is not None:
        process.host.setrlimit(which, (_to_host(soft), _to_host(hard)))
    limits[name] = (soft, hard)
    if name == "RLIMIT_NOFILE":
        _make_room(process, soft)
        process.files.limit = soft
    elif name == "RLIMIT_AS":
        process.memory.limit = min(soft, process.memory.ram.size)


def _make_room(process: PosixProcess, files: int) -> None:
    """Let the host process hold *files* descriptors beside its own, as far as the host allows."""
    soft, hard = process.host.getrlimit(host_limits.RLIMIT_NOFILE)
    wanted = files + _OWN_FILES
    if soft != host_limits.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == host_limits.RLIM_INFINITY else min(wanted, hard)
        process.host.setrlimit(host_limits.RLIMIT_NOFILE, (most, hard))


def to_record(pair: tuple[int, int], infinity: int) -> dict[str, object]:
    """A limit as the fields of a struct whose greatest value is *infinity*."""
    return {"cur": min(pair[0], infinity), "max": min(pair[1], infinity)}


def getrlimit(thread: PosixThread, resource: Constant, limit: Pointer[Record]) -> None:
    """The limit on *resource*. Raises OSError(EINVAL) for an unknown one."""
    infinity = thread.abi.constants("RlimitValue").encode("RLIM_INFINITY")
    limit.write(to_record(_find(thread, resource), infinity))


def setrlimit(thread: PosixThread, resource: Constant, limit: Pointer[Record]) -> None:
    """Set the limit on *resource*; see `change`."""
    infinity = thread.abi.constants("RlimitValue").encode("RLIM_INFINITY")
    wanted = limit.read()
    soft, hard = (INFINITY if value == infinity else value for value in (wanted.int("cur"), wanted.int("max")))
    change(thread.process, resource, soft, hard)


def _find(thread: PosixThread, resource: Constant) -> tuple[int, int]:
    limits = current(thread.process)
    if resource not in limits:
        raise OSError(errno.EINVAL, f"no limit {resource}")
    return limits[resource]
