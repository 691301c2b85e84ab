"""Lines of /proc/self/mounts."""

from __future__ import annotations

import os
from pathlib import Path

from compat.host import Host
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mount_list import mounts_text
from compat.sandbox.mounts import MountTable, SyntheticMount
from compat.sandbox.synthetic import Directory
from compat.sandbox.view import FileView


def test_each_mount_is_a_line(tmp_path: Path) -> None:
    host, folder = Host(), os.fsencode(tmp_path)
    table = MountTable(open_grant(host, Grant(folder, b"/", read_only=True)))
    table.add(SyntheticMount(b"/proc", Directory({}), device=1, kind=b"proc"))
    table.add(open_grant(host, Grant(folder, b"/a b\\\t#\n", devices=True)))
    view = FileView(host, table)
    assert mounts_text(view).splitlines() == [
        b"host / host ro,nodev 0 0",
        b"proc /proc proc rw 0 0",
        rb"host /a\040b\134\011\043\012 host rw 0 0",
    ]
    view.close()
