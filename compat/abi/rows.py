"""Rows: what a line of an `.abi` file says of a call or a struct (compat.abi.row_parser reads them).

read(fd: Fd, buf: Out[Bytes, count], count: Size) -> SSize              = files.read
fcntl/F_DUPFD(fd: Fd, cmd: FcntlCmd, least: Int) -> Fd                  = files.dup_from
mmap @ x86, s390x(block: In[MmapArgs]) -> Ptr                           ~ memory.old_mmap  "…"
struct Timespec(sec: Time, nsec: Long)
"""

from __future__ import annotations

from collections.abc import Sequence

from compat.data import dataclass

__all__ = ["STATES", "Param", "Row", "StructRow", "TypeExpr", "show_type"]

STATES = ("done", "partly", "refused", "known")


@dataclass(frozen=True)
class TypeExpr:
    """A type as written: `Out[Array[Iovec], count] | None` is Out with two arguments, optional."""

    name: str
    arguments: tuple[TypeExpr | int, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Param:
    name: str
    type: TypeExpr


@dataclass(frozen=True)
class Row:
    """One call. *state* is "done", "partly", "refused" or "known"; *target* the shim's file.function or the error."""

    name: str
    case: str
    cpus: tuple[str, ...]
    params: tuple[Param, ...]
    result: TypeExpr
    state: str
    target: str
    note: str
    source: str
    line: int

    @property
    def place(self) -> str:
        """file:line, as errors print it; the file alone for a row that is yet to be added there."""
        return f"{self.source}:{self.line}" if self.line else self.source

    @property
    def library(self) -> str:
        """The library that exports it, `kernel32.dll` for rows of kernel32.dll.abi; "" for a system call."""
        stem = self.source.rpartition("/")[2].removesuffix(".abi")
        return stem if "." in stem else ""

    @property
    def key(self) -> str:
        """The call's name, with its case or its library where it has one."""
        if library := self.library:
            return f"{library}!{self.name}"
        return f"{self.name}/{self.case}" if self.case else self.name

    @property
    def in_runtime(self) -> bool:
        """Whether the runtime's own code serves it (`= runtime` or `= runtime.NAME`)."""
        return self.target.partition(".")[0] == "runtime"

    def signature(self) -> str:
        """The head as written, on one line."""
        return f"{self.key}{_show_params(self.params)} -> {show_type(self.result)}"


@dataclass(frozen=True)
class StructRow:
    name: str
    cpus: tuple[str, ...]
    fields: tuple[Param, ...]
    source: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.source}:{self.line}"

    @property
    def key(self) -> str:
        return self.name


def show_type(expr: TypeExpr | int) -> str:
    """The type as it is written in a row."""
    if isinstance(expr, int):
        return str(expr)
    inner = f"[{', '.join(show_type(a) for a in expr.arguments)}]" if expr.arguments else ""
    return expr.name + inner + (" | None" if expr.optional else "")


def _show_params(params: Sequence[Param]) -> str:
    """A `*rest` of any arguments has no type."""
    return "(" + ", ".join(p.name if p.name[0] == "*" else f"{p.name}: {show_type(p.type)}" for p in params) + ")"
