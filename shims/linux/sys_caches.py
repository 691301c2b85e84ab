"""/sys/devices/system/cpu/cpuN/cache: the host's caches, shared by one CPU of the guest or by all
(Documentation/ABI/testing/sysfs-devices-system-cpu)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compat.host import Host
from compat.sandbox.synthetic import Directory, File, Node
from shims.linux.proc_machine import host_text

__all__ = ["caches"]

_FIRST = b"/sys/devices/system/cpu/cpu0/cache/index%d/"
_MOST = 16
_FACTS = (
    b"level", b"type", b"size", b"coherency_line_size", b"number_of_sets", b"physical_line_partition",
    b"ways_of_associativity",
)  # fmt: skip


def caches(host: Host, sharing: Callable[[bool], Mapping[bytes, Node]]) -> Mapping[bytes, Node]:
    """A directory for each cache of the host's first CPU. *sharing* tells which CPUs share one that is everybody's, or
    nobody else's."""
    found = dict[bytes, Node]()
    for number in range(_MOST):
        folder = _FIRST % number
        facts: dict[bytes, Node] = {name: File(text) for name in _FACTS if (text := host_text(host, folder + name))}
        if not facts:
            break
        shared = host_text(host, folder + b"shared_cpu_list").strip()
        found[b"index%d" % number] = Directory({**facts, **sharing(not shared.isdigit())})
    return found
