"""/proc/<pid> of another guest process: what it told the census, what the host tells of it (proc_pid_stat(5)), and what
it answers when it is asked."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from compat.host.census import Entry
from compat.memory import PAGE
from compat.sandbox.place import Opened
from compat.sandbox.synthetic import Directory, File, Link, Node
from shims.linux.proc_machine import host_text
from shims.linux.state import LinuxProcess

__all__ = ["other_process"]

_STATE, _PARENT, _THREADS, _SIZE, _LIMIT = 0, 1, 17, 20, 22  # of stat, counted from behind the name
_HIDDEN = (23, 24, 25, 26, 27, 28, 29, 30, 31, 32, *range(42, 50))  # addresses and signals of the host's Python
_STATUS = (b"Umask", b"State", b"Tgid", b"Ngid", b"Pid", b"PPid", b"TracerPid", b"Uid", b"Gid", b"FDSize", b"Groups")
_STATUS_END = (b"VmHWM", b"VmRSS", b"NStgid", b"NSpid", b"NSpgid", b"NSsid")
_DEFUNCT = b"Z"
_TOLD: Final = (b"limits", b"maps", b"mountinfo", b"mounts", b"smaps", b"smaps_rollup")


def other_process(process: LinuxProcess, pid: int) -> Directory:
    """The folder of *pid*, which the guest can see."""
    other = _Other(process, pid)
    owner = other.owner()
    texts: dict[bytes, Callable[[], bytes]] = {
        b"cgroup": lambda: b"0::/\n",
        b"cmdline": other.cmdline,
        b"comm": lambda: other.entry().name + b"\n",
        b"loginuid": lambda: b"4294967295",
        b"oom_score": lambda: b"0\n",
        b"oom_score_adj": lambda: b"0\n",
        b"stat": other.stat,
        b"statm": other.statm,
        b"status": other.status,
        b"wchan": lambda: b"0",
    }
    nodes: dict[bytes, Node] = {name: File(text, owner=owner) for name, text in texts.items()}
    nodes[b"environ"] = File(other.environ, mode=0o400, owner=owner)
    nodes |= {name: File(partial(other.told, name), mode=0o444, owner=owner) for name in _TOLD}
    nodes |= {name: File(partial(other.told, name), mode=0o400, owner=owner) for name in (b"auxv", b"io")}
    nodes[b"root"] = Link(partial(other.told, b"root"))
    nodes[b"cwd"] = Link(partial(other.told, b"cwd"), magic=lambda: other.opened("folder"))
    nodes[b"fd"] = Directory(other.descriptors, mode=0o500, owner=owner)
    nodes[b"fdinfo"] = Directory(other.descriptor_infos, mode=0o555, owner=owner)
    nodes[b"exe"] = Link(other.program)
    task = Directory({b"%d" % pid: Directory(nodes, owner=owner)}, owner=owner)
    return Directory({**nodes, b"task": task}, owner=owner)


class _Other:
    """What is known of *pid*, asked anew for each file."""

    def __init__(self, process: LinuxProcess, pid: int) -> None:
        self._process = process
        self._pid = pid

    def _host(self, name: bytes) -> bytes:
        """Raises OSError(ESRCH) for a process that is no more."""
        text = host_text(self._process.host, b"/proc/%d/%s" % (self._pid, name))
        if not text:
            raise OSError(errno.ESRCH, f"no process {self._pid}")
        return text

    def _fields(self) -> list[bytes]:
        text = self._host(b"stat")
        return text[text.rindex(b")") + 2 :].split()

    def entry(self) -> Entry:
        """What it told; a child that has not yet said a word is like its parent."""
        census, pid = self._process.census, self._pid
        for _ in range(2):
            found = census.entry(pid) if census is not None else None
            if found is not None:
                return found
            pid = self._process.host.relation(pid).parent
        return Entry(0, False, b"", b"", b"", 0)

    def cmdline(self) -> bytes:
        """Empty, as for all that have ended and were not waited for."""
        return b"" if self._fields()[_STATE] == _DEFUNCT else self.entry().arguments

    def _ask(self, *question: Any) -> tuple[Any, list[int]]:
        from shims.linux.inquiries import ask  # few programs look so far

        return ask(self._process, self._pid, *question)

    def told(self, name: bytes) -> bytes:
        """The content of its file *name*, or the target of a link. Raises OSError: EPERM, EACCES."""
        (_, content), _ = self._ask("node", name)
        return bytes(content)

    def opened(self, *question: Any) -> Opened:
        """The open file that it answers with."""
        _, files = self._ask(*question)
        return self._process.view.adopt(files[0])

    def descriptors(self) -> dict[bytes, Node]:
        (_, modes), _ = self._ask("node", b"fd")
        return {name: self._descriptor(name, mode) for name, mode in modes.items()}

    def _descriptor(self, name: bytes, mode: int) -> Node:
        target = partial(self.told, b"fd/" + name)
        return Link(target, magic=lambda: self.opened("file", int(name)), mode=stat.S_IMODE(mode))

    def descriptor_infos(self) -> dict[bytes, Node]:
        (_, modes), _ = self._ask("node", b"fdinfo")
        return {name: File(partial(self.told, b"fdinfo/" + name)) for name in modes}

    def environ(self) -> bytes:
        """As it was when the program began."""
        return b"" if self._fields()[_STATE] == _DEFUNCT else self.entry().environment

    def owner(self) -> tuple[int, int]:
        """The user and group whose files these are; nobody's if it has ended meanwhile."""
        try:
            rights = self._process.host.rights(self._pid)
        except OSError:
            return 0, 0
        return rights["Euid"], rights["Egid"]

    def program(self) -> bytes:
        """Raises OSError(ENOENT) for one that has ended."""
        if self._fields()[_STATE] == _DEFUNCT:
            raise OSError(errno.ENOENT, "ended")
        return self.entry().program

    def stat(self) -> bytes:
        fields, entry = self._fields(), self.entry()
        for index in _HIDDEN:
            if index < len(fields):
                fields[index] = b"0"
        if self._pid == self._process.root_pid:
            fields[_PARENT] = b"0"
        fields[_THREADS], fields[_SIZE], fields[_LIMIT] = b"1", b"%d" % entry.size, b"18446744073709551615"
        return b"%d (%s) %s\n" % (self._pid, entry.name, b" ".join(fields))

    def statm(self) -> bytes:
        """Its size as it told, the rest as the host counts."""
        _, *rest = self._host(b"statm").split()
        return b" ".join([b"%d" % (self.entry().size // PAGE), *rest]) + b"\n"

    def status(self) -> bytes:
        entry = self.entry()
        lines = self._host(b"status").splitlines(keepends=True)
        if self._pid == self._process.root_pid:
            lines = [b"PPid:\t0\n" if line.startswith(b"PPid:") else line for line in lines]
        name = entry.name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
        text = b"Name:\t%s\n" % name + _chosen(lines, _STATUS)
        return text + b"VmSize:\t%8d kB\n" % (entry.size // 1024) + _chosen(lines, _STATUS_END) + b"Threads:\t1\n"


def _chosen(lines: list[bytes], names: tuple[bytes, ...]) -> bytes:
    return b"".join(line for line in lines if line.split(b":")[0] in names)
