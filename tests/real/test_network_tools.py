"""Debian's iproute2 for a little- and a big-endian CPU: what they ask over netlink, with a network and without."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program

ALONE = """\
1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
"""


@pytest.fixture(params=["arm64", "s390x"])
def architecture(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def tool(architecture: str, path: str, *options: str) -> Program:
    root = debian.sysroot(architecture, "iproute2")
    return Program(root / path, debian.CPUS[architecture], sysroot=root, options=options)


def test_a_machine_without_a_network(architecture: str, tmp_path: Path) -> None:
    tool(architecture, "bin/ip").prints(ALONE, "link", folder=tmp_path)
    tool(architecture, "bin/ip").prints("", "route", folder=tmp_path)
    shown = tool(architecture, "bin/ss").output("-Htln", folder=tmp_path)
    assert shown == b""


def test_the_hosts_network(architecture: str, tmp_path: Path) -> None:
    ip, ss = (tool(architecture, f"bin/{name}", "--net", "host") for name in ("ip", "ss"))
    assert b"inet 127.0.0.1/8 scope host lo" in ip.output("addr", "show", "dev", "lo", folder=tmp_path)
    assert ip.output("route", "get", "127.0.0.1", folder=tmp_path).startswith(b"local 127.0.0.1 dev lo")
    with socket.create_server(("127.0.0.1", 0)) as server:
        shown = ss.output("-Htln", folder=tmp_path)
        assert b"127.0.0.1:%d" % server.getsockname()[1] in shown


def test_links_can_not_be_changed(architecture: str, tmp_path: Path) -> None:
    ip = tool(architecture, "bin/ip", "--net", "host")
    done = subprocess.run(
        ip.command("link", "set", "lo", "mtu", "9000"),
        cwd=tmp_path, env=ip.environment(), capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, b"RTNETLINK answers: Operation not permitted\n")
