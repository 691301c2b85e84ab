"""`compat info`: what a file is, what it needs, and whether it will run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import SAMPLES, compat, refuses, sample
from tests.loaders.build_pe import Pe

CPUS = sorted(path.name for path in SAMPLES.iterdir() if (path / "hello").exists())


def test_a_static_program() -> None:
    done = compat("info", sample("files"))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[1:4] == ["  format      ELF, static", "  system      Linux", "  CPU         aarch64"]
    assert "there may be more" in done.stdout
    assert lines[-1].startswith("It should run")


@pytest.mark.parametrize("cpu", CPUS)
def test_calls_are_found_in_the_code(cpu: str) -> None:
    done = compat("info", "--json", sample("hello", cpu))
    facts = json.loads(done.stdout)
    assert (facts["cpu"], facts["kind"], facts["runs"], facts["libraries"]) == (cpu, "static", True, [])
    if cpu != "x86":  # musl calls through a function there, whose number is no constant beside the trap
        assert "exit_group" in facts["calls"]


def test_a_dynamic_program_without_its_libraries() -> None:
    done = compat("info", sample("hello-dynamic"))
    assert done.returncode == 1
    assert "/lib/ld-musl-aarch64.so.1: missing" in done.stdout
    assert "libc.so: missing (wanted by hello-dynamic)" in done.stdout
    assert "It can't run yet: its dynamic loader /lib/ld-musl-aarch64.so.1 is missing" in done.stdout


def test_a_dynamic_program_with_its_libraries(tmp_path: Path) -> None:
    """A static-pie stands in for loader and library: only its format is looked at."""
    (tmp_path / "lib").mkdir()
    stand_in = Path(sample("hello-pie")).read_bytes()
    for name in ("ld-musl-aarch64.so.1", "libc.so"):
        (tmp_path / "lib" / name).write_bytes(stand_in)
    done = compat("info", "--sysroot", str(tmp_path), "--json", sample("hello-dynamic"))
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["runs"], facts["interpreter_found"]) == (0, True, True)
    assert facts["libraries"] == [{"name": "libc.so", "wanted_by": "hello-dynamic", "path": "/lib/libc.so"}]
    assert facts["calls"]["write"] == "done"
    (tmp_path / "lib" / "libc.so").write_bytes(Path(sample("hello-pie", "mips")).read_bytes())
    assert compat("info", "--sysroot", str(tmp_path), sample("hello-dynamic")).returncode == 1


def test_what_a_windows_program_imports(tmp_path: Path) -> None:
    pe = Pe()
    pe.table("import", pe.import_library("KERNEL32.dll", ["ExitProcess", 42]))
    pe.table("delayed import", pe.import_library("late.dll", ["f"], delayed=True))
    (tmp_path / "new.exe").write_bytes(bytes(pe))
    done = compat("info", "new.exe", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "new.exe is a Windows program for x86-64 (PE32+ console)",
        "  entry       0x140001000",
        "  library     KERNEL32.dll: 2 imports",
        "  library     late.dll: 1 import, loaded on first use",
        "  not written kernel32.dll!#42",
        "  not written late.dll!f",
        "",
        "It should run, unless it calls what is not written yet.",
    ]


def test_a_windows_program_is_refused_with_facts(tmp_path: Path) -> None:
    (tmp_path / "old.exe").write_bytes(b"MZ".ljust(512, b"\0"))
    done = compat("info", "old.exe", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "old.exe is a DOS program (MZ); compat has no DOS guest yet\n",
        "",
    )


def test_a_script_names_its_interpreter(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/nonexistent/sh -e\n")
    done = compat("info", "script", cwd=tmp_path)
    assert done.returncode == 1
    assert "script for /nonexistent/sh with the argument -e" in done.stdout


def test_what_is_asked_wrongly() -> None:
    refuses(compat("info"), 2, "one PROGRAM")
    refuses(compat("info", "a", "b"), 2, "one PROGRAM")
    refuses(compat("info", "./nothing"), 127, "No such file")
    refuses(compat("info", "--memory", "1G", "x"), 2, "no option --memory")


def test_damage_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    whole = Path(sample("hello")).read_bytes()
    for size in (3, 20, 63, 64, 100, 119, 200):
        (tmp_path / "cut").write_bytes(whole[:size])
        done = compat("info", "cut", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, ""), size
        assert done.stdout.startswith("cut")
