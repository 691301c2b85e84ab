"""Run a foreign program with qemu-user, and let what it executes run with qemu-user too.

`python tests/real/binfmt.py SYSROOT FOLDER PROGRAM [ARGUMENT…]`: a binfmt_misc of a user namespace of its own
(Linux 6.7 or later) knows the program's CPU, so nothing of the machine changes. There /etc shows SYSROOT where
Debian's qemu looks for one: programs that start with an empty environment and no option -L find it too. FOLDER
keeps what is laid over /etc. Where that can't be had the program runs all the same, says so, and its own exec of
foreign programs fails.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
REGISTRY = "/proc/sys/fs/binfmt_misc"
ALL_IDS = "0 0 4294967295"
PREFIX = "qemu-binfmt/aarch64"  # in /etc: QEMU_LD_PREFIX by `qemu-aarch64 -h`

MAGIC = rb"\x7fELF\x02\x01\x01" + rb"\x00" * 9 + rb"\x02\x00\xb7\x00"
MASK = rb"\xff" * 7 + rb"\x00" + rb"\xff" * 8 + rb"\xfe\xff\xff\xff"
"""A little-endian 64-bit ELF file, ET_EXEC or ET_DYN, EM_AARCH64, whatever its OS."""


def checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


def mount(kind: str, where: str, options: str | None = None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.mount(b"none", where.encode(), kind.encode(), 0, options and options.encode()), f"mount {kind}")


def namespace() -> None:
    """Enter a user namespace in which every id stands for itself. Only root may, others raise OSError."""
    libc, caller = ctypes.CDLL(None, use_errno=True), os.getpid()
    ready, go = os.pipe()
    if not (helper := os.fork()):
        try:
            os.close(go)
            os.read(ready, 1)
            for kind in ("uid_map", "gid_map"):
                Path(f"/proc/{caller}/{kind}").write_text(ALL_IDS)
        except OSError:
            os._exit(1)
        os._exit(0)
    try:
        checked(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    finally:
        os.close(ready)
        os.close(go)
        _, status = os.waitpid(helper, 0)
    if status:
        raise PermissionError("ids can't be mapped")


def register(qemu: str, root: str, folder: Path) -> None:
    """Make *qemu* with the sysroot *root* the kernel's interpreter of AArch64 programs, which keep their argv[0]."""
    place = folder / PREFIX
    place.parent.mkdir(parents=True)
    place.symlink_to(root)
    mount("overlay", "/etc", f"lowerdir={folder}:/etc")
    mount("binfmt_misc", REGISTRY)
    Path(REGISTRY, "register").write_bytes(b":qemu-aarch64:M::%b:%b:%b:P" % (MAGIC, MASK, os.fsencode(qemu)))


def main() -> None:
    root, folder, *command = sys.argv[1:]
    qemu = shutil.which("qemu-aarch64") or "qemu-aarch64"
    try:
        namespace()
        register(qemu, root, Path(folder))
    except OSError as refused:
        print(f"no binfmt_misc: {refused}", flush=True)
        os.execv(qemu, [qemu, "-L", root, *command])
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
