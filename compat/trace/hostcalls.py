"""The host calls that served one guest call: collected as plain values, and shown compactly."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from typing import Any

from compat.data import asdict
from compat.trace.events import HostCall
from compat.trace.hostnames import show_argument

__all__ = ["HostCalls", "served_by", "show_host_call"]

_MOST_BYTES = 32
_NAMES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("openat", "openat2", "fstatat", "readlinkat", "unlinkat", "mkdirat", "mknodat"), (0,)),
    **dict.fromkeys(("faccessat", "fchmodat", "fchownat", "utimensat"), (0,)),
    **dict.fromkeys(("linkat", "renameat", "renameat2"), (0, 2)),
    "symlinkat": (1,),
}
"""Call → where its arguments are a directory descriptor followed by a name."""

_LOOKS = frozenset(
    ("fstat", "fstatat", "path_of", "realpath", "relation", "descendants", "getpid", "isatty", "take_signals")
)
"""Calls that only look: a step of serving, where anything else was done too."""

_READS = frozenset(("read", "pread", "readv", "preadv"))


class HostCalls:
    """Collects host calls between `collect` and `take`; those made outside a traced call are not kept."""

    def __init__(self) -> None:
        self._calls: list[HostCall] | None = None

    def collect(self) -> None:
        self._calls = []

    def take(self) -> list[HostCall]:
        calls, self._calls = self._calls or [], None
        return calls

    def report(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        """What TracedHost calls: *result* is the value, or the OSError that was raised."""
        if self._calls is None:
            return
        paths = {at: _path(*arguments[at : at + 2]) for at in _NAMES.get(name, ()) if len(arguments) > at + 1}
        if isinstance(result, OSError):
            code = errno.errorcode.get(result.errno or 0, str(result.errno))
            self._calls.append(HostCall(name, _plain_list(arguments), error=code, paths=paths))
        else:
            args = _plain_list(arguments if name not in _READS else _filled(arguments, result))
            self._calls.append(HostCall(name, args, _plain(result), paths=paths))


def _plain_list(values: Sequence[Any]) -> list[object]:
    return [_plain(value) for value in values]


def _plain(value: Any) -> object:
    """*value* as it stands now: views of guest memory would change; long bytes are cut to one more than is shown."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value[: _MOST_BYTES + 1])
    if isinstance(value, os.stat_result):
        return {"mode": value.st_mode, "ino": value.st_ino, "size": value.st_size}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if hasattr(value, "__data_fields__"):
        value = asdict(value)
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return _plain_list(list(value))
    return repr(value)


def _filled(arguments: tuple[Any, ...], result: Any) -> list[Any]:
    """The arguments of a call that reads, its buffers cut to the bytes that came."""
    shown, rest = list[Any](arguments), result if isinstance(result, int) else 0
    if len(shown) > 1 and isinstance(shown[1], (list, tuple)):
        cut = []
        for span in shown[1]:
            cut.append(span[:rest])
            rest -= len(cut[-1])
        shown[1] = [span for span in cut if len(span)]
    return shown


def _path(directory: Any, name: Any) -> str:
    """The host path that a directory descriptor and a name stand for."""
    relative = os.fsdecode(name) if isinstance(name, (bytes, str)) else f"descriptor {name}"
    link = relative if relative.startswith("/proc/self/fd/") else f"/proc/self/fd/{directory}"
    if link != relative and (directory < 0 or relative.startswith("/")):
        return relative
    try:
        found = os.readlink(link)
    except OSError:
        return relative
    return found if link == relative else os.path.normpath(os.path.join(found, relative))


def served_by(calls: Sequence[HostCall]) -> list[HostCall]:
    """The calls worth showing: without looks, and without files that were opened only to be closed again.

    Where such steps are all there was, the last one that tells something is kept.
    """
    closed = {call.args[0] for call in calls if call.call == "close" and call.args}
    opened = {call.result for call in calls if call.call in ("openat", "openat2", "open") and not call.error}
    steps = [call for call in calls if _is_step(call, closed & opened)]
    kept = [call for k, call in enumerate(calls) if call not in steps and calls[k - 1 : k] != [call]]
    return kept or [call for call in steps if call.call != "close"][-1:]


def _is_step(call: HostCall, passing: set[object]) -> bool:
    """Whether *call* only helped another one; *passing* are the descriptors opened and closed meanwhile."""
    if call.call == "close":
        return call.args[0] in passing
    if call.call in ("openat", "openat2", "open"):
        return not call.error and call.result in passing
    look = call.call in _LOOKS
    return look or (call.call, call.args[1:2]) in (("fcntl", [fcntl.F_GETFL]), ("poll", [0]))


def show_host_call(call: HostCall) -> str:
    """`openat(…/sysroot/etc/hosts, O_RDONLY) = 7`."""
    shown = list[str]()
    for index, value in enumerate(call.args):
        if index in call.paths:
            shown.append(_short(call.paths[index]))
        elif index - 1 not in call.paths and not _is_idle_mode(call, index):
            shown.append(show_argument(call.call, index, call.args, value))
    return f"{call.call}({', '.join(shown)})" + _show_result(call)


def _is_idle_mode(call: HostCall, index: int) -> bool:
    """Whether the argument is the mode of a file that is not created."""
    return call.call in ("openat", "openat2") and index == 3 and not int(str(call.args[2])) & _CREATES


_CREATES = os.O_CREAT | (getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY)


def _short(path: str) -> str:
    """A path, its beginning cut where it is long."""
    parts = path.split("/")
    return path if len(path) <= 40 or len(parts) <= 4 else "…/" + "/".join(parts[-3:])


def _show_result(call: HostCall) -> str:
    if call.error:
        return f" = {call.error}"
    if call.result is None:
        return ""
    if isinstance(call.result, dict) and "mode" in call.result:
        return f" = {{{stat.filemode(call.result['mode'])}, size={call.result['size']}}}"
    return " = " + show_argument(call.call, -1, call.args, call.result)
