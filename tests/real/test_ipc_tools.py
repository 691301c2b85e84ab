"""Debian's ipcmk, ipcs, lsipc and ipcrm for arm64: System V IPC as tools see it."""

from __future__ import annotations

from pathlib import Path

from tests.real import debian
from tests.real.running import Program

SCRIPT = r"""
ipcmk -Q -M 4096 -S 3 -p 640 | tr -d 0-9 | tr ' ' _
for what in -q -m -s; do ipcs $what | tail -n +3 | tr -s ' ' | cut -d ' ' -f 4-5; done
lsipc -m -r -o PERMS,SIZE,NATTCH
while read key id perms count rest; do echo $perms $count; done < /proc/sysvipc/sem
ipcrm -a
for kind in msg sem shm; do wc -l < /proc/sysvipc/$kind; done
"""

PRINTED = """\
Shared_memory_id:_
Message_queue_id:_
Semaphore_id:_
perms used-bytes
640 0

perms bytes
640 4096

perms nsems
640 3

PERMS SIZE NATTCH
rw-r----- 4K 0
perms nsems
640 3
1
1
1
"""


def test_ipc_tools(tmp_path: Path) -> None:
    root = debian.sysroot("arm64", "bash", "coreutils", "util-linux")
    shell = Program(root / "bin/bash", "aarch64", sysroot=root)
    shell.prints(PRINTED, "-c", SCRIPT, folder=tmp_path)
