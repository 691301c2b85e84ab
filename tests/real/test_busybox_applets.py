"""Applets of busybox against what they must print, computed here where that is possible."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import tarfile
from pathlib import Path

import pytest

from tests.real.running import Program

WORDS = "".join(f"{n} {'even' if n % 2 == 0 else 'odd'} {n * n}\n" for n in range(1, 301))
NOISE = random.Random(5).randbytes(200_001)

Wanted = tuple[list[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some files of known contents, modes and times."""
    (tmp_path / "words").write_text(WORDS)
    (tmp_path / "noise").write_bytes(NOISE)
    (tmp_path / "changed").write_text(WORDS.replace("17 odd 289", "17 odd 290"))
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "sub/deep/file.txt").write_text("deep\n")
    (tmp_path / "sub/other.c").write_text("int x;\n")
    (tmp_path / "link").symlink_to("words")
    for path, mode in (("words", 0o640), ("noise", 0o755), ("sub", 0o750)):
        (tmp_path / path).chmod(mode)
        os.utime(tmp_path / path, (1_000_000_000, 1_000_000_000))
    return tmp_path


LINES = WORDS.splitlines(keepends=True)
EVEN = [line for line in LINES if " even " in line]

APPLETS: dict[str, Wanted] = {
    "cat": (["cat", "words", "link"], WORDS * 2),
    "head": (["head", "-n", "3", "words"], "".join(LINES[:3])),
    "tail": (["tail", "-n", "3", "words"], "".join(LINES[-3:])),
    "wc": (["wc", "words"], f"{300:9}{900:10}{len(WORDS):10} words\n"),
    "grep": (["grep", " even ", "words"], "".join(EVEN)),
    "grep -E -c": (["grep", "-E", "-c", "^[0-9]*(1|2) odd", "words"], "30\n"),
    "grep -n -v": (["grep", "-nv", "odd", "words"], "".join(f"{n}:{n} even {n * n}\n" for n in range(2, 301, 2))),
    "sed": (["sed", "-n", "s/^\\([0-9]*\\) odd \\(.*\\)$/\\2=\\1/p;5q", "words"], "1=1\n9=3\n25=5\n"),
    "awk": (["awk", '{s+=$3; n[$2]++} END {print s, n["odd"], length(n)}', "words"], "9045050 150 2\n"),
    "awk printf": (
        ["awk", 'BEGIN {printf "%.4f %d %s %5.2e\\n", 22/7, 65536*32767, substr("hello",2,3), 22026}'],
        "3.1429 2147418112 ell 2.20e+04\n",
    ),
    "sort": (["sort", "words"], "".join(sorted(LINES))),
    "sort -n -k": (["sort", "-rn", "-k", "3", "words"], "".join(reversed(LINES))),
    "cut": (
        ["cut", "-d", " ", "-f", "1,3", "words"],
        "".join(line.replace(" odd", "").replace(" even", "") for line in LINES),
    ),
    "md5sum": (["md5sum", "noise"], f"{hashlib.md5(NOISE).hexdigest()}  noise\n"),
    "sha256sum": (["sha256sum", "noise"], f"{hashlib.sha256(NOISE).hexdigest()}  noise\n"),
    "sha512sum": (["sha512sum", "noise"], f"{hashlib.sha512(NOISE).hexdigest()}  noise\n"),
    "find": (["find", "sub", "-name", "*.txt", "-o", "-type", "d", "-name", "d*"], "sub/deep\nsub/deep/file.txt\n"),
    "stat": (["stat", "-c", "%a %s %F %Y %h", "words"], f"640 {len(WORDS)} regular file 1000000000 1\n"),
    "stat of a link": (["stat", "-c", "%N %s", "link"], "'link' -> 'words' 5\n"),
    "readlink": (["readlink", "link"], "words\n"),
    "date": (["date", "-u", "-d", "@0"], "Thu Jan  1 00:00:00 UTC 1970\n"),
    "expr": (["expr", "6", "*", "(", "3", "+", "4", ")"], "42\n"),
    "seq": (["seq", "-s", ",", "1", "3", "20"], "1,4,7,10,13,16,19\n"),
    "basename": (["basename", "/a/b.c", ".c"], "b\n"),
    "dirname": (["dirname", "/a/b/c"], "/a/b\n"),
    "factor": (["factor", "1234567890"], "1234567890: 2 3 3 5 3607 3803\n"),
    "true": (["true"], ""),
    "cmp": (["cmp", "-s", "words", "link"], ""),
    "test": (["test", "-L", "link"], ""),
}


@pytest.mark.parametrize("name", APPLETS)
def test_applet(busybox: Program, name: str, folder: Path) -> None:
    arguments, expected = APPLETS[name]
    busybox.prints(expected, *arguments, folder=folder)


def test_date_after_2038(busybox: Program, folder: Path) -> None:
    arguments = ["date", "-u", "-d", "@5000000000", "+%Y-%m-%d %H:%M:%S"]
    if busybox.cpu not in ("x86", "arm", "mipsel"):
        busybox.prints("2128-06-11 08:53:20\n", *arguments, folder=folder)
    else:  # these were built with a time_t of 32 bits
        with pytest.raises(AssertionError, match="date: invalid date '@5000000000'"):
            busybox.prints("", *arguments, folder=folder, status=1)


def test_ls(busybox: Program, folder: Path) -> None:
    owner = f"{os.getuid():<8} {os.getgid():<8}"
    expected = "".join(
        f"{kind} {links:>4} {owner} {size:>9} Sep  9  2001 {name}\n"
        for kind, links, size, name in [
            ("-rwxr-xr-x", 1, len(NOISE), "noise"),
            ("-rw-r-----", 1, len(WORDS), "words"),
        ]
    )
    busybox.prints(expected, "ls", "-ln", "noise", "words", folder=folder)
    busybox.prints("changed\nlink\nnoise\nsub\nwords\n", "ls", "-1", folder=folder)


def test_od(busybox: Program, folder: Path) -> None:
    (folder / "bytes").write_bytes(bytes(range(20)))
    expected = f"000000 {' '.join(f'{n:02x}' for n in range(16))}\n000010 10 11 12 13\n000014\n"
    busybox.prints(expected, "od", "-A", "x", "-t", "x1", "bytes", folder=folder)
    busybox.prints(
        "00000000  61 62 0a                                          |ab.|\n00000003\n",
        "hexdump",
        "-C",
        folder=folder,
        stdin=b"ab\n",
    )


def test_tr_and_uniq(busybox: Program, folder: Path) -> None:
    busybox.prints("HELLO\n", "tr", "a-z", "A-Z", folder=folder, stdin=b"hello\n")
    busybox.prints("      2 a\n      1 b\n", "uniq", "-c", folder=folder, stdin=b"a\na\nb\n")


def test_diff(busybox: Program, folder: Path) -> None:
    expected = "--- words\n+++ changed\n@@ -14,7 +14,7 @@\n" + "".join(f" {line}" for line in LINES[13:16])
    expected += "-17 odd 289\n+17 odd 290\n" + "".join(f" {line}" for line in LINES[17:20])
    busybox.prints(
        expected, "diff", "-U", "3", "-L", "words", "-L", "changed", "words", "changed", folder=folder, status=1
    )


def test_gzip_round_trip(busybox: Program, folder: Path) -> None:
    busybox.prints("", "gzip", "noise", folder=folder)
    assert gzip.decompress((folder / "noise.gz").read_bytes()) == NOISE
    busybox.prints(WORDS, "gunzip", "-c", folder=folder, stdin=gzip.compress(WORDS.encode()))
    busybox.prints("", "gunzip", "noise.gz", folder=folder)
    assert (folder / "noise").read_bytes() == NOISE


def test_tar_creates(busybox: Program, folder: Path) -> None:
    busybox.prints("", "tar", "cf", "all.tar", "words", "link", "sub", folder=folder)
    with tarfile.open(folder / "all.tar") as archive:
        assert sorted(archive.getnames()) == ["link", "sub", "sub/deep", "sub/deep/file.txt", "sub/other.c", "words"]
        assert archive.extractfile("words").read() == WORDS.encode()  # type: ignore[union-attr]
        assert archive.getmember("words").mtime == 1_000_000_000


def test_tar_extracts(busybox: Program, folder: Path) -> None:
    with tarfile.open(folder / "all.tar", "w") as archive:
        for name in ("words", "link", "sub", "noise"):
            archive.add(folder / name, arcname=f"new/{name}")
    with tarfile.open(folder / "all.tar") as archive:
        names = "".join(f"{member.name}{'/' if member.isdir() else ''}\n" for member in archive.getmembers())
    busybox.prints(names, "tar", "xvf", "all.tar", folder=folder)
    assert (folder / "new/noise").read_bytes() == NOISE
    assert (folder / "new/link").readlink() == Path("words")
    assert (folder / "new/sub").stat().st_mode & 0o777 == 0o750
    assert (folder / "new/words").stat().st_mtime == 1_000_000_000


def test_files_are_changed(busybox: Program, folder: Path) -> None:
    busybox.prints("", "cp", "-a", "sub", "copy", folder=folder)
    assert (folder / "copy/deep/file.txt").read_text() == "deep\n"
    busybox.prints("", "mv", "copy/other.c", "copy/deep/moved.c", folder=folder)
    busybox.prints("", "chmod", "600", "copy/deep/moved.c", folder=folder)
    assert (folder / "copy/deep/moved.c").stat().st_mode & 0o777 == 0o600
    busybox.prints("", "sed", "-i", "s/int/long/", "copy/deep/moved.c", folder=folder)
    assert (folder / "copy/deep/moved.c").read_text() == "long x;\n"
    busybox.prints("", "touch", "-d", "@1234567890", "copy/deep/moved.c", folder=folder)
    assert (folder / "copy/deep/moved.c").stat().st_mtime == 1_234_567_890
    busybox.prints("", "rm", "-r", "copy", folder=folder)
    assert not (folder / "copy").exists()


def test_dd(busybox: Program, folder: Path) -> None:
    busybox.prints("", "dd", "if=noise", "of=part", "bs=1000", "skip=3", "count=7", "status=none", folder=folder)
    assert (folder / "part").read_bytes() == NOISE[3000:10000]


def test_what_is_missing_is_told(busybox: Program, folder: Path) -> None:
    with pytest.raises(AssertionError, match="cat: can't open 'missing': No such file or directory"):
        busybox.prints("", "cat", "missing", folder=folder, status=1)


def test_xargs(busybox: Program, folder: Path) -> None:
    busybox.prints("a b\nc\n", "xargs", "-n", "2", "echo", folder=folder, stdin=b"a b c")


def test_pipeline(busybox: Program, folder: Path) -> None:
    busybox.prints("150\n", "sh", "-c", "grep odd words | wc -l", folder=folder)
