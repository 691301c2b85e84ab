"""`.abi` files → rows: the signature of each is exactly a Python function header, read with `ast`.

A row goes on while a parenthesis is open. `name @ cpu, …` limits a row to CPUs whose signature deviates; the row
without `@` serves all the others. The tail is the state of support: `=` done, `~` partly (with a note), `!` refused on
purpose with that error, nothing = known but not written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from compat.abi.grids import StrPath, read_table, source_of
from compat.abi.rows import Param, Row, StructRow, TypeExpr
from compat.data import replace
from compat.errors import BadTable

__all__ = ["parse_row", "parse_rows", "read_rows"]

_HEAD = re.compile(
    r"(?P<struct>struct\s+)?(?P<name>[A-Za-z_]\w*)(?:/(?P<case>\w+))?\s*(?:@\s*(?P<cpus>[\w-]+(?:\s*,\s*[\w-]+)*)\s*)?(?=\()"
)
_STATES = {"=": "done", "~": "partly", "!": "refused"}
_TAIL = re.compile(r"""(?P<mark>[=~!])\s*(?P<target>[\w.!]+)\s*(?:"(?P<note>[^"]*)")?\Z""")


def read_rows(path: StrPath) -> list[Row | StructRow]:
    """Read one .abi file; raises BadTable with file:line for anything malformed."""
    return parse_rows(read_table(path), source_of(path))


def parse_rows(text: str, source: str) -> list[Row | StructRow]:
    """The rows and structs in *text*; *source* is the file's name as errors print it."""
    return [parse_row(line, content, source) for line, content in _logical_lines(text, source)]


def _logical_lines(text: str, source: str) -> Iterator[tuple[int, str]]:
    """Join physical lines while a parenthesis is open; strip comments outside notes."""
    start, parts, depth = 0, list[str](), 0
    for number, raw in enumerate(text.splitlines(), 1):
        content = re.sub(r"""("[^"]*")|#.*""", lambda m: m.group(1) or "", raw).strip()
        if not content:
            continue
        if not parts:
            start = number
        parts.append(content)
        bare = re.sub(r'"[^"]*"', "", content)
        depth += bare.count("(") - bare.count(")")
        if depth <= 0:
            yield start, " ".join(parts)
            parts, depth = [], 0
    if parts:
        raise BadTable(f"{source}:{start}: a parenthesis is never closed")


def parse_row(line: int, content: str, source: str) -> Row | StructRow:
    """One row or struct on one line; raises BadTable with file:line."""
    place = f"{source}:{line}"
    head = _HEAD.match(content)
    if not head:
        raise BadTable(f"{place}: expected name(argument: Type, …) -> Type")
    cpus = tuple(c.strip() for c in head["cpus"].split(",")) if head["cpus"] else ()
    close = _closing_parenthesis(content, head.end(), place)
    arguments, rest = content[head.end() : close + 1], content[close + 1 :].strip()
    if head["struct"]:
        if rest:
            raise BadTable(f"{place}: unexpected {rest!r} after the struct")
        params, _ = _parse_signature(arguments, "Void", place)
        if not params:
            raise BadTable(f"{place}: struct {head['name']} has no fields")
        return StructRow(head["name"], cpus, params, source, line)
    result_text, mark, tail = _split_result(rest, place)
    params, result = _parse_signature(arguments, result_text, place)
    state, target, note = _parse_tail(mark + tail, place)
    return Row(head["name"], head["case"] or "", cpus, params, result, state, target, note, source, line)


def _closing_parenthesis(content: str, start: int, place: str) -> int:
    depth = 0
    for index in range(start, len(content)):
        depth += (content[index] == "(") - (content[index] == ")")
        if depth == 0:
            return index
    raise BadTable(f"{place}: a parenthesis is never closed")


def _split_result(rest: str, place: str) -> tuple[str, str, str]:
    match = re.match(r"->\s*([^=~!\"]+)([=~!]?)(.*)\Z", rest)
    if not match:
        raise BadTable(f"{place}: expected '-> Type' after the arguments")
    return match[1].strip(), match[2], match[3]


def _parse_tail(tail: str, place: str) -> tuple[str, str, str]:
    if not tail:
        return "known", "", ""
    match = _TAIL.match(tail.strip())
    if not match:
        raise BadTable(f'{place}: {tail.strip()!r} is not = file.function, ~ file.function "note" or ! ERROR')
    state, target, note = _STATES[match["mark"]], match["target"], match["note"] or ""
    if state == "partly" and not note:
        raise BadTable(f"{place}: a row that is partly done needs a note")
    return state, target, note


def _parse_signature(arguments: str, result: str, place: str) -> tuple[tuple[Param, ...], TypeExpr]:
    try:
        tree = ast.parse(f"def row{arguments} -> {result}: ...").body[0]
        if not isinstance(tree, ast.FunctionDef) or tree.returns is None:
            raise BadTable(f"{place}: not a function header")
        return _params(tree.args, place), _type_expr(tree.returns, place)
    except SyntaxError as error:
        raise BadTable(f"{place}: {arguments} -> {result} is no function header: {error.msg}") from None
    except (RecursionError, MemoryError, ValueError):
        raise BadTable(f"{place}: not a function header that can be read") from None


def _params(arguments: ast.arguments, place: str) -> tuple[Param, ...]:
    if arguments.posonlyargs or arguments.kwonlyargs or arguments.kwarg or arguments.defaults:
        raise BadTable(
            f"{place}: an argument has a name and a type, no default, and neither / nor ** stands among them"
        )
    params = tuple(_param(argument, place) for argument in arguments.args)
    names = [param.name for param in params]
    for name in names:
        if names.count(name) > 1:
            raise BadTable(f"{place}: two arguments are named {name}")
    return (*params, Param("*" + arguments.vararg.arg, TypeExpr("Varargs"))) if arguments.vararg else params


def _param(argument: ast.arg, place: str) -> Param:
    if argument.annotation is None:
        raise BadTable(f"{place}: argument {argument.arg} has no type")
    return Param(argument.arg, _type_expr(argument.annotation, place))


def _type_expr(node: ast.expr, place: str) -> TypeExpr:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if not (isinstance(node.right, ast.Constant) and node.right.value is None):
            raise BadTable(f"{place}: only '| None' may follow a type")
        return replace(_type_expr(node.left, place), optional=True)
    if isinstance(node, ast.Name):
        return TypeExpr(node.id)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return TypeExpr(node.value.id, tuple(_type_argument(item, place) for item in items))
    raise BadTable(f"{place}: {ast.unparse(node)!r} is not a type")


def _type_argument(node: ast.expr, place: str) -> TypeExpr | int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return _type_expr(node, place)
