"""Records what the kernel itself answers to the calls of calls.py: run as the superuser on Linux with

    python -m tests.sandbox.record_answers

Each call is made in a process of its own, whose root is a fresh copy of the tree with real read-only mounts.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from pathlib import Path

from compat.host import AT_FDCWD, Host
from tests.sandbox.calls import ENDS, OPENS, PAIRS, PATHS_AND_POINTS, RENAMES, SINGLE, answer, build

CLONE_NEWNS = 0x20000
MS_RDONLY, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 4, 32, 4096, 16384, 1 << 18
FOLDER = Path(__file__).with_name("answers")


def kernel_call(name: str, *paths: str) -> object:
    """The system call that corresponds to calls.call()."""
    host, path = Host(), paths[0].encode()
    if name in OPENS:
        return os.close(os.open(path, OPENS[name] | os.O_NONBLOCK))
    if name == "link":
        return os.link(path, paths[1].encode(), follow_symlinks=False)
    if name in RENAMES:
        return host.renameat2(AT_FDCWD, path, AT_FDCWD, paths[1].encode(), RENAMES[name])
    simple = {
        "mkdir": lambda: os.mkdir(path),
        "mknod": lambda: os.mknod(path, stat.S_IFREG | 0o600),
        "symlink": lambda: os.symlink(b"x", path),
        "unlink": lambda: os.unlink(path),
        "rmdir": lambda: os.rmdir(path),
        "chmod": lambda: os.chmod(path, 0o700),
        "chown": lambda: os.chown(path, -1, -1),
        "utime": lambda: os.utime(path),
        "truncate": lambda: os.truncate(path, 0),
        "access_w": lambda: host.faccessat(AT_FDCWD, path, os.W_OK, 0),
        "stat": lambda: os.stat(path),
        "lutime": lambda: os.utime(path, follow_symlinks=False),
        "lstat": lambda: os.lstat(path),
        "readlink": lambda: os.readlink(path),
    }
    return simple[name]()


def enter() -> None:
    """Move this process into a fresh tree of its own."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str | None, flags: int) -> None:
        if libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, None) != 0:
            raise OSError(ctypes.get_errno(), f"mount {target}")

    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", "/mnt", "tmpfs", 0)
    build(Path("/mnt"))
    for source, target in (("/mnt/ro", "/mnt/rw/mnt"), ("/mnt/ro/file", "/mnt/rw/fmnt")):
        mount(source, target, None, MS_BIND)
        mount("none", target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV)
    mount("/mnt/rw", "/mnt/rw", None, MS_BIND | MS_REC)
    os.chroot("/mnt/rw")
    os.chdir("/")


def ask(name: str, *paths: str) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        enter()
        os.write(writer, answer(lambda: kernel_call(name, *paths)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as report:
        told = report.read()
    os.waitpid(child, 0)
    return told


def record(file: Path, title: str, columns: list[str], rows: list[tuple[str, list[str]]]) -> None:
    lines = [
        f"# {title}, as Linux {os.uname().release.split('-')[0]} answers",
        " ".join(["# path", *columns]),
    ]
    lines += [" ".join([path, *answers]) for path, answers in rows]
    file.write_text("\n".join(lines) + "\n")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    rows = [(path, [ask(name, path) for name in SINGLE]) for path in PATHS_AND_POINTS]
    record(FOLDER / "single.tbl", "calls on one path", SINGLE, rows)
    for name in PAIRS:
        rows = [(old, [ask(name, old, new) for new in ENDS]) for old in ENDS]
        record(FOLDER / f"{name}.tbl", f"{name} from each row's path to each column's", ENDS, rows)


if __name__ == "__main__":
    sys.exit(main())
