"""`dataclass`, `field` and `replace` as in the standard library's dataclasses, in what compat uses of them.

The standard ones compile each class's methods from generated source, and import `inspect` and `ast` to do so: forty
classes cost a start more time than all the rest of Python. These make the same methods from closures, and compile only
the `__init__` of a class that has been called often. That a frozen instance is not changed, mypy sees to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform, overload

__all__ = ["asdict", "dataclass", "field", "fields", "replace"]

_T = TypeVar("_T")
_MISSING = object()
_OFTEN = 100
"""Calls of a closure that cost about as much as to compile a class's `__init__`."""


class Field:
    """What a class says of one field beyond its type."""

    __slots__ = ("compare", "default", "factory")

    def __init__(self, default: object, factory: Callable[[], object] | None, compare: bool) -> None:
        self.default = default
        self.factory = factory
        self.compare = compare


def field(*, default: Any = _MISSING, default_factory: Callable[[], Any] | None = None, compare: bool = True) -> Any:
    """A field with a default made anew for each instance, or one that comparisons leave out."""
    return Field(default, default_factory, compare)


@overload
def dataclass(cls: type[_T], /) -> type[_T]: ...
@overload
def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type[_T]], type[_T]]: ...


@dataclass_transform(field_specifiers=(field,))
def dataclass(cls: Any = None, /, *, frozen: bool = False, slots: bool = False) -> Any:
    """Give a class `__init__`, `__repr__`, `__eq__` and, if *frozen*, `__hash__` over its annotated fields."""
    return _make(cls, frozen) if cls is not None else lambda made: _make(made, frozen)


def _make(cls: Any, frozen: bool) -> Any:
    known: dict[str, Field] = dict(getattr(cls, "__data_fields__", {}))
    for name, kind in cls.__annotations__.items():
        if not str(kind).startswith(("ClassVar", "typing.ClassVar")):
            known[name] = _field_of(cls, name)
    cls.__data_fields__ = known
    compared = tuple(name for name, each in known.items() if each.compare)
    methods = {"__init__": _init(cls, known), "__repr__": _repr(tuple(known)), "__eq__": _eq(compared)}
    methods["__hash__"] = _hash(compared) if frozen else None  # type: ignore[assignment]
    for name, method in methods.items():
        if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
            setattr(cls, name, method)
    return cls


def _field_of(cls: Any, name: str) -> Field:
    given = cls.__dict__.get(name, _MISSING)
    if not isinstance(given, Field):
        return Field(given, None, True)
    if given.default is _MISSING:
        delattr(cls, name)
    else:
        setattr(cls, name, given.default)
    return given


def _init(cls: Any, known: dict[str, Field]) -> Callable[..., None]:
    names = tuple(known)
    calls = 0

    def __init__(self: Any, *values: object, **named: object) -> None:
        nonlocal calls
        calls += 1
        if calls == _OFTEN and cls.__dict__["__init__"] is __init__:
            cls.__init__ = _compiled(known)
        state = self.__dict__
        state.update(zip(names, values))  # noqa: B905 the lengths are compared below
        if len(values) == len(names) and not named:
            return
        for name in names[len(values) :]:
            if name in named:
                state[name] = named.pop(name)
            else:
                state[name] = _default(self, name, known[name])
        if named or len(values) > len(names):
            raise TypeError(f"{type(self).__name__}: {len(values)} values and {', '.join(named)} for {names}")

    return __init__


def _compiled(known: dict[str, Field]) -> Callable[..., None]:
    """The same `__init__`, several times as fast."""
    space: dict[str, Any] = {"_missing": _MISSING}
    parameters, lines = ["self"], ["pass"]
    for index, (name, each) in enumerate(known.items()):
        value = name
        if each.factory is not None:
            space[f"_make{index}"] = each.factory
            value = f"_make{index}() if {name} is _missing else {name}"
            parameters.append(f"{name}=_missing")
        elif each.default is not _MISSING:
            space[f"_default{index}"] = each.default
            parameters.append(f"{name}=_default{index}")
        else:
            parameters.append(name)
        lines.append(f"self.{name} = {value}")
    exec(f"def __init__({', '.join(parameters)}):\n    " + "\n    ".join(lines), space)
    made: Callable[..., None] = space["__init__"]
    return made


def _default(instance: object, name: str, each: Field) -> object:
    if each.factory is not None:
        return each.factory()
    if each.default is _MISSING:
        raise TypeError(f"{type(instance).__name__}: no value for {name}")
    return each.default


def _repr(names: tuple[str, ...]) -> Callable[[Any], str]:
    return lambda self: f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def _eq(names: tuple[str, ...]) -> Callable[[Any, object], Any]:
    def __eq__(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in names)

    return __eq__


def _hash(names: tuple[str, ...]) -> Callable[[Any], int]:
    return lambda self: hash(tuple([getattr(self, name) for name in names]))


def fields(of: Any) -> tuple[str, ...]:
    """The names of the fields of a class or an instance, in order."""
    return tuple(of.__data_fields__)


def replace(instance: _T, /, **changes: Any) -> _T:
    """A copy of *instance* with other values in some fields."""
    made: Any = type(instance)
    return made(**{name: getattr(instance, name) for name in fields(instance)} | changes)  # type: ignore[no-any-return]


def asdict(instance: Any) -> dict[str, Any]:
    """The fields of *instance* by name, those of instances within it too."""
    return {name: _plain(getattr(instance, name)) for name in fields(instance)}


def _plain(value: Any) -> Any:
    if hasattr(value, "__data_fields__"):
        return asdict(value)
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(map(_plain, value))
    return value
