"""`compat calls`: the manual and the coverage."""

from __future__ import annotations

import json

from compat.abi.abi import Abi
from compat.cli.coverage import STATES, cpu_names, entries
from tests.cli.command import compat, refuses


def test_the_list_has_every_call_by_number() -> None:
    lines = compat("calls", "--cpu", "riscv64").stdout.splitlines()
    assert lines[0].split() == ["number", "state", "shim", "row", "call"]
    abi = Abi("linux", "riscv64")
    shown = [int(line.split()[0]) for line in lines[1:] if line.split()[0].isdigit()]
    assert shown == sorted(abi.numbers.values())
    read = next(line for line in lines if " read(" in line)
    assert read.split()[:3] == ["63", "done", "files.read"]
    assert read.endswith("read(fd: Fd, buf: Out[Bytes, count], count: Size) -> SSize")


def test_states_are_picked_out() -> None:
    done = compat("calls", "--state", "refused", "--state", "partly", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {entry["state"] for entry in found} == {"refused", "partly"}
    assert all(entry["error"] for entry in found if entry["state"] == "refused")
    assert all(entry["note"] for entry in found if entry["state"] == "partly")


def test_the_summary_counts_every_call() -> None:
    counts = {(c := json.loads(line))["cpu"]: c for line in compat("calls", "--summary", "--json").stdout.splitlines()}
    assert list(counts) == cpu_names()
    abi = Abi("linux", "mips")
    assert sum(counts["mips"]["calls"].values()) == len(abi.numbers)
    for state in STATES:
        cases = [e for e in entries(abi) if e.number is None and e.state == state]
        assert counts["mips"]["cases"][state] == len(cases)
    plain = compat("calls", "--summary").stdout.splitlines()
    assert plain[1 + cpu_names().index("mips")].split()[1:5] == [str(n) for n in counts["mips"]["calls"].values()]


def test_the_manual_of_a_call() -> None:
    page = compat("calls", "openat", "--cpu", "mips").stdout
    assert page.startswith("openat(dir: DirFd, path: Path, flags: OpenFlags, mode: Mode) -> Fd\n    done (abi_tables/")
    assert "openat(2)" in page
    assert "O_CLOEXEC" in page
    assert "mips 4288" in page
    assert "x86-64 257" in page


def test_the_manual_shows_structs_of_that_cpu() -> None:
    assert "Sigaction, 24 bytes" in compat("calls", "rt_sigaction", "--cpu", "mips").stdout
    assert "Sigaction, 32 bytes" in compat("calls", "rt_sigaction").stdout


def test_the_manual_of_a_variant_and_of_its_call() -> None:
    assert "fcntl/F_DUPFD(fd: Fd, cmd: FcntlCmd, least: Int) -> Fd" in compat("calls", "fcntl").stdout
    assert compat("calls", "fcntl/F_DUPFD").stdout.startswith("fcntl/F_DUPFD(fd: Fd,")


def test_a_call_is_found_by_its_number() -> None:
    assert compat("calls", "257").stdout == compat("calls", "openat").stdout


def test_every_page_can_be_made() -> None:
    names = [entry.key for entry in entries(Abi("linux", "s390x"))]
    done = compat("calls", "--cpu", "s390x", *names)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n  number\n") == len(names)


def test_what_is_asked_wrongly() -> None:
    refuses(compat("calls", "opena"), 2, "no call 'opena'", "did you mean openat?")
    refuses(compat("calls", "--cpu", "z80"), 2, "aarch64")
    refuses(compat("calls", "--guest", "beos"), 2, "linux")
    refuses(compat("calls", "--state", "great"), 2, "partly")
