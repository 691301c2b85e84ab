"""Taking on other ids. The host process does, with all its threads: its kernel judges by them whatever comes after."""

from __future__ import annotations

from collections.abc import Sequence

from compat.data import replace
from shims.posix.credentials import Credentials, Ids
from shims.posix.state import PosixProcess, PosixThread

__all__ = ["become_group", "become_user", "join_groups"]


def become_user(thread: PosixThread, wanted: Ids) -> None:
    """Let the process have the users *wanted*, which it may. Raises what the host says."""
    process, now = thread.process, thread.process.credentials.users
    if wanted == now:
        return
    process.prepare_change(wanted)
    if _three(wanted) != _three(now):
        process.host.setresuid(*_three(wanted))  # which lets the file-system id follow
    else:
        process.host.setfsuid(wanted.files)
    _settle(process, replace(process.credentials, users=wanted))


def become_group(thread: PosixThread, wanted: Ids) -> None:
    """Let the process have the groups *wanted*, which it may. Raises what the host says."""
    process, now = thread.process, thread.process.credentials.groups
    if wanted == now:
        return
    process.prepare_change(process.credentials.users)
    if _three(wanted) != _three(now):
        process.host.setresgid(*_three(wanted))  # which lets the file-system id follow
    else:
        process.host.setfsgid(wanted.files)
    _settle(process, replace(process.credentials, groups=wanted))


def join_groups(thread: PosixThread, wanted: Sequence[int]) -> None:
    """Let *wanted* be the supplementary groups. Raises what the host says."""
    process = thread.process
    process.prepare_change(process.credentials.users)
    process.host.setgroups(wanted)
    _settle(process, replace(process.credentials, supplementary=tuple(process.host.getgroups())))


def _three(ids: Ids) -> tuple[int, int, int]:
    return ids.real, ids.effective, ids.saved


def _settle(process: PosixProcess, credentials: Credentials) -> None:
    before, process.credentials = process.credentials, credentials
    process.changed_credentials(before)
