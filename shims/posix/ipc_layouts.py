"""What the three ctl calls have in common: commands, times in structs, new permissions."""

from __future__ import annotations

import errno

from compat.abi.flags import Constant
from compat.abi.structs import Layout, Record
from shims.posix.ipc import now
from shims.posix.ipc_state import Entry
from shims.posix.state import PosixThread

__all__ = ["changed_permissions", "command", "stamps"]

_IPC_64 = 0x100  # include/linux/ipc_namespace.h: the structs of today, which some CPUs ask for by this bit


def command(thread: PosixThread, kind: str, cmd: Constant) -> str:
    """The name of *cmd* without the bit that asks for the structs of today: no others are written."""
    return str(thread.abi.constants(kind).decode(cmd.value & ~_IPC_64))


def stamps(thread: PosixThread, layout: Layout, **times: int) -> dict[str, object]:
    """Times as the fields that *layout* has for them: whole, in two fields, or in two words in memory's order."""
    fields = dict[str, object]()
    for name, value in times.items():
        words = [value & 0xFFFFFFFF, value >> 32]
        if f"{name}_high" in layout.widths:
            fields |= {name: words[0], f"{name}_high": words[1]}
        else:
            leaf = next(each for each in layout.fields if each.name == name)
            fields[name] = (words if thread.abi.cpu.endian == "little" else words[::-1]) if leaf.count else value
    return fields


def changed_permissions(thread: PosixThread, entry: Entry, given: Record) -> None:
    """IPC_SET: a new owner, group and mode. Raises OSError: EPERM, EINVAL for no user."""
    entry.check_owner(thread.process.credentials)
    owner, group = given.int("perm.uid"), given.int("perm.gid")
    if 0xFFFFFFFF in (owner & 0xFFFFFFFF, group & 0xFFFFFFFF):
        raise OSError(errno.EINVAL, "owner")
    entry.owner, entry.group = owner, group
    entry.mode = entry.mode & ~0o777 | given.int("perm.mode") & 0o777
    entry.changed = now()
