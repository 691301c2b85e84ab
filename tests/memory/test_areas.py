"""The map of areas against a plain set of pages."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from compat.memory.areas import Area, AreaMap
from compat.memory.places import Places

P = 4096
PAGES = 40
ranges = st.tuples(st.integers(0, PAGES - 1), st.integers(1, 12)).map(lambda r: (r[0] * P, min(r[0] + r[1], PAGES) * P))


def build(steps):
    """Apply (insert?, range, protection) steps to a map and to a model: page → protection and frame."""
    areas, model, frame = AreaMap(), dict[int, tuple[int, int]](), 1 << 30
    for add, (start, end), protection in steps:
        areas.cut(start, end)
        for page in range(start, end, P):
            model.pop(page, None)
        if add:
            areas.insert(Area(start, end, protection, frame))
            model |= {page: (protection, frame + page - start) for page in range(start, end, P)}
            frame += end - start
    return areas, model


steps = st.lists(st.tuples(st.booleans(), ranges, st.integers(0, 3)), max_size=30)


@given(steps)
def test_the_map_is_the_model(script):
    areas, model = build(script)
    listed = list(areas)
    assert all(a.end <= b.start for a, b in pairwise(listed))
    assert not any(a.continues(b) for a, b in pairwise(listed))
    for page in range(0, PAGES * P, P):
        area = areas.find(page + 17)
        if page in model:
            assert area is not None
            assert (area.protection, area.frame + page - area.start) == model[page]
        else:
            assert area is None


@given(steps, ranges)
def test_questions_about_ranges(script, asked):
    areas, model = build(script)
    pages = range(asked[0], asked[1], P)
    assert areas.is_free(*asked) == (not any(p in model for p in pages))
    assert areas.covers(*asked) == all(p in model for p in pages)
    touched = areas.between(*asked)
    assert {p for p in model if asked[0] <= p < asked[1]} == {
        p for area in touched for p in range(area.start, area.end, P) if asked[0] <= p < asked[1]
    }


@given(steps, st.integers(1, 12), st.integers(1, PAGES), st.integers(0, 5))
def test_the_highest_gap_is_found(script, pages, top, bottom):
    areas, model = build(script)
    fits = [
        start
        for start in range(bottom, top - pages + 1)
        if not any(p * P in model for p in range(start, start + pages))
    ]
    expected = max(fits) * P if fits else None
    assert areas.gap_below(pages * P, top * P, bottom * P) == expected


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6), ranges), max_size=60))
def test_hints_never_hide_a_gap(script):
    areas = AreaMap()
    places = Places(areas, PAGES * P, 2 * P)
    for take, pages, (start, end) in script:
        if not take:
            areas.cut(start, end)
            places.freed(start, end)
            continue
        found = places.find(pages * P)
        assert found == areas.gap_below(pages * P, PAGES * P, 2 * P)
        if found is not None:
            areas.insert(Area(found, found + pages * P, 1))


def test_neighbours_that_continue_become_one_and_remember_code():
    areas = AreaMap()
    areas.insert(Area(0, P, 5, 100 * P))
    areas.insert(Area(2 * P, 3 * P, 5, 102 * P, executed=True))
    areas.insert(Area(P, 2 * P, 5, 101 * P))
    (only,) = areas
    assert (only.start, only.end, only.frame, only.executed) == (0, 3 * P, 100 * P, True)


def test_empty_and_backward_ranges_touch_nothing():
    areas = AreaMap()
    areas.insert(Area(0, 4 * P, 1))
    assert areas.between(P, P) == []
    assert areas.between(3 * P, P) == []
    assert areas.cut(2 * P, 2 * P) == []
    assert len(areas) == 1
