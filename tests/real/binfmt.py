"""Run a foreign program with qemu-user, and let what it executes run with qemu-user too.

`python -m tests.real.binfmt SYSROOT FOLDER PROGRAM [ARGUMENT…]`: a binfmt_misc of a user namespace of its own
(Linux 6.7 or later) knows the program's CPU, so nothing of the machine changes. FOLDER keeps the interpreter's script.
Where that can't be had the program runs all the same, says so, and its own exec of foreign programs fails.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
REGISTRY = "/proc/sys/fs/binfmt_misc"
ALL_IDS = "0 0 4294967295"

MAGIC = rb"\x7fELF\x02\x01\x01" + rb"\x00" * 9 + rb"\x02\x00\xb7\x00"
MASK = rb"\xff" * 7 + rb"\x00" + rb"\xff" * 8 + rb"\xfe\xff\xff\xff"
"""A little-endian 64-bit ELF file, ET_EXEC or ET_DYN, EM_AARCH64, whatever its OS."""


def interpreter(qemu: str, root: str, folder: Path) -> Path:
    """The script that the kernel starts with a program's path and its argv, whose first word qemu takes apart."""
    script = folder / "qemu-aarch64"
    call = f'program=$1 name=$2\nshift 2\nexec {shlex.quote(qemu)} -L {shlex.quote(root)} -0 "$name" "$program" "$@"\n'
    script.write_text(f"#!/bin/sh\n{call}")
    script.chmod(0o755)
    return script


def checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


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
    checked(libc.mount(b"none", REGISTRY.encode(), b"binfmt_misc", 0, None), "mount")


def main() -> None:
    root, folder, *command = sys.argv[1:]
    qemu = shutil.which("qemu-aarch64") or "qemu-aarch64"
    try:
        script = interpreter(qemu, root, Path(folder))
        namespace()
        rule = b":qemu-aarch64:M::%b:%b:%b:P" % (MAGIC, MASK, os.fsencode(script))
        Path(REGISTRY, "register").write_bytes(rule)
    except OSError as refused:
        print(f"no binfmt_misc: {refused}", flush=True)
        os.execv(qemu, [qemu, "-L", root, *command])
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
