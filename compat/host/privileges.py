"""Whom this process acts for: taking on ids, and capabilities (credentials(7), capabilities(7)).

The C library lets all threads of the process take on users and groups. File-system ids, capabilities and what prctl
sets are the calling thread's.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import Final

from compat.data import dataclass
from compat.host.libc import WithLibc, member

__all__ = ["Capabilities", "Privileges"]

_HEADER: Final = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3 of linux/capability.h, this thread
_SETS: Final = struct.Struct("=6I")  # two of struct __user_cap_data_struct: effective, permitted, inheritable
_LOW: Final = 0xFFFF_FFFF
_PR_SET_KEEPCAPS, _PR_CAPBSET_READ, _PR_CAPBSET_DROP = 8, 23, 24
_PR_GET_SECUREBITS, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 27, 28, 47


@dataclass(frozen=True)
class Capabilities:
    """Sets of capabilities: bit n stands for the capability n."""

    effective: int
    permitted: int
    inheritable: int


class Privileges(WithLibc):
    """OSError(ENOSYS) on hosts that lack a call."""

    def setresuid(self, real: int, effective: int, saved: int) -> None:
        member(os, "setresuid")(real, effective, saved)

    def setresgid(self, real: int, effective: int, saved: int) -> None:
        member(os, "setresgid")(real, effective, saved)

    def setgroups(self, groups: Sequence[int]) -> None:
        os.setgroups(groups)

    def setfsuid(self, uid: int) -> None:
        self._libc.call("setfsuid", "u", uid)

    def setfsgid(self, gid: int) -> None:
        self._libc.call("setfsgid", "u", gid)

    def capget(self) -> Capabilities:
        data = self._libc.buffer(_SETS.size)
        self._libc.call("capget", "sp", _HEADER, data)
        low = _SETS.unpack(data.raw)
        return Capabilities(*(low[at] | low[at + 3] << 32 for at in range(3)))

    def capset(self, wanted: Capabilities) -> None:
        sets = wanted.effective, wanted.permitted, wanted.inheritable
        self._libc.call("capset", "ss", _HEADER, _SETS.pack(*(s & _LOW for s in sets), *(s >> 32 for s in sets)))

    def set_keep_capabilities(self, wanted: bool) -> None:
        """PR_SET_KEEPCAPS of prctl(2)."""
        self._libc.call("prctl", "iulll", _PR_SET_KEEPCAPS, int(wanted), 0, 0, 0)

    def in_bounding_set(self, capability: int) -> bool:
        """PR_CAPBSET_READ of prctl(2)."""
        return self._libc.call("prctl", "iulll", _PR_CAPBSET_READ, capability, 0, 0, 0) == 1

    def drop_from_bounding_set(self, capability: int) -> None:
        """PR_CAPBSET_DROP of prctl(2)."""
        self._libc.call("prctl", "iulll", _PR_CAPBSET_DROP, capability, 0, 0, 0)

    def ambient(self, operation: int, capability: int) -> int:
        """PR_CAP_AMBIENT of prctl(2)."""
        return self._libc.call("prctl", "iulll", _PR_CAP_AMBIENT, operation, capability, 0, 0)

    def get_secure_bits(self) -> int:
        """PR_GET_SECUREBITS of prctl(2)."""
        return self._libc.call("prctl", "iulll", _PR_GET_SECUREBITS, 0, 0, 0, 0)

    def set_secure_bits(self, bits: int) -> None:
        """PR_SET_SECUREBITS of prctl(2)."""
        self._libc.call("prctl", "iulll", _PR_SET_SECUREBITS, bits, 0, 0, 0)
