"""A copy of an address space is changed in every way; the difference makes the original equal to it."""

import marshal

from hypothesis import given, settings
from hypothesis import strategies as st

from compat.memory import PAGE, AddressSpace, Ram
from compat.memory.changes import Difference

RW = 3
BOTTOM, PAGES = 16 * PAGE, 32
TOP = BOTTOM + PAGES * PAGE

ranges = st.tuples(st.integers(0, PAGES - 1), st.integers(1, 8)).map(
    lambda pair: (BOTTOM + pair[0] * PAGE, min(pair[1], PAGES - pair[0]) * PAGE)
)
edits = st.one_of(
    st.tuples(st.just("map"), ranges, st.sampled_from([0, 1, RW])),
    st.tuples(st.just("unmap"), ranges, st.none()),
    st.tuples(st.just("protect"), ranges, st.sampled_from([0, 1, RW])),
    st.tuples(st.just("discard"), ranges, st.none()),
    st.tuples(st.just("store"), ranges, st.integers(0, 255)),
    st.tuples(st.just("move"), ranges, ranges),
)


def do(space: AddressSpace, edit) -> None:
    kind, (address, size), more = edit
    try:
        if kind == "map":
            space.map(size, more, address=address, fixed=True)
        elif kind == "unmap":
            space.unmap(address, size)
        elif kind == "protect":
            space.protect(address, size, more)
        elif kind == "discard":
            space.discard(address, size)
        elif kind == "move":
            space.move(address, size, more[1], more[0], may_move=True)
        else:
            space.store(address + 5, bytes([more]) * (size - 5))
            space.write(address + 1, bytes([more]))
    except OSError:
        pass  # both copies refuse alike
    except Exception as error:
        assert "write at" in str(error)


def seen(space: AddressSpace):
    """Each page: rights and content."""
    found = {}
    for page in range(BOTTOM, TOP, PAGE):
        area = space.areas.find(page)
        if area is not None:
            place = None if area.frame is None else area.frame + page - area.start
            content = bytes(PAGE) if place is None else bytes(space.ram.view[place : place + PAGE])
            found[page] = area.protection, content if area.protection else b""
    return found


def pair():
    return [AddressSpace(Ram(1 << 22), top=TOP, bottom=BOTTOM) for _ in range(2)]


@settings(max_examples=150, deadline=None)
@given(st.lists(edits, max_size=12), st.lists(edits, max_size=12))
def test_the_difference_makes_them_equal(before, after) -> None:
    lender, borrower = pair()
    for edit in before:
        do(lender, edit)
        do(borrower, edit)
    borrower.borrowed()
    for edit in after:
        do(borrower, edit)
    Difference(*marshal.loads(marshal.dumps(tuple(borrower.changes.difference())))).put_into(lender)
    assert seen(lender) == seen(borrower)


def test_what_others_changed_beside_stays() -> None:
    lender, borrower = pair()
    for space in (lender, borrower):
        space.map(PAGE, RW, address=BOTTOM, fixed=True)
    borrower.borrowed()
    lender.write(BOTTOM + 9, b"other")
    borrower.write(BOTTOM + 4, b"mine!")
    borrower.changes.difference().put_into(lender)
    assert lender.read(BOTTOM + 4, 10) == b"mine!other"


def test_the_cpu_must_ask_before_its_first_store() -> None:
    _, borrower = pair()
    borrower.map(2 * PAGE, RW, address=BOTTOM, fixed=True)
    borrower.borrowed()
    assert borrower.fill(BOTTOM, 1)[1] == 1
    assert borrower.fill(BOTTOM, 2)[1] == RW
    assert borrower.fill(BOTTOM, 1)[1] == RW
    assert borrower.fill(BOTTOM + PAGE, 1)[1] == 1
