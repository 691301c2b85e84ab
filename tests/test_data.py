"""compat.data against the standard library's dataclasses, whose stand-in it is."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from compat.data import asdict, dataclass, field, fields, replace


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 2


@dataclass(frozen=True)
class Named(Point):
    name: str = ""
    tags: dict[str, int] = field(default_factory=dict, compare=False)


@dataclasses.dataclass(frozen=True)
class StandardPoint:
    x: int
    y: int = 2


@dataclass
class Changing:
    items: list[Point] = field(default_factory=list)


@pytest.mark.parametrize("values", [(1,), (1, 5)])
def test_values_and_defaults(values: tuple[int, ...]) -> None:
    assert asdict(Point(*values)) == dataclasses.asdict(StandardPoint(*values))
    assert repr(Point(*values)) == repr(StandardPoint(*values)).replace("Standard", "")


def test_a_subclass_adds_fields() -> None:
    made = Named(1, name="n")
    assert (made.x, made.y, made.name, made.tags) == (1, 2, "n", {})
    assert fields(Named) == ("x", "y", "name", "tags")


@pytest.mark.parametrize("make", [lambda c: c(), lambda c: c(1, 2, 3), lambda c: c(1, z=3), lambda c: c(1, x=1)])
def test_wrong_values_are_refused(make: Any) -> None:
    for cls in (Point, StandardPoint):
        with pytest.raises(TypeError):
            make(cls)


def test_equality_and_hash() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Named(1)
    assert hash(Named(1, tags={"a": 1})) == hash(Named(1))
    assert Named(1, tags={"a": 1}) == Named(1)
    with pytest.raises(TypeError):
        hash(Changing())


def test_defaults_are_made_for_each() -> None:
    first, second = Changing(), Changing()
    first.items.append(Point(1))
    assert second.items == []
    assert asdict(first) == {"items": [{"x": 1, "y": 2}]}


def test_replace_and_pickle() -> None:
    assert replace(Point(1), y=7) == Point(1, 7)
    assert pickle.loads(pickle.dumps(Point(1, 7))) == Point(1, 7)
