"""Code that outlives its program: which frames the next one gets, and which it must not."""

import os

import pytest

from compat.memory import PAGE, AddressSpace, Ram

READ, WRITE, EXECUTE = 1, 2, 4
CODE = READ | EXECUTE
PLACE = 0x40000


@pytest.fixture
def space():
    return AddressSpace(Ram(1 << 24), top=1 << 24)


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "library"
    path.write_bytes(b"a" * PAGE + b"b" * PAGE)
    return path


def begin(space, path, protection=CODE, *, address=PLACE, offset=0):
    """Map the file's code as a new program does, and run some of it; returns its frame."""
    fd = os.open(path, os.O_RDONLY)
    try:
        backing = space.backings.get(fd, bytes(path), writable=False)
    finally:
        os.close(fd)
    space.map(PAGE, protection, address=address, fixed=True, backing=backing, offset=offset)
    return space.fill(address, EXECUTE)[0]


def end(space):
    """Exchange the program; returns the frames of which the CPU must forget the code."""
    space.clear()
    stale = [frame for frame, _ in space.stale]
    space.stale.clear()
    return stale


def test_next_program_gets_the_same_frame(space, library):
    frame = begin(space, library)
    assert end(space) == []
    assert space.flush
    assert (space.used, space.mapped) == (0, 0)
    assert begin(space, library) == frame
    assert space.read(PLACE, 1) == b"a"
    assert space.used == PAGE


def test_it_is_forgotten_when_the_next_program_has_no_use_for_it(space, library):
    frame = begin(space, library)
    end(space)
    assert end(space) == [frame]
    assert begin(space, library) == frame  # free again, and laid anew
    assert space.stale == []


def test_unmapped_code_is_forgotten(space, library):
    begin(space, library)
    end(space)
    frame = begin(space, library)
    space.unmap(PLACE, PAGE)
    assert space.stale == [(frame, PAGE)]


@pytest.mark.parametrize("other", [{"address": 2 * PLACE}, {"offset": PAGE}, {"protection": CODE | WRITE}])
def test_other_place_or_part_or_rights(space, library, other):
    frame = begin(space, library)
    end(space)
    assert begin(space, library, **other) != frame
    assert space.read(other.get("address", PLACE), 1) == (b"b" if "offset" in other else b"a")


def test_other_file_of_the_same_name(space, library, tmp_path):
    begin(space, library)
    end(space)
    (tmp_path / "new").write_bytes(b"n" * PAGE)
    (tmp_path / "new").rename(library)
    begin(space, library)
    assert space.read(PLACE, 1) == b"n"


def test_file_changed_while_its_code_ran(space, library):
    frame = begin(space, library)
    os.utime(library, ns=(0, 0))
    assert end(space) == [frame]


def test_file_changed_between_two_programs(space, library):
    frame = begin(space, library)
    end(space)
    os.utime(library, ns=(0, 0))
    assert begin(space, library) != frame


def test_code_that_a_program_wrote_to_is_not_kept(space, library):
    frame = begin(space, library)
    space.protect(PLACE, PAGE, READ | WRITE)
    space.write(PLACE, b"z")
    space.protect(PLACE, PAGE, CODE)
    space.stale.clear()
    space.fill(PLACE, EXECUTE)
    assert end(space) == [frame]
    begin(space, library)
    assert space.read(PLACE, 1) == b"a"


def test_no_room_for_what_is_claimed(space, library):
    frame = begin(space, library)
    end(space)
    space.limit = 0
    with pytest.raises(OSError, match="memory limit"):
        begin(space, library)
    assert space.stale == [(frame, PAGE)]
    space.limit = PAGE
    assert begin(space, library) == frame
