"""The address space against a model of pages, and each of its promises on its own."""

import errno
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from compat.errors import MemoryFault
from compat.memory import PAGE, AddressSpace, Mark, Ram

READ, WRITE, EXECUTE = 1, 2, 4
RW = READ | WRITE
BOTTOM, TOP = 16 * PAGE, 80 * PAGE
LIMIT = 40 * PAGE


@pytest.fixture
def space():
    return AddressSpace(Ram(1 << 24), top=TOP, bottom=BOTTOM, limit=LIMIT)


@pytest.fixture
def big():
    return AddressSpace(Ram(1 << 36), top=1 << 47)


def error_of(call, *arguments, **options):
    with pytest.raises(OSError) as caught:
        call(*arguments, **options)
    return caught.value.errno


def backing(space, path, *, writable=False, text=None):
    if text is not None:
        path.write_bytes(text)
    fd = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
    try:
        return space.backings.get(fd, bytes(path), writable=writable)
    finally:
        os.close(fd)


pages = st.integers(BOTTOM // PAGE - 2, TOP // PAGE + 1)
counts = st.integers(1, 12)
protections = st.integers(0, 7)


class Page:
    """What the model knows of one page."""

    def __init__(self, protection, content=b"", framed=False):
        self.protection = protection
        self.content = bytearray(content or PAGE)
        self.framed = framed or protection != 0


class Spaces(RuleBasedStateMachine):
    """Random edits of private memory; the model is a dict of pages."""

    def __init__(self):
        super().__init__()
        self.space = AddressSpace(Ram(1 << 24), top=TOP, bottom=BOTTOM, limit=LIMIT)
        self.model: dict[int, Page] = {}
        self.translated: dict[int, tuple[int, int]] = {}

    def settle(self):
        """What the CPU does after each trap."""
        if self.space.flush:
            self.translated.clear()
            self.space.flush = False
        self.space.stale.clear()

    def framed(self, without=()):
        return sum(PAGE for n, page in self.model.items() if page.framed and n not in without)

    @rule(page=pages, count=counts, protection=protections, fixed=st.booleans(), replace=st.booleans())
    def map(self, page, count, protection, fixed, replace):
        wanted = range(page, page + count)
        try:
            at = self.space.map(count * PAGE, protection, address=page * PAGE, fixed=fixed, replace=replace)
        except OSError as error:
            outside = page * PAGE < BOTTOM or (page + count) * PAGE > TOP
            taken = not replace and any(n in self.model for n in wanted)
            full = self.framed(wanted if fixed else ()) + (count * PAGE if protection else 0) > LIMIT
            crowded = not fixed and not self.has_gap(count)
            assert (fixed and (outside or taken)) or full or crowded, error
            return
        first = at // PAGE
        if fixed:
            assert first == page
        else:
            assert not any(n in self.model for n in range(first, first + count))
        assert BOTTOM <= at <= TOP - count * PAGE
        for n in range(first, first + count):
            self.model[n] = Page(protection)

    def has_gap(self, count):
        free = [n not in self.model for n in range(BOTTOM // PAGE, TOP // PAGE)]
        return any(all(free[k : k + count]) for k in range(len(free) - count + 1))

    @rule(page=pages, count=counts)
    def unmap(self, page, count):
        self.space.unmap(page * PAGE, count * PAGE)
        for n in range(page, page + count):
            self.model.pop(n, None)

    @rule(page=pages, count=counts, protection=protections)
    def protect(self, page, count, protection):
        wanted = range(page, page + count)
        hole = next((n for n in wanted if n not in self.model), None)
        try:
            self.space.protect(page * PAGE, count * PAGE, protection)
        except OSError as error:
            assert error.errno == errno.ENOMEM
            if hole is None:
                self.adopt(wanted, protection)
                return
        else:
            assert hole is None
        for n in wanted:
            if n == hole:
                break
            known = self.model[n]
            known.protection = protection
            known.framed |= protection != 0

    def adopt(self, wanted, protection):
        """The memory limit stopped mprotect half-way, as Linux may: see how far it came."""
        needed = sum(PAGE for n in wanted if not self.model[n].framed)
        assert protection
        assert self.framed() + needed > LIMIT
        for n in wanted:
            known = self.model[n]
            if self.space.rights(n * PAGE) != known.protection:
                known.protection = protection
                known.framed = True

    @rule(page=pages, old=counts, new=counts, may_move=st.booleans(), goal=st.none() | pages, keep=st.booleans())
    def move(self, page, old, new, may_move, goal, keep):
        keep = keep and old == new
        before = {n: self.model[n] for n in range(page, page + old) if n in self.model}
        place = None if goal is None else goal * PAGE
        try:
            at = self.space.move(page * PAGE, old * PAGE, new * PAGE, place, may_move=may_move, keep=keep)
        except OSError as error:
            assert error.errno in (errno.EFAULT, errno.EINVAL, errno.ENOMEM, errno.EPERM)
            assert error.errno != errno.EFAULT or len(before) < old or len({p.protection for p in before.values()}) > 1
            return
        assert len(before) == old
        first = at // PAGE
        last = before[page + old - 1]
        moved = first != page or goal is not None
        for n in range(page, page + old):
            self.model.pop(n)
        for k in range(new):
            grown = Page(last.protection, framed=last.framed)
            self.model[first + k] = before[page + k] if k < old else grown
        if keep and moved:
            for n, known in before.items():
                self.model[n] = Page(known.protection, framed=known.framed)

    @rule(page=pages, count=counts)
    def discard(self, page, count):
        try:
            self.space.discard(page * PAGE, count * PAGE)
        except OSError as error:
            assert error.errno == errno.ENOMEM
            assert any(n not in self.model for n in range(page, page + count))
        for n in range(page, page + count):
            if n in self.model:
                self.model[n].content = bytearray(PAGE)

    @rule(page=pages, skip=st.integers(0, PAGE - 1), data=st.binary(max_size=3), repeat=st.integers(1, 4000))
    def write(self, page, skip, data, repeat):
        data *= repeat
        address = page * PAGE + skip
        try:
            self.space.write(address, data)
        except MemoryFault as fault:
            n = fault.address // PAGE
            assert n not in self.model or not self.model[n].protection & WRITE
            assert fault.mapped == (n in self.model)
            assert not fault.beyond_file
            data = data[: fault.address - address]
        for k, byte in enumerate(data):
            at = address + k
            assert self.model[at // PAGE].protection & WRITE
            self.model[at // PAGE].content[at % PAGE] = byte

    @rule(page=pages, skip=st.integers(-PAGE, PAGE), size=st.integers(0, 3 * PAGE))
    def read(self, page, skip, size):
        address = page * PAGE + skip
        try:
            got = self.space.read(address, size)
        except MemoryFault as fault:
            assert address <= fault.address < address + size
            known = self.model.get(fault.address // PAGE)
            assert known is None or not known.protection
            return
        expected = b"".join(
            bytes(self.model[n].content) if n in self.model else bytes(PAGE)
            for n in range(address // PAGE, (address + size) // PAGE + 1)
        )
        assert got == expected[address % PAGE : address % PAGE + size]
        assert b"".join(bytes(v) for v in self.space.views(address, size, False)) == got

    @rule(page=pages, access=st.sampled_from([READ, WRITE, EXECUTE]))
    def fill(self, page, access):
        found = self.space.fill(page * PAGE, access)
        known = self.model.get(page)
        rights = known.protection if known else 0
        allowed = rights | READ if rights else 0
        assert (found is not None) == bool(allowed & access)
        if found:
            assert found[1] & access
            assert not found[1] & ~allowed
            assert found[1] & (WRITE | EXECUTE) != WRITE | EXECUTE
            self.translated[page] = found

    @invariant()
    def nothing_overlaps_and_every_byte_is_right(self):
        self.settle()
        frames: set[int] = set()
        seen: dict[int, int] = {}
        for area in self.space.areas:
            assert BOTTOM <= area.start < area.end <= TOP
            for address in range(area.start, area.end, PAGE):
                assert address // PAGE not in seen
                seen[address // PAGE] = area.protection
                known = self.model[address // PAGE]
                assert (area.frame is not None) == known.framed
                if area.frame is not None:
                    frame = area.frame + address - area.start
                    assert frame >= PAGE
                    assert frame not in frames
                    frames.add(frame)
                    assert self.space.ram.map[frame : frame + PAGE] == known.content
        assert seen == {n: known.protection for n, known in self.model.items()}

    @invariant()
    def the_books_are_right(self):
        assert self.space.used == self.framed() <= LIMIT
        assert self.space.mapped == len(self.model) * PAGE

    @invariant()
    def translations_not_flushed_still_hold(self):
        for page, (frame, rights) in self.translated.items():
            now = self.space.areas.find(page * PAGE)
            assert now is not None
            assert now.frame + page * PAGE - now.start == frame
            allowed = now.protection | (READ if now.protection else 0)
            assert not rights & ~allowed


TestSpaces = Spaces.TestCase
TestSpaces.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


# --- hostile numbers ---

HOSTILE = [0, -1, -PAGE, 1, (1 << 32) - PAGE, 1 << 47, (1 << 64) - PAGE, (1 << 64) - 1, 1 << 64, TOP, TOP - PAGE]


@pytest.mark.parametrize("address", HOSTILE)
@pytest.mark.parametrize("size", HOSTILE)
def test_hostile_numbers_give_errors_not_accidents(space, address, size):
    kept = space.map(2 * PAGE, RW, address=BOTTOM, fixed=True)
    for call in (
        lambda: space.map(size, RW, address=address),
        lambda: space.map(size, RW, address=address, fixed=True),
        lambda: space.map(size, RW, address=address, fixed=True, replace=False),
        lambda: space.protect(address, size, READ),
        lambda: space.discard(address, size),
        lambda: space.mark(address, size, add=Mark.LOCKED),
        lambda: space.move(address, size, PAGE, None, may_move=True),
        lambda: space.move(kept, PAGE, size, address, may_move=True),
        lambda: space.read(address, size),
        lambda: space.views(address, size, True),
        lambda: space.write(address, b"data"),
        lambda: space.string(address, size),
        lambda: space.unmap(address, size),
        lambda: space.fill(address, READ),
        lambda: space.explain(address, "read"),
    ):
        try:
            call()
        except (OSError, MemoryFault):
            pass


def test_a_read_without_end_is_refused(big):
    size = 1 << 33
    at = big.map(size, RW)
    assert error_of(big.read, at, size) == errno.ENOMEM


# --- size and number ---


def test_reservations_of_terabytes_cost_nothing(big):
    at = big.map(8 << 40, 0)
    assert (big.used, big.mapped, len(big.areas)) == (0, 8 << 40, 1)
    big.protect(at + (1 << 40), PAGE, RW)
    assert big.used == PAGE
    big.write(at + (1 << 40), b"here")
    assert error_of(big.protect, at, 8 << 40, RW) == errno.ENOMEM
    assert big.read(at + (1 << 40), 4) == b"here"
    big.unmap(at, 8 << 40)
    assert (big.used, big.mapped) == (0, 0)


def test_memory_once_accessible_stays_charged(space):
    at = space.map(LIMIT, RW)
    space.protect(at, LIMIT, 0)
    assert error_of(space.map, PAGE, RW) == errno.ENOMEM
    space.unmap(at, PAGE)
    space.map(PAGE, RW)


def test_replacing_needs_no_second_charge(space):
    at = space.map(LIMIT, RW)
    assert space.map(LIMIT, READ, address=at, fixed=True) == at
    assert space.used == LIMIT


def test_a_refused_mapping_changes_nothing(space):
    at = space.map(30 * PAGE, RW)
    space.write(at, b"old")
    assert error_of(space.map, 45 * PAGE, RW, address=at, fixed=True) == errno.ENOMEM
    assert error_of(space.move, at, 30 * PAGE, 45 * PAGE, None, may_move=True) == errno.ENOMEM
    assert space.read(at, 3) == b"old"
    assert (space.used, space.mapped) == (30 * PAGE, 30 * PAGE)


def test_areas_that_grow_upwards_stay_one(space):
    first = space.map(PAGE, RW, address=BOTTOM, fixed=True)
    space.map(PAGE, RW, address=first + PAGE, fixed=True)
    assert len(space.areas) == 1


def test_what_was_just_used_is_gone_when_it_is_unmapped(space):
    at = space.map(PAGE, RW)
    assert space.read(at, 1) == b"\0"
    space.unmap(at, PAGE)
    for call in (lambda: space.read(at, 1), lambda: space.write(at, b"x"), lambda: space.string(at, 4)):
        with pytest.raises(MemoryFault):
            call()
    assert space.fill(at, READ) is None


def test_what_was_just_used_is_found_in_what_it_was_joined_with(space):
    first = space.map(2 * PAGE, READ | EXECUTE, address=BOTTOM, fixed=True)
    space.unmap(first, PAGE)
    space.read(first + PAGE, 1)
    space.map(PAGE, READ | EXECUTE, address=first, fixed=True)
    assert len(space.areas) == 1
    space.fill(first + PAGE, EXECUTE)
    assert space.areas.find(first).executed


def test_moving_and_shrinking_leaves_nothing_behind(space):
    at = space.map(3 * PAGE, RW, address=BOTTOM, fixed=True)
    space.write(at, b"moved")
    to = space.move(at, 3 * PAGE, PAGE, BOTTOM + 20 * PAGE, may_move=True)
    assert space.read(to, 5) == b"moved"
    assert [(area.start, area.end) for area in space.areas] == [(to, to + PAGE)]
    assert space.used == space.mapped == PAGE


# --- files ---


def test_private_file_pages_are_copied_on_write(space, tmp_path):
    file = backing(space, tmp_path / "f", text=b"old!" * PAGE)
    at = space.map(4 * PAGE, RW, backing=file)
    space.write(at + PAGE, b"new!")
    assert space.read(at + PAGE, 8) == b"new!old!"
    assert (tmp_path / "f").read_bytes()[PAGE : PAGE + 4] == b"old!"
    space.discard(at, 4 * PAGE)
    assert space.read(at + PAGE, 8) == b"old!old!"


def test_shared_file_pages_reach_the_file_and_offsets_hold(space, tmp_path):
    file = backing(space, tmp_path / "f", writable=True, text=bytes(4 * PAGE))
    at = space.map(2 * PAGE, RW, backing=file, offset=2 * PAGE, shared=True)
    space.write(at + PAGE, b"seen")
    assert (tmp_path / "f").read_bytes()[3 * PAGE : 3 * PAGE + 4] == b"seen"
    space.unmap(at, PAGE)
    assert space.read(at + PAGE, 4) == b"seen"
    assert space.areas.find(at + PAGE).offset == 3 * PAGE
    assert space.used == 0


def test_a_read_only_file_is_never_mapped_shared_and_writable(space, tmp_path):
    file = backing(space, tmp_path / "f", text=bytes(PAGE))
    assert error_of(space.map, PAGE, RW, backing=file, shared=True) == errno.EACCES
    at = space.map(PAGE, READ, backing=file, shared=True)
    assert error_of(space.protect, at, PAGE, RW) == errno.EACCES


def test_beyond_the_last_page_of_a_file_is_a_bus_error(space, tmp_path):
    file = backing(space, tmp_path / "f", writable=True, text=b"x" * (PAGE + 1))
    at = space.map(4 * PAGE, RW, backing=file, shared=True)
    assert space.fill(at + PAGE, WRITE) is not None
    assert space.fill(at + 2 * PAGE, READ) is None
    assert space.read(at + PAGE, PAGE) == b"x" + bytes(PAGE - 1)
    for call in (
        lambda: space.read(at, 2 * PAGE + 1),
        lambda: space.write(at + 2 * PAGE, b"y"),
        lambda: space.views(at, 4 * PAGE, True),
        lambda: space.string(at + 2 * PAGE, 5),
    ):
        with pytest.raises(MemoryFault) as caught:
            call()
        assert (caught.value.address, caught.value.beyond_file, caught.value.mapped) == (at + 2 * PAGE, True, True)


def test_a_file_cut_off_under_its_mapping_faults_and_does_not_kill(space, tmp_path):
    file = backing(space, tmp_path / "f", writable=True, text=b"x" * (2 * PAGE))
    at = space.map(2 * PAGE, RW, backing=file, shared=True)
    assert space.read(at + PAGE, 1) == b"x"
    os.truncate(tmp_path / "f", 10)
    space.file_changed()
    assert space.flush
    assert space.fill(at + PAGE, READ) is None
    with pytest.raises(MemoryFault) as caught:
        space.read(at + PAGE, 1)
    assert caught.value.beyond_file
    assert space.read(at, 11) == b"x" * 10 + b"\0"


def test_a_file_cut_off_by_somebody_else_does_not_kill(space, tmp_path):
    file = backing(space, tmp_path / "f", writable=True, text=b"x" * (2 * PAGE))
    at = space.map(2 * PAGE, RW, backing=file, shared=True)
    assert space.read(at + PAGE, 4) == b"xxxx"

    def child():
        os.truncate(tmp_path / "f", 0)
        lost = space.read(at + PAGE, 4) == bytes(4)
        return lost and space.flush and space.fill(at, READ) is None

    assert in_child(child) == 0


def test_a_file_is_kept_open_once_however_often_it_is_mapped(big, tmp_path):
    (tmp_path / "f").write_bytes(bytes(PAGE))
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    assert times_open(tmp_path / "f") == 1
    places = [big.map(PAGE, READ, backing=big.backings.get(fd, b"/f", writable=False)) for _ in range(50)]
    assert times_open(tmp_path / "f") == 2
    for at in places:
        big.unmap(at, PAGE)
    assert times_open(tmp_path / "f") == 1
    os.close(fd)


def times_open(path):
    wanted = path.stat()
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.path.samestat(os.stat(int(name)), wanted)
        except OSError:
            pass  # the descriptor of the folder itself
    return found


def test_a_file_grows_with_its_mapping(space, tmp_path):
    file = backing(space, tmp_path / "f", text=b"".join(bytes([n]) * PAGE for n in range(4)))
    at = space.map(PAGE, READ, address=BOTTOM, fixed=True, backing=file, offset=PAGE)
    assert space.move(at, PAGE, 2 * PAGE, None, may_move=False) == at
    assert space.read(at + PAGE, 1) == b"\2"
    elsewhere = space.move(at, 2 * PAGE, 3 * PAGE, at + 20 * PAGE, may_move=True)
    assert [space.read(elsewhere + k * PAGE, 1) for k in range(3)] == [b"\1", b"\2", b"\3"]


# --- code ---


def test_code_written_over_is_stale(space):
    at = space.map(2 * PAGE, RW | EXECUTE)
    assert space.fill(at, EXECUTE)[1] == READ | EXECUTE
    assert space.fill(at, WRITE)[1] == RW
    space.write(at + 8, b"ret")
    frame = space.areas.find(at).frame
    assert (frame + 8, 3) in space.stale
    space.stale.clear()
    space.views(at + 16, 4, True)
    assert (frame + 16, 4) in space.stale


@pytest.mark.parametrize("edit", ["unmap", "protect", "discard", "move", "replace"])
def test_code_that_goes_is_stale(space, edit):
    at = space.map(2 * PAGE, READ | EXECUTE)
    frame, _ = space.fill(at, EXECUTE)
    space.flush = False
    if edit == "unmap":
        space.unmap(at, 2 * PAGE)
    elif edit == "protect":
        space.protect(at, 2 * PAGE, RW)
    elif edit == "discard":
        space.discard(at, 2 * PAGE)
    elif edit == "move":
        space.move(at, 2 * PAGE, 2 * PAGE, BOTTOM, may_move=True)
    else:
        space.map(2 * PAGE, RW, address=at, fixed=True)
    assert (frame, 2 * PAGE) in space.stale
    assert space.flush or edit == "discard"


def test_code_in_one_mapping_of_a_file_is_stale_when_the_other_goes(space, tmp_path):
    file = backing(space, tmp_path / "f", writable=True, text=bytes(PAGE))
    data = space.map(PAGE, RW, backing=file, shared=True)
    code = space.map(PAGE, READ | EXECUTE, backing=file, shared=True)
    frame, _ = space.fill(code, EXECUTE)
    space.unmap(data, PAGE)
    assert (frame, PAGE) in space.stale


def test_code_joined_with_its_neighbour_is_not_forgotten(space):
    at = space.map(PAGE, READ | EXECUTE, address=BOTTOM, fixed=True)
    space.map(PAGE, READ | EXECUTE, address=at + PAGE, fixed=True)
    space.fill(at + PAGE, EXECUTE)
    space.map(PAGE, READ | EXECUTE, address=at + 2 * PAGE, fixed=True)
    space.fill(at + 2 * PAGE, EXECUTE)
    space.unmap(at + PAGE, 2 * PAGE)
    assert sum(size for _, size in space.stale) == 2 * PAGE


# --- strings ---


def test_strings_end_at_nul_limit_or_fault(space):
    at = space.map(PAGE, RW, address=BOTTOM, fixed=True)
    space.protect(space.map(PAGE, RW, address=at + PAGE, fixed=True), PAGE, READ)
    space.write(at + PAGE - 3, b"abc")
    assert len(space.areas) == 2
    assert space.string(at + PAGE - 3, 100) == b"abc"
    assert space.string(at + PAGE - 3, 3) is None
    assert space.string(at + PAGE - 3, 4) == b"abc"
    assert space.string(at, 0) is None
    space.unmap(at + PAGE, PAGE)
    with pytest.raises(MemoryFault) as caught:
        space.string(at + PAGE - 3, 100)
    assert caught.value.address == at + PAGE


# --- stacks, seals, forks ---


def test_a_stack_grows_down_to_its_limit_and_keeps_its_distance(big):
    big.growth = 64 * PAGE
    top = 1 << 40
    big.map(PAGE, RW, address=top, fixed=True, marks=Mark.GROWS_DOWN)
    assert big.fill(top - 9 * PAGE, WRITE) is not None
    big.write(top - 20 * PAGE, b"deep")
    assert big.read(top - 20 * PAGE, 4) == b"deep"
    assert big.areas.find(top - 20 * PAGE).start == top - 20 * PAGE
    assert big.fill(top - 65 * PAGE, WRITE) is None
    other = (1 << 39) + PAGE
    big.map(PAGE, RW, address=1 << 39, fixed=True)
    big.map(PAGE, RW, address=other + 260 * PAGE, fixed=True, marks=Mark.GROWS_DOWN)
    assert big.fill(other + 256 * PAGE, WRITE) is not None
    assert big.fill(other + 255 * PAGE, WRITE) is None


def test_a_sealed_area_stays_as_it_is(space):
    at = space.map(2 * PAGE, READ, address=BOTTOM, fixed=True)
    space.mark(at, PAGE, add=Mark.SEALED)
    assert error_of(space.unmap, at, 2 * PAGE) == errno.EPERM
    assert error_of(space.protect, at, PAGE, RW) == errno.EPERM
    assert error_of(space.map, PAGE, RW, address=at, fixed=True) == errno.EPERM
    assert error_of(space.move, at, PAGE, PAGE, at + 8 * PAGE, may_move=True) == errno.EPERM
    space.clear()
    assert len(space.areas) == 0


def in_child(call):
    """The exit status of *call* in a fork of this process: 0 if it returned true."""
    pid = os.fork()
    if pid == 0:
        status = 2
        try:
            status = 0 if call() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_fork_copies_private_memory_and_shares_the_rest(space, tmp_path):
    file = backing(space, tmp_path / "f", writable=True, text=bytes(PAGE))
    private = space.map(PAGE, RW)
    shared = space.map(PAGE, RW, shared=True)
    mapped = space.map(PAGE, RW, shared=True, backing=file)
    gone = space.map(PAGE, RW, marks=Mark.NOT_FORKED)
    wiped = space.map(PAGE, RW, marks=Mark.WIPED_BY_FORK | Mark.LOCKED)
    for at in (private, shared, mapped, wiped):
        space.write(at, b"parent")

    def child():
        space.forked()
        seen = [space.read(at, 6) for at in (private, shared, mapped)]
        for at in (private, shared, mapped):
            space.write(at, b"child!")
        return (
            seen == [b"parent"] * 3
            and space.areas.find(gone) is None
            and space.read(wiped, 6) == bytes(6)
            and not space.areas.find(wiped).marks & Mark.LOCKED
        )

    assert in_child(child) == 0
    assert [space.read(at, 6) for at in (private, shared, mapped)] == [b"parent", b"child!", b"child!"]
    assert space.read(wiped, 6) == b"parent"


def test_shared_memory_outlives_an_unmap_in_the_child(space):
    at = space.map(PAGE, RW, shared=True)
    space.write(at, b"kept")
    assert in_child(lambda: space.unmap(at, PAGE) is None) == 0
    assert space.read(at, 4) == b"kept"


def test_names_and_marks_split_and_join(space):
    at = space.map(4 * PAGE, RW)
    space.rename(at + PAGE, PAGE, b"[anon:mine]")
    space.mark(at, 2 * PAGE, add=Mark.LOCKED)
    assert [(a.size // PAGE, a.name, a.marks) for a in space.areas] == [
        (1, b"", 1),
        (1, b"[anon:mine]", 1),
        (2, b"", 0),
    ]
    space.mark(at, 4 * PAGE, remove=Mark.LOCKED)
    space.rename(at, 4 * PAGE, b"")
    assert len(space.areas) == 1
    assert error_of(space.mark, at - PAGE, 2 * PAGE, add=Mark.LOCKED) == errno.ENOMEM


# --- a part of a file mapped more than once ---


def free_frames(space):
    """Whether every frame is free again."""
    taken = space.ram.take(1 << 22)
    space.ram.give_back(taken, 1 << 22, laid=False)
    return taken == PAGE


@pytest.mark.parametrize("first", [True, False])
def test_two_mappings_of_a_file_have_the_same_frames(space, tmp_path, first):
    file = backing(space, tmp_path / "file", writable=True, text=bytes(4 * PAGE))
    one = space.map(4 * PAGE, RW, shared=True, backing=file)
    other = space.map(2 * PAGE, READ | EXECUTE, shared=True, backing=file, offset=PAGE)
    assert space.fill(one + PAGE, READ)[0] == space.fill(other, EXECUTE)[0]
    assert space.fill(one, WRITE)[1] == RW | EXECUTE
    space.write(one + PAGE, b"code")
    assert space.read(other, 4) == b"code"
    assert space.stale
    for address, size in ((one, 4 * PAGE), (other, 2 * PAGE)) if first else ((other, 2 * PAGE), (one, 4 * PAGE)):
        space.unmap(address, size)
        if space.areas.find(other):
            assert space.read(other, 4) == b"code"
    assert free_frames(space)


def test_a_hole_in_one_of_two_mappings(space, tmp_path):
    file = backing(space, tmp_path / "file", writable=True, text=b"\1" * 4 * PAGE)
    one = space.map(4 * PAGE, RW, shared=True, backing=file)
    other = space.map(4 * PAGE, READ, shared=True, backing=file)
    space.unmap(one + PAGE, PAGE)
    space.unmap(other + 2 * PAGE, PAGE)
    assert space.read(other + PAGE, 1) == space.read(one + 2 * PAGE, 1) == b"\1"
    space.unmap(one, 4 * PAGE)
    assert space.read(other, 2 * PAGE) == b"\1" * 2 * PAGE
    space.unmap(other, 4 * PAGE)
    assert free_frames(space)


def test_a_writable_mapping_takes_no_frames_that_are_read_only_for_the_host(space, tmp_path):
    path = tmp_path / "file"
    reading = space.map(PAGE, READ, shared=True, backing=backing(space, path, text=bytes(PAGE)))
    writing = space.map(PAGE, RW, shared=True, backing=backing(space, path, writable=True))
    space.write(writing, b"new")
    assert space.read(reading, 3) == b"new"


def test_mapping_a_file_over_its_own_mapping(space, tmp_path):
    file = backing(space, tmp_path / "file", writable=True, text=b"\1" * 4 * PAGE)
    one = space.map(4 * PAGE, RW, shared=True, backing=file)
    space.map(2 * PAGE, RW, shared=True, backing=file, address=one, fixed=True)
    assert space.read(one, 4 * PAGE) == b"\1" * 4 * PAGE
    space.unmap(one, 4 * PAGE)
    assert free_frames(space)
