"""/proc/<pid> of another guest process: what the host tells of it. Its memory and files stay its own."""

from __future__ import annotations

from compat.sandbox.synthetic import Directory, File
from shims.linux.proc_machine import host_text
from shims.linux.state import LinuxProcess

__all__ = ["other_process"]

_STATUS = (b"Name", b"Umask", b"State", b"Tgid", b"Ngid", b"Pid", b"PPid", b"TracerPid", b"Uid", b"Gid", b"FDSize")
_STATUS_END = (b"Groups", b"Threads", b"NStgid", b"NSpid", b"NSpgid", b"NSsid")


def other_process(process: LinuxProcess, pid: int) -> Directory:
    """The folder of *pid*, which the guest can see. Its name is what its own personality told the host."""
    base = b"/proc/%d/" % pid

    def text(name: bytes) -> File:
        return File(lambda: host_text(process.host, base + name))

    def status() -> bytes:
        lines = host_text(process.host, base + b"status").splitlines(keepends=True)
        return b"".join(line for line in lines if line.split(b":")[0] in _STATUS + _STATUS_END)

    files = {name: text(name) for name in (b"stat", b"statm", b"comm")}
    return Directory({**files, b"status": File(status), b"cmdline": File(lambda: b""), b"cgroup": File(b"0::/\n")})
