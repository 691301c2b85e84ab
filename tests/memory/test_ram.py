"""Frames: never given twice, zero when fresh, joined when freed; and what is laid over them."""

import errno
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.memory import PAGE, Ram
from compat.memory.frames import Frames

SIZE = 1 << 24


@pytest.fixture
def ram():
    return Ram(SIZE)


def test_frame_zero_is_never_given(ram):
    assert ram.take(PAGE) >= PAGE


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 99)), max_size=200))
def test_ranges_never_overlap_and_join_again(steps):
    frames = Frames(PAGE, PAGE * 256)
    held: list[tuple[int, int]] = []
    for pages, free, pick in steps:
        if free and held:
            frames.give_back(*held.pop(pick % len(held)))
            continue
        size = pages * PAGE
        try:
            start = frames.take(size, after=held[pick % len(held)][0] + size if held else None)
        except OSError as error:
            assert error.errno == errno.ENOMEM
            continue
        assert PAGE <= start <= PAGE * 256 - size
        assert all(start + size <= s or s + n <= start for s, n in held)
        held.append((start, size))
    for start, size in held:
        frames.give_back(start, size)
    assert frames.take(PAGE * 255) == PAGE


def test_the_range_wished_for_is_given_if_it_is_free(ram):
    first = ram.take(PAGE)
    assert ram.take(PAGE, after=first + PAGE) == first + PAGE
    assert ram.take(PAGE, after=first + PAGE) != first + PAGE
    ram.give_back(first, PAGE, laid=False)
    assert ram.take(PAGE, after=first) == first


def test_too_much_is_refused(ram):
    with pytest.raises(OSError) as caught:
        ram.take(SIZE)
    assert caught.value.errno == errno.ENOMEM


@pytest.mark.parametrize("kind", ["plain", "shared", "file"])
def test_freed_frames_are_zero(ram, tmp_path, kind):
    path = tmp_path / "file"
    path.write_bytes(b"x" * PAGE)
    start = ram.take(PAGE)
    if kind == "shared":
        ram.lay_shared(start, PAGE)
    elif kind == "file":
        with path.open("rb") as file:
            ram.lay_file(start, PAGE, file.fileno(), 0, shared=False, writable=True)
        assert ram.map[start] == ord("x")
    ram.view[start : start + 4] = b"full"
    ram.give_back(start, PAGE, laid=kind != "plain")
    assert ram.take(PAGE) == start
    assert ram.map[start : start + PAGE] == bytes(PAGE)
    ram.view[start : start + 4] = b"mine"
    assert path.read_bytes() == b"x" * PAGE


def test_clear_makes_zeros(ram):
    start = ram.take(2 * PAGE)
    ram.view[start : start + 2 * PAGE] = b"a" * (2 * PAGE)
    ram.clear(start, PAGE)
    assert ram.map[start : start + 2 * PAGE] == bytes(PAGE) + b"a" * PAGE


def test_a_host_with_large_pages_copies_private_files(ram, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc" * PAGE)
    ram.granule = 4 * PAGE
    start = ram.take(2 * PAGE)
    with path.open("rb") as file:
        ram.lay_file(start, 2 * PAGE, file.fileno(), 2 * PAGE, shared=False, writable=True)
        assert ram.map[start : start + 2 * PAGE] == (b"abc" * PAGE)[2 * PAGE :] + bytes(PAGE)
        with pytest.raises(OSError) as caught:
            ram.lay_file(start, PAGE, file.fileno(), 0, shared=True, writable=False)
    assert caught.value.errno == errno.ENODEV
    ram.give_back(start, 2 * PAGE, laid=True)
    assert ram.map[start : start + 2 * PAGE] == bytes(2 * PAGE)


def test_the_host_refuses_what_it_cant_map(ram):
    read_end, write_end = os.pipe()
    with pytest.raises(OSError) as caught:
        ram.lay_file(ram.take(PAGE), PAGE, read_end, 0, shared=False, writable=False)
    assert caught.value.errno in (errno.ENODEV, errno.EACCES)
    os.close(read_end)
    os.close(write_end)


def test_resident_tells_touched_pages(ram):
    start = ram.take(4 * PAGE)
    ram.view[start + PAGE] = 1
    vector = ram.resident(start, 4 * PAGE)
    assert len(vector) == 4
    assert vector[1] & 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which pages are shared")
def test_pages_shared_since_a_fork(ram):
    start = ram.take(4 * PAGE)
    ram.view[start : start + 3 * PAGE] = b"x" * (3 * PAGE)
    assert ram.shared_pages(start, 4 * PAGE) == 0
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.read(reader, 1)
        os._exit(0)
    ram.view[start] = 1  # the parent has its own copy of this page again
    shared = ram.shared_pages(start, 4 * PAGE)
    os.write(writer, b"x")
    os.waitpid(child, 0)
    assert shared == 2
