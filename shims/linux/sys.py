"""The guest's /sys: its processors, and otherwise a machine without devices (Documentation/ABI of the kernel)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compat.host import Host
from compat.sandbox.synthetic import Directory, File, Link, Node
from shims.linux.state import LinuxProcess
from shims.linux.sys_caches import caches

__all__ = ["sys_tree"]

_MOST_CPUS = 4096  # CONFIG_NR_CPUS


def sys_tree(process: LinuxProcess) -> Directory:
    """The tree at /sys."""
    nothing = Directory({})
    system = Directory({b"cpu": Directory(partial(_cpus, process))})
    classes = Directory(dict.fromkeys((b"block", b"net", b"tty", b"thermal", b"power_supply"), nothing))
    huge = {b"enabled": File(b"always madvise [never]\n"), b"defrag": File(b"always defer madvise [never]\n")}
    pages = Directory({b"transparent_hugepage": Directory(huge), b"hugepages": nothing})
    return Directory(
        {
            b"block": nothing,
            b"bus": nothing,
            b"class": classes,
            b"dev": Directory({b"block": nothing, b"char": nothing}),
            b"devices": Directory({b"system": system}),
            b"firmware": nothing,
            b"fs": Directory({b"cgroup": nothing}),
            b"kernel": Directory({b"mm": pages}),
            b"module": nothing,
        }
    )


def _cpus(process: LinuxProcess) -> Mapping[bytes, Node]:
    """As many CPUs as /proc/cpuinfo tells of, one core each, in one package."""
    count = len(process.host.sched_getaffinity(0))
    every = _list(0, count)
    found: dict[bytes, Node] = {b"cpu%d" % number: _cpu(process.host, number, count) for number in range(count)}
    found |= {name: File(every) for name in (b"online", b"possible", b"present")}
    found |= {b"offline": File(b"\n"), b"isolated": File(b"\n"), b"kernel_max": File(b"%d\n" % (_MOST_CPUS - 1))}
    return found


def _cpu(host: Host, number: int, count: int) -> Directory:
    alone, together = (_mask(1 << number), _list(number, number + 1)), (_mask((1 << count) - 1), _list(0, count))
    masks = {b"thread_siblings": alone, b"core_cpus": alone, b"core_siblings": together, b"package_cpus": together}
    topology: dict[bytes, Node] = {b"core_id": File(b"%d\n" % number), b"physical_package_id": File(b"0\n")}
    for name, (mask, numbers) in masks.items():
        topology |= {name: File(mask), name + b"_list": File(numbers)}

    def sharing(everybody: bool) -> Mapping[bytes, Node]:
        mask, numbers = masks[b"core_siblings" if everybody else b"thread_siblings"]
        return {b"shared_cpu_map": File(mask), b"shared_cpu_list": File(numbers)}

    cache = Directory(lambda: caches(host, sharing))
    return Directory({b"topology": Directory(topology), b"cache": cache, b"subsystem": Link(b"../../cpu")})


def _list(first: int, end: int) -> bytes:
    """Numbers as cpulist_parse() of the kernel takes them."""
    return b"%d\n" % first if end - first == 1 else b"%d-%d\n" % (first, end - 1)


def _mask(bits: int) -> bytes:
    """A bit field in hexadecimal words of 32 bits, the highest first."""
    words = [bits >> at & 0xFFFFFFFF for at in range(0, max(1, bits.bit_length()), 32)]
    return b",".join(b"%08x" % word for word in reversed(words)) + b"\n"
