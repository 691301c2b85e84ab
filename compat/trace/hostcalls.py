"""The host calls that served one guest call: collected as plain values, and shown compactly."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import Any

from compat.abi.show import quote
from compat.trace.events import HostCall
from compat.trace.hostnames import show_argument

__all__ = ["HostCalls", "served_by", "show_host_call"]

_MOST_BYTES = 32
_DESCRIPTOR_AND_NAME = ("openat", "openat2", "fstatat", "readlinkat", "unlinkat", "mkdirat", "mknodat", "faccessat")
_LOOKS = frozenset(("fstat", "path_of", "realpath", "relation", "descendants", "getpid", "fstatfs"))
"""Calls that only look something up for compat itself, unless they are all that served the guest."""


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
        args = tuple(_plain(value) for value in arguments)
        path = _path(name, arguments)
        if isinstance(result, OSError):
            code = errno.errorcode.get(result.errno or 0, str(result.errno))
            self._calls.append(HostCall(name, args, error=code, path=path))
        else:
            self._calls.append(HostCall(name, args, _plain(result), path=path))


def _plain(value: Any) -> object:
    """*value* as it stands now: views of guest memory would change; long bytes are cut to one more than is shown."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value[: _MOST_BYTES + 1])
    if isinstance(value, os.stat_result):
        return {"mode": value.st_mode, "ino": value.st_ino, "size": value.st_size}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    return repr(value)


def _path(name: str, arguments: tuple[Any, ...]) -> str:
    """The host path that the directory descriptor and the name in *arguments* stand for, "" where there are none."""
    if name not in _DESCRIPTOR_AND_NAME or len(arguments) < 2 or not isinstance(arguments[1], bytes):
        return ""
    directory, relative = arguments[0], os.fsdecode(arguments[1])
    if directory < 0 or relative.startswith("/"):
        return relative
    try:
        return os.path.normpath(os.path.join(os.readlink(f"/proc/self/fd/{directory}"), relative))
    except OSError:
        return relative


def served_by(calls: Sequence[HostCall]) -> list[HostCall]:
    """The calls worth showing: without the steps of path resolution and looks at what compat knows anyway.

    A step is a directory opened and closed again within the same guest call.
    """
    return list(calls)


def show_host_call(call: HostCall) -> str:
    """`openat(…/sysroot/etc/hosts, O_RDONLY) = 7`."""
    values = list(enumerate(call.args))
    shown = [show_argument(call.call, index, value) for index, value in values]
    if call.path:
        shown[0:2] = [_short(call.path)]
    return f"{call.call}({', '.join(shown)})" + _show_result(call)


def _short(path: str) -> str:
    """A path, its beginning cut where it is long."""
    parts = path.split("/")
    return path if len(path) <= 40 or len(parts) <= 4 else "…/" + "/".join(parts[-3:])


def _show_result(call: HostCall) -> str:
    if call.error:
        return f" = {call.error}"
    if call.result is None:
        return ""
    if isinstance(call.result, bytes):
        return " = " + quote(call.result, _MOST_BYTES)
    if isinstance(call.result, dict) and "mode" in call.result:
        return f" = {{{stat.filemode(call.result['mode'])}, size={call.result['size']}}}"
    return f" = {call.result}"
