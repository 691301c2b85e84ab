"""The cache of Images: warm starts, and no trust in what lies on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import loaders.cache
from compat.data import fields
from compat.errors import BadFile
from compat.image import ElfDetails, Image
from loaders.cache import Cache
from loaders.detect import detect
from loaders.source import Source
from tests.loaders.splice import find, put, sample, sample_names

WARM = """
import sys
from loaders.cache import Cache
from loaders.detect import detect
from loaders.source import open_source
with open_source(sys.argv[1]) as source:
    print(detect(source, cache=Cache(sys.argv[2])))
print("elftools" in sys.modules)
"""


def images(data: bytes, cache: Cache) -> tuple[object, object]:
    return detect(Source.of_bytes(data, "prog")), detect(Source.of_bytes(data, "prog"), cache=cache)


@pytest.mark.parametrize("name", sample_names())
def test_cold_and_warm_are_equal(name: str, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    for _ in range(2):
        plain, cached = images(sample(name), cache)
        assert cached == plain
    assert len(list(tmp_path.iterdir())) == 1


def test_a_warm_start_does_not_import_pyelftools(tmp_path: Path) -> None:
    program = Path(__file__).parent / "data" / "dynamic-arm"
    command = [sys.executable, "-c", WARM, str(program), str(tmp_path)]
    cold, warm = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert cold.endswith("\nTrue\n")
    assert warm == cold.replace("\nTrue\n", "\nFalse\n")


def test_any_byte_that_the_image_comes_from_makes_the_entry_stale(tmp_path: Path) -> None:
    data = sample("dynamic-x86_64")
    cache = Cache(str(tmp_path))
    images(data, cache)
    for changed in (
        data.replace(b"libc.so.6", b"libX.so.6"),
        data.replace(b"ld-linux-x86-64", b"LD-linux-x86-64"),
        data.replace(b"GNU\0\0\0\0\0\2", b"GNU\0\0\0\0\0\3"),
    ):
        assert changed != data
        plain, cached = images(changed, cache)
        assert cached == plain != detect(Source.of_bytes(data, "prog"))


def test_entries_that_are_damaged_or_forged_are_written_anew(tmp_path: Path) -> None:
    data = sample("dynamic-x86_64")
    cache = Cache(str(tmp_path))
    plain, _ = images(data, cache)
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    forged = [good[:100], b"", b"null", b"\t" * 100_000, good.replace(b"x86-64", b"\xff86\t64")]
    for old, new in (
        (b"\nwitness\t", b"\nwitness\tx"),
        (b"\nwitness\t0 7f", b"\nwitness\t0 80"),
        (b"\nneeded\t", b"\nwanted\t"),
        (b"\nentry\t", b"\nentry\tx"),
        (b"\nkind\tdynamic", b"\nkind\tnew"),
        (b"\ntls", b"\ntls\t1"),
        (b"\nelf\t", b"\nelf\tx"),
        (b"\ninterpreter\t", b"\ninterpreter\t1"),
    ):
        assert old in good
        forged.append(good.replace(old, new))
    for text in forged:
        path.write_bytes(text)
        assert images(data, cache)[1] == plain
        assert path.read_bytes() == good


def test_every_field_is_kept(tmp_path: Path) -> None:
    image = detect(Source.of_bytes(sample("dynamic-x86_64"), "prog"))
    assert isinstance(image, Image)
    kept = loaders.cache._fields(image)
    assert kept.keys() | {"format", "segments", "pe"} == set(fields(Image))
    assert len(kept["elf"]) == len(fields(ElfDetails)) - 1 + len(image.elf.properties)


def test_a_name_that_would_break_a_line_is_not_kept(tmp_path: Path) -> None:
    data = sample("dynamic-x86_64").replace(b"libc.so.6", b"libc\n.so6")
    plain, cached = images(data, Cache(str(tmp_path)))
    assert cached == plain
    assert list(tmp_path.iterdir()) == []


def test_segments_never_come_from_the_cache(tmp_path: Path) -> None:
    data = sample("static-x86")
    cache = Cache(str(tmp_path))
    images(data, cache)
    (path,) = tmp_path.iterdir()
    assert b"segments" not in path.read_bytes().partition(b"\n")[2]
    huge = put(data, "p_memsz", 0x8000_0000, find(data, 1, 3))
    images(huge, cache)
    with pytest.raises(BadFile, match="more than 0x1000"):
        detect(Source.of_bytes(huge, "prog"), cache=cache, memory_limit=0x1000)


def test_a_folder_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    plain, cached = images(sample("static-x86"), Cache(str(tmp_path / "file" / "cache")))
    assert cached == plain


def test_the_folder_is_kept_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders.cache, "MAX_ENTRIES", 4)
    cache = Cache(str(tmp_path))
    for number in range(10):
        images(put(sample("static-x86"), "e_flags", number), cache)
    assert len(os.listdir(tmp_path)) <= 4


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/compat/images"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/compat/images"),
        ({"HOME": "/h"}, "/h/.cache/compat/images"),
    ],
)
def test_the_folder_is_where_xdg_says(environ: dict[str, str], folder: str) -> None:
    cache = Cache.of_user(environ)
    assert cache is not None
    assert cache._folder == folder


def test_without_a_home_there_is_no_cache() -> None:
    assert Cache.of_user({}) is None
