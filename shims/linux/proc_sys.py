"""/proc/sys: settings of the kernel that this project is (proc_sys(5)). None of them can be changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compat.sandbox.synthetic import Content, Directory, File, Node
from shims.linux.state import LinuxProcess
from shims.linux.system import RELEASE, VERSION

__all__ = ["kernel_settings"]

_LAST_CAPABILITY = 40  # CAP_CHECKPOINT_RESTORE, include/uapi/linux/capability.h

Tree = Mapping[str, "Content | Tree"]


def kernel_settings(process: LinuxProcess) -> Directory:
    """The folder /proc/sys."""
    return _folder({"kernel": _kernel(process), "vm": _memory(process), "fs": _FILES, "net": _NETWORK, "dev": {}})


def _folder(tree: Tree) -> Directory:
    nodes: dict[bytes, Node] = {
        name.encode(): _folder(value) if isinstance(value, Mapping) else File(value) for name, value in tree.items()
    }
    return Directory(nodes)


def _kernel(process: LinuxProcess) -> Tree:
    boot = _uuid(process)

    def hostname() -> bytes:
        return process.host.uname().nodename.encode() + b"\n"

    random: dict[str, Content] = {
        "boot_id": f"{boot}\n".encode(),
        "entropy_avail": b"256\n",
        "poolsize": b"256\n",
        "uuid": _fresh_uuid(process),
    }
    return {
        "arch": process.abi.cpu.machine.encode() + b"\n",
        "cap_last_cap": b"%d\n" % _LAST_CAPABILITY,
        "core_pattern": b"core\n",
        "domainname": b"(none)\n",
        "hostname": hostname,
        "msgmax": b"8192\n",
        "msgmnb": b"16384\n",
        "msgmni": b"32000\n",
        "ngroups_max": b"65536\n",
        "osrelease": RELEASE + b"\n",
        "ostype": b"Linux\n",
        "overflowgid": b"65534\n",
        "overflowuid": b"65534\n",
        "perf_event_paranoid": b"4\n",
        "pid_max": b"4194304\n",
        "random": random,
        "randomize_va_space": b"0\n",
        "sem": b"32000\t1024000000\t500\t32000\n",
        "shmall": b"18446744073692774399\n",
        "shmmax": b"18446744073692774399\n",
        "shmmni": b"4096\n",
        "threads-max": b"65536\n",
        "version": VERSION + b"\n",
        "yama": {"ptrace_scope": b"1\n"},
    }


def _fresh_uuid(process: LinuxProcess) -> Callable[[], bytes]:
    return lambda: f"{_uuid(process)}\n".encode()


def _uuid(process: LinuxProcess) -> str:
    """A random UUID (RFC 9562, version 4)."""
    raw = bytearray(process.host.getrandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _memory(process: LinuxProcess) -> Tree:
    return {
        "max_map_count": b"65530\n",
        "mmap_min_addr": b"%d\n" % process.memory.bottom,
        "overcommit_memory": b"0\n",
        "overcommit_ratio": b"50\n",
        "swappiness": b"60\n",
    }


_FILES: Tree = {
    "dir-notify-enable": b"1\n",
    "aio-max-nr": b"65536\n",
    "file-max": b"9223372036854775807\n",
    "inotify": {"max_queued_events": b"16384\n", "max_user_instances": b"128\n", "max_user_watches": b"65536\n"},
    "mqueue": {"msg_max": b"10\n", "msgsize_max": b"8192\n", "queues_max": b"256\n"},
    "nr_open": b"1048576\n",
    "pipe-max-size": b"1048576\n",
    "pipe-user-pages-soft": b"16384\n",
}

_NETWORK: Tree = {
    "core": {"somaxconn": b"4096\n", "rmem_max": b"212992\n", "wmem_max": b"212992\n"},
    "ipv4": {"ip_local_port_range": b"32768\t60999\n", "ip_unprivileged_port_start": b"1024\n"},
}
