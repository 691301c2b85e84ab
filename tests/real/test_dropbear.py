"""Debian's dropbear for arm64: a host's ssh logs in by key, and is no longer root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program
from tests.real.serving import free_port, serving

USER, GROUP = 1234, 1235
OPTIONS = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the one who logs in"),
    pytest.mark.skipif(not (shutil.which("ssh") and shutil.which("ssh-keygen")), reason="the host has no OpenSSH"),
]

Login = Callable[..., "subprocess.CompletedProcess[str]"]


def home(folder: Path) -> tuple[str, ...]:
    """Users, and the home of one whose key is in *folder*; returns the options that show them to a guest."""
    (folder / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\nvisitor:x:{USER}:{GROUP}::/home/visitor:/bin/bash\n")
    (folder / "group").write_text(f"root:x:0:\nvisitors:x:{GROUP}:\nothers:x:{GROUP + 1}:visitor\n")
    (folder / "shells").write_text("/bin/bash\n")
    keys = folder / "home/visitor/.ssh"
    keys.mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    (folder / "key.pub").rename(keys / "authorized_keys")
    for path in (keys.parent, keys, keys / "authorized_keys"):
        os.chown(path, USER, GROUP)
        path.chmod(0o700)
    mounts = ("passwd:/etc/passwd:ro", "group:/etc/group:ro", "shells:/etc/shells:ro", "home:/home")
    return tuple(word for mount in mounts for word in ("--mount", f"{folder}/{mount}"))


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    root = debian.sysroot("arm64", "dropbear-bin", "bash", "coreutils")
    folder, port = tmp_path_factory.mktemp("dropbear"), free_port()
    program = Program(root / "usr/sbin/dropbear", "aarch64", root, ("--net", "host", *home(folder)))
    make_key = Program(root / "usr/bin/dropbearkey", "aarch64", root)
    subprocess.run(
        make_key.command("-t", "ed25519", "-f", "host-key"),
        cwd=folder,
        env=program.environment(),
        timeout=120,
        check=True,
        capture_output=True,
    )

    def connect(*command: str, terminal: bool = False, stdin: str = "") -> subprocess.CompletedProcess[str]:
        options = [word for option in OPTIONS for word in ("-o", option)]
        where = ["-F", "/dev/null", "-i", str(folder / "key"), "-p", str(port), "visitor@127.0.0.1"]
        words = ["ssh", *options, *(["-tt"] if terminal else []), *where, *command]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=120, check=False)

    server = ("-F", "-E", "-r", "host-key", "-p", f"127.0.0.1:{port}", "-P", "")
    with serving(program, *server, folder=folder, port=port, ends_with=1):
        yield connect


def test_a_command_runs_as_the_one_who_logged_in(login: Login) -> None:
    done = login("id -u; id -G; pwd; touch mine; stat -c %u mine; touch /etc/not-mine; exit 5")
    assert done.stdout.split() == [str(USER), str(GROUP), str(GROUP + 1), "/home/visitor", str(USER)]
    assert "Permission denied" in done.stderr or "Read-only" in done.stderr
    assert done.returncode == 5


def test_a_shell_without_a_terminal(login: Login) -> None:
    done = login(stdin="echo hello | tr a-z A-Z; tty; exit 6\n")
    assert done.stdout.splitlines() == ["HELLO", "not a tty"]
    assert done.returncode == 6


def test_the_terminal_is_given_to_the_one_who_logged_in(login: Login) -> None:
    done = login('stat -c "%u %a" $(tty); test -w $(tty) && echo writable; kill -HUP $$', terminal=True)
    assert done.stdout.split()[0] == str(USER)
    assert done.stdout.split()[2] == "writable"
