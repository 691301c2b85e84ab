"""`compat run`: statuses, streams, what the guest is given, and every way in which a run can't begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import ROOT, compat, refuses, sample


def test_output_and_status_are_the_guests() -> None:
    done = compat("run", sample("status"))
    assert done.stdout.splitlines()[0] == "leaving"
    assert (done.returncode, done.stderr) == (42, "")


@pytest.mark.parametrize("cpu", ["x86-64", "mips"])
def test_a_signal_is_told_by_the_hosts_number(cpu: str) -> None:
    done = compat("run", sample("killed", cpu))
    assert done.stdout == "before\n"
    assert done.returncode == 128 + signal.SIGSEGV


def test_words_behind_the_program_belong_to_the_guest() -> None:
    for word in ("--help", "--debug", "--sysroot", "--", "-x"):
        done = compat("run", sample("hello"), word)
        assert (done.returncode, done.stdout, done.stderr) == (0, "hello, world\n", "")


def test_two_dashes_end_the_options() -> None:
    assert compat("run", "--quiet", "--", sample("hello")).stdout == "hello, world\n"


def test_a_program_is_found_in_the_current_folder_without_a_slash(tmp_path: Path) -> None:
    (tmp_path / "hello").symlink_to(sample("hello"))
    assert compat("run", "hello", cwd=tmp_path).stdout == "hello, world\n"


def test_control_c_ends_the_guest(tmp_path: Path) -> None:
    script = tmp_path / "endless"
    build_sleeper(script)
    guest = subprocess.Popen([sys.executable, "-m", "compat", "run", script], cwd=ROOT, stderr=subprocess.PIPE)
    time.sleep(1.5)
    guest.send_signal(signal.SIGINT)
    _, errors = guest.communicate(timeout=20)
    assert guest.returncode == -signal.SIGINT
    assert errors == b""


def build_sleeper(path: Path) -> None:
    """An x86-64 ELF file of one endless instruction, `jmp .`."""
    code = b"\xeb\xfe"
    base, size = 0x400000, 64 + 56 + len(code)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + numbers(
        "HHIQQQIHHHHHH", 2, 62, 1, base + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = numbers("IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
    path.write_bytes(header + segment + code)
    path.chmod(0o755)


def numbers(kinds: str, *values: int) -> bytes:
    import struct

    return struct.pack("<" + kinds, *values)


def test_a_reader_that_goes_away_ends_the_guest_as_natively() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "compat", "run", sample("hello")],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(writer)
    assert done.returncode in (-signal.SIGPIPE, 128 + signal.SIGPIPE)
    assert done.stderr == b""


def test_a_closed_stream_is_closed_for_the_guest_too() -> None:
    command = f"exec {sys.executable} -m compat run {sample('hello')} >&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (99, b"", b"")  # the sample's own status where it can't write


# --- what can't begin ---


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "PROGRAM is missing"),
        (["--nonsense", "x"], "no option --nonsense"),
        (["--sysrot", "x"], "no option --sysrot; did you mean --sysroot? See"),
        (["--memory"], "--memory needs a value"),
        (["--memory", "12Q", "x"], "'12Q' is not a size"),
        (["--memory", "0", "x"], "'0' is not a size"),
        (["--memory=-5", "x"], "not a size"),
        (["--cpu-time", "soon", "x"], "'soon' is not a whole number"),
        (["--files", "2", "x"], "between 3 and"),
        (["--processes", "0", "x"], "between 1 and"),
        (["--stack", "1", "x"], "between 128K and 1G"),
        (["--net", "moon", "x"], "only `host`"),
        (["--env", "=x", "x"], "NAME=VALUE"),
        (["--mount", "/:relative", "x"], "not absolute"),
        (["--mount", "/:/a:wo", "x"], "no mount option"),
        (["--sysroot", "/nonexistent", "x"], "No such file or directory"),
        (["--sysroot", "/etc/passwd", "x"], "Not a directory"),
        (["--trust=yes", "x"], "takes no value"),
        (["--m", "5", "x"], "several options begin with --m"),
    ],
)
def test_a_wrong_option_is_a_sentence(words: list[str], told: str) -> None:
    refuses(compat("run", *words), 2, told, "compat run --help")


@pytest.mark.parametrize("words", [[], ["walk"], ["--walk"]])
def test_a_wrong_command_names_those_there_are(words: list[str]) -> None:
    refuses(compat(*words), 2, "run, trace, info, calls")


def test_a_missing_program_is_127() -> None:
    refuses(compat("run", "./nothing"), 127, "./nothing: No such file or directory")
    refuses(compat("run", "nothing"), 127, "nothing: No such file", "PATH")
    refuses(compat("run", ""), 127, "empty")


def test_what_is_no_program_is_126(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("hello\n")
    whole = Path(sample("hello")).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:100])
    (tmp_path / "windows.exe").write_bytes(b"MZ".ljust(512, b"\0"))
    for name, told in {
        ".": "a directory",
        "pipe": "a pipe",
        "/dev/null": "a device",
        "empty": "is empty",
        "text": "text",
        "cut": "e_phoff",
        "windows.exe": "DOS",
    }.items():
        refuses(compat("run", name, cwd=tmp_path), 126, told)


def test_an_unknown_cpu_is_named(tmp_path: Path) -> None:
    whole = bytearray(Path(sample("hello")).read_bytes())
    whole[18:20] = (94).to_bytes(2, "little")
    (tmp_path / "xtensa").write_bytes(whole)
    refuses(compat("run", "./xtensa", cwd=tmp_path), 126, "Xtensa")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_program_is_126(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0)
    refuses(compat("run", "./secret", cwd=tmp_path), 126, "Permission denied")


def test_a_missing_loader_is_named() -> None:
    refuses(compat("run", sample("hello-dynamic")), 126, "/lib/ld-musl-aarch64.so.1", "--sysroot")


def test_a_script_needs_its_interpreter_among_the_guests_files(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/nonexistent/sh\n")
    refuses(compat("run", "./script", cwd=tmp_path), 126, "/nonexistent/sh", "--sysroot")


def test_scripts_that_run_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "loop").write_text(f"#!{tmp_path}/loop\n")
    refuses(compat("run", "./loop", cwd=tmp_path), 126, "too many scripts")


def test_a_script_is_run_by_its_interpreter(tmp_path: Path) -> None:
    interpreter = tmp_path / "interpreter"
    interpreter.write_bytes(Path(sample("hello", "mips")).read_bytes())
    interpreter.chmod(0o755)
    (tmp_path / "script").write_text(f"#!{interpreter} -x\n")
    assert compat("run", "./script", cwd=tmp_path).stdout == "hello, world\n"


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    command = (
        f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir ../gone; {sys.executable} -m compat run {sample('hello')}"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, text=True, timeout=60, check=False)
    refuses(done, 126, "current folder")


def test_a_limit_of_memory_is_told() -> None:
    refuses(compat("run", "--memory", "1M", sample("hello")), 126, "memory")
    assert compat("run", "--memory", "1G", sample("hello")).stdout == "hello, world\n"


def test_a_limit_of_cpu_time_ends_the_guest(tmp_path: Path) -> None:
    build_sleeper(tmp_path / "endless")
    done = compat("run", "--cpu-time", "1", "./endless", cwd=tmp_path)
    assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL, 128 + signal.SIGXCPU)


def test_a_sysroot_has_the_program(tmp_path: Path) -> None:
    bin_folder = tmp_path / "root" / "usr" / "bin"
    bin_folder.mkdir(parents=True)
    (tmp_path / "root" / "bin").symlink_to("/usr/bin")
    (bin_folder / "greet").write_bytes(Path(sample("hello", "ppc")).read_bytes())
    (bin_folder / "greet").chmod(0o755)
    for name in ("greet", "/bin/greet", str(bin_folder / "greet")):
        done = compat("run", "--sysroot", str(tmp_path / "root"), name, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "hello, world\n", ""), name
    refuses(compat("run", "--sysroot", str(tmp_path / "root"), "other", cwd=tmp_path), 127, "PATH inside the sysroot")


def test_rows_and_shims_of_the_users_own_come_first(tmp_path: Path) -> None:
    (tmp_path / "own.abi").write_text("exit_group(status: Int) -> Void = own.leave\n")
    (tmp_path / "own.py").write_text(
        "from shims.posix.processes import exit_process\n\n"
        "def leave(thread, status):\n    exit_process(thread, status + 1)\n"
    )
    assert compat("run", "--tables", str(tmp_path), sample("status")).returncode == 43
    assert compat("run", sample("status")).returncode == 42
    (tmp_path / "own.abi").write_text("exit_group(code: Int) -> Void = own.leave\n")
    refuses(compat("run", "--tables", str(tmp_path), sample("status")), 126, "own.abi:1", "(code)", "(status)")
    (tmp_path / "own.abi").write_text("exit_group(code: Int\n")
    refuses(compat("run", "--tables", str(tmp_path), sample("status")), 126, "own.abi:1")
