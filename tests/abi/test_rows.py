"""`.abi` rows: their shapes, file:line for every malformed one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.abi.row_parser import parse_rows
from compat.abi.rows import Param, Row, StructRow, TypeExpr
from compat.errors import BadTable


def only(text: str) -> Row | StructRow:
    (row,) = parse_rows(text, "f.abi")
    return row


def test_a_row() -> None:
    row = only(
        'readv(fd: Fd, vec: In[Array[Iovec], count] | None,\n      count: Size) -> SSize  ~ files.readv "a note"  # why'
    )
    assert isinstance(row, Row)
    vec = TypeExpr("In", (TypeExpr("Array", (TypeExpr("Iovec"),)), TypeExpr("count")), optional=True)
    assert row.params == (Param("fd", TypeExpr("Fd")), Param("vec", vec), Param("count", TypeExpr("Size")))
    assert (row.state, row.target, row.note, row.result.name) == ("partly", "files.readv", "a note", "SSize")
    assert row.place == "f.abi:1"


@pytest.mark.parametrize(
    ("tail", "state"), [("= a.b", "done"), ('~ a.b "n"', "partly"), ("! EPERM", "refused"), ("", "known")]
)
def test_states(tail: str, state: str) -> None:
    row = only(f"f() -> Int  {tail}")
    assert isinstance(row, Row)
    assert row.state == state


def test_cases_cpus_and_structs() -> None:
    case = only("fcntl/F_GETFD(fd: Fd) -> Int = fcntl.get")
    assert isinstance(case, Row)
    assert (case.name, case.case, case.key) == ("fcntl", "F_GETFD", "fcntl/F_GETFD")
    narrow = only("pipe @ mips, x86-64() -> FdPair")
    assert narrow.cpus == ("mips", "x86-64")
    struct = only("struct Pair @ ppc(a: Int, b: Array[U8, 4], c: Bytes[3])")
    assert isinstance(struct, StructRow)
    assert struct.fields[1].type == TypeExpr("Array", (TypeExpr("U8"), 4))


def test_lines_are_counted_over_comments_and_joined_rows() -> None:
    rows = parse_rows(
        '# one\n\nf(a: Int,\n  b: Int) -> Int  ! EPERM "not # a comment ("\n# five\ng() -> Int\n', "f.abi"
    )
    assert [row.line for row in rows] == [3, 6]
    assert isinstance(rows[0], Row)
    assert rows[0].note == "not # a comment ("


MALFORMED = {
    "f": "expected name(argument: Type, …) -> Type",
    "1f() -> Int": "expected name(argument: Type, …) -> Type",
    "f(a: Int -> Int": "a parenthesis is never closed",
    "f(a: Int)": "expected '-> Type' after the arguments",
    "f(a: Int) -> ": "expected '-> Type' after the arguments",
    "f(a: Int) -> Int extra = a.b": "is no function header",
    "f(a) -> Int": "argument a has no type",
    "f(a: ) -> Int": "is no function header",
    "f(a: Int b: Int) -> Int": "is no function header",
    "f(a: Int, a: Int) -> Int": "two arguments are named a",
    "f(a: Int = 3) -> Int": "no default",
    "f(a: Int, /) -> Int": "neither / nor **",
    "f(*, a: Int) -> Int": "neither / nor **",
    "f(**a) -> Int": "neither / nor **",
    "f(a: 'Int') -> Int": "\"'Int'\" is not a type",
    "f(a: 3) -> Int": "'3' is not a type",
    "f(a: x.Int) -> Int": "'x.Int' is not a type",
    "f(a: Array[U8, -1]) -> Int": "'-1' is not a type",
    "f(a: Array[U8, True]) -> Int": "'True' is not a type",
    "f(a: Int | Long) -> Int": "only '| None' may follow a type",
    "f(a: __import__('os')) -> Int": "is not a type",
    "f() -> Int = ": "'=' is not = file.function",
    "f() -> Int = a b": "'= a b' is not = file.function",
    "f() -> Int ~ a.b": "a row that is partly done needs a note",
    "f() -> Int ! EPERM why": "is not = file.function",
    "struct S(a: Int) -> Int": "unexpected '-> Int' after the struct",
    "struct S()": "struct S has no fields",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_rows(text: str) -> None:
    with pytest.raises(BadTable) as refused:
        parse_rows("# a comment\ng() -> Int\n" + text, "f.abi")
    assert str(refused.value).startswith("f.abi:3: ")
    assert MALFORMED[text] in str(refused.value)


def test_nesting_without_end_is_refused() -> None:
    for text in ("f(a: " + "In[" * 9000 + "]" * 9000 + ") -> Int", "f(a: " + "A|" * 90000 + "None) -> Int"):
        with pytest.raises(BadTable, match=r"f\.abi:1: "):
            parse_rows(text, "f.abi")


@given(st.text(st.sampled_from('fab(): [],|->=~!"#@/ \n*1IntOutBytes'), max_size=80))
def test_any_text_is_rows_or_refused_with_its_line(text: str) -> None:
    try:
        parse_rows(text, "f.abi")
    except BadTable as refused:
        assert str(refused).startswith("f.abi:")


def test_a_row_of_any_arguments() -> None:
    row = only("printf(format: Str, *rest) -> Int = stdio.printf")
    assert isinstance(row, Row)
    assert row.params[1] == Param("*rest", TypeExpr("Varargs"))
