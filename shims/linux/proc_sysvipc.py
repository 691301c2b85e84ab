"""/proc/sysvipc: what there is of System V IPC, as ipcs(1) reads it (proc_sysvipc(5)). Everyone may look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from compat.memory import PAGE
from compat.sandbox.synthetic import Directory, File
from shims.linux.state import LinuxProcess
from shims.posix.ipc import ipc_of_process
from shims.posix.ipc_state import Entry, Namespace, Queue, Segment, SemaphoreSet
from shims.posix.mapping import rounded

__all__ = ["system_v_tables"]

_E = TypeVar("_E", bound=Entry)


def system_v_tables(process: LinuxProcess) -> Directory:
    """The folder."""

    def table(show: Callable[[Namespace], Iterator[str]]) -> Callable[[], bytes]:
        def text() -> bytes:
            with ipc_of_process(process).open() as state:
                return "".join(show(state)).encode()

        return text

    def segments(state: Namespace) -> Iterator[str]:
        return _segments(state, 21 if process.abi.cpu.bits == 64 else 10)

    files = {b"msg": _queues, b"sem": _sets, b"shm": segments}
    return Directory({name: File(table(show)) for name, show in files.items()})


def _queues(state: Namespace) -> Iterator[str]:
    yield "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid "
    yield "     stime      rtime      ctime\n"
    for id, each in _in_order(state.all(Queue)):
        used = sum(len(text) for _, text in each.messages)
        yield f"{_head(id, each)}  {used:10} {len(each.messages):10} {each.sender:5} {each.receiver:5} "
        yield f"{_owners(each)} {_times(each.sent, each.received, each.changed)}\n"


def _sets(state: Namespace) -> Iterator[str]:
    yield "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
    for id, each in _in_order(state.all(SemaphoreSet)):
        yield f"{_head(id, each)} {len(each.values):10} {_owners(each)} {_times(each.operated, each.changed)}\n"


def _segments(state: Namespace, width: int) -> Iterator[str]:
    """*width* is that of sizes: an unsigned long."""
    yield f"       key      shmid perms {'size':>{width}}  cpid  lpid nattch   uid   gid  cuid  cgid "
    yield f"     atime      dtime      ctime {'rss':>{width}} {'swap':>{width}}\n"
    for id, each in _in_order(state.all(Segment)):
        attached = sum(each.attached.values())
        yield f"{_head(id, each)} {each.size:{width}} {each.maker:5} {each.last:5}  {attached:5} "
        yield f"{_owners(each)} {_times(each.attached_at, each.detached_at, each.changed)} "
        yield f"{rounded(each.size) // PAGE * PAGE:{width}} {0:{width}}\n"


def _in_order(entries: Mapping[int, _E]) -> list[tuple[int, _E]]:
    return sorted(entries.items(), key=lambda item: item[0])


def _head(id: int, entry: Entry) -> str:
    return f"{entry.key:10} {id:10}  {entry.mode:4o}"


def _owners(entry: Entry) -> str:
    return " ".join(f"{each:5}" for each in (entry.owner, entry.group, entry.creator, entry.creator_group))


def _times(*times: int) -> str:
    return " ".join(f"{each:10}" for each in times)
