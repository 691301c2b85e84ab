"""Debian's procps and psmisc for arm64: a guest sees its own processes as they see themselves, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program

SCRIPT = r"""
sleep 300 & first=$!
(exec -a 'other name' sleep 301) & second=$!
bash -c 'sleep 302; :' & third=$!
until pgrep -f 'sleep 302$' > /dev/null && pgrep -f 'name 301' > /dev/null; do sleep 0.1; done
ps -o args= -p "$first,$second,$third"
ps -C sleep -o comm= | sort | uniq -c
[ "$(ps -o ppid= -p $first)" -eq $$ ] && echo 'its parent is the shell'
[ "$(ps -e -o pid= | wc -l)" -lt 10 ] && echo 'nobody else'
ps -o stat= -p $first | cut -c1
pgrep -P $$ sleep | wc -l
pstree -A $$ | sed 's/|.*pstree.*/|/; s/bash-+-.*sed/bash/' | head -n 1 | cut -c1-4
top -b -n 1 -p $first | tail -n 1 | awk '{ print $NF }'
tr '\0' '|' < /proc/$second/cmdline; echo
readlink /proc/$first/exe
tr '\0' '\n' < /proc/$first/environ | grep ^TZ=
pmap $first | grep -c total; pwdx $first | grep -c $PWD$; echo $(ls /proc/$first/fd)
kill -STOP $first
until [ "$(ps -o stat= -p $first | cut -c1)" = T ]; do sleep 0.1; done
kill -CONT $first
pkill -f 'sleep 30.*' ; pkill -f 'name 301'; pkill -x sleep
wait $first $second $third 2> /dev/null
ps -p $first -o pid= || echo 'none left'
"""

PRINTED = """\
sleep 300
other name 301
bash -c sleep 302; :
      3 sleep
its parent is the shell
nobody else
S
2
bash
sleep
other name|301|
/usr/bin/sleep
TZ=UTC
1
1
0 1 2
none left
"""


@pytest.fixture(scope="session")
def bash() -> Program:
    if os.environ.get("COMPAT_TEST_WITH") == "qemu":
        pytest.skip("qemu-user leaves what bash executes to the host")
    root = debian.sysroot("arm64", "bash", "coreutils", "procps", "psmisc", "grep", "sed", "mawk", "ncurses-base")
    if not (root / "usr/bin/awk").is_symlink():
        (root / "usr/bin/awk").symlink_to("mawk")
    return Program(root / "usr/bin/bash", "aarch64", root)


def test_processes_are_seen(bash: Program, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(SCRIPT)
    bash.prints(PRINTED, "script", folder=tmp_path, timeout=200)
