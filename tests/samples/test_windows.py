"""The Windows samples give what Windows documents."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from samples import build_windows
from tests.samples import cases
from tests.samples.test_build import installed

SAMPLES = build_windows.SOURCES
CPUS = [*build_windows.TRIPLES]
ARGUMENTS = {"arguments": ["a b", 'c"d', "\\x\\", "", 'é\\\\" e'], "missing": ["called"]}


def compat(*words: object, folder: Path) -> cases.Outcome:
    return cases.run([sys.executable, "-m", "compat", *words], folder)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("name", build_windows.names())
def test_a_sample_gives_what_it_must(name: str, cpu: str, tmp_path: Path) -> None:
    outcome = compat("run", SAMPLES / cpu / f"{name}.exe", *ARGUMENTS.get(name, []), folder=tmp_path)
    wanted = (SAMPLES / f"{name}.expected").read_text()
    assert str(outcome).replace("\r\n", "\n") == wanted


@pytest.mark.parametrize("cpu", CPUS)
def test_a_missing_import_is_named_only_if_it_is_called(
    cpu: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = SAMPLES / cpu / "missing.exe"
    assert compat("run", program, folder=tmp_path) == cases.Outcome("1\r\n", 5)
    assert "not implemented" not in capfd.readouterr().err
    assert compat("run", program, "called", folder=tmp_path) == cases.Outcome("2\r\n", 57)
    sentence = "kernel32.dll!GetNumaHighestNodeNumber (once; add a row to abi_tables/windows/kernel32.dll.abi)"
    assert sentence in capfd.readouterr().err


@pytest.mark.parametrize("cpu", CPUS)
def test_the_trace_shows_both_halves(cpu: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for name, call in (("bare", '"no C library\\n", 13, 13, NULL) = 1   → '), ("missing", "\n__p___argc() = ?\n")):
        compat("trace", "-o", trace, SAMPLES / cpu / f"{name}.exe", folder=tmp_path)
        assert call in trace.read_text()


@pytest.mark.skipif(
    installed() != (SAMPLES / "BUILD").read_text().split("\n")[0].removeprefix("ziglang "),
    reason="the record names another compiler",
)
@pytest.mark.parametrize("name", ["bare", "modules"])
def test_rebuilt_bytes_are_the_committed_bytes(name: str, tmp_path: Path) -> None:
    assert (SAMPLES / "BUILD").read_text() == build_windows.record()
    for cpu in CPUS:
        rebuilt = build_windows.build(name, cpu, tmp_path)
        assert rebuilt.read_bytes() == (SAMPLES / cpu / f"{name}.exe").read_bytes()


def test_the_trace_shows_the_imports_that_were_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = SAMPLES / "x86-64" / "bare.exe"
    trace = tmp_path / "trace"
    compat("trace", "-e", "WriteFile", "-o", trace, program, folder=tmp_path)
    assert [line.partition("(")[0] for line in trace.read_text().splitlines()] == ["WriteFile", "+++ exited with 3 +++"]
    assert compat("trace", "-e", "WriteFle", program, folder=tmp_path).status == 126
    assert "no call named WriteFle" in capfd.readouterr().err
