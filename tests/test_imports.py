"""Who may import whom, and no state that belongs to nobody."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("abi_tables", "compat", "loaders", "shims")

# Each layer may import itself and those before it. A module of compat that is not named stands above them all.
LAYERS = (
    {"abi_tables", "compat", "compat.errors", "compat.data", "compat.version"},
    {"compat.abi"},
    {
        "compat.memory",
        "compat.cpu",
        "compat.process",
        "compat.sandbox",
        "compat.host",
        "compat.image",
        "compat.preload",
    },
    {
        *("compat.scheduler", "compat.bind", "compat.check", "compat.dispatch", "compat.trace", "compat.registers"),
        *("compat.blocked", "compat.watcher", "compat.foreign"),
    },
    {"compat.guest"},
)
LENT = {f"compat.{name}" for name in ("abi", "memory", "process", "errors", "data", "host", "sandbox", "image")}
"""What loaders and shims may use of compat."""

PARENTS = {"linux": {"posix"}, "windows": {"linux", "posix"}}
"""Shim families that a family builds on."""

HEAVY = {"elftools", "lief", "rich", "unicorn", "capstone"}

LATE = HEAVY | {
    *(
        "argparse",
        "ast",
        "ctypes",
        "dataclasses",
        "hashlib",
        "inspect",
        "json",
        "pathlib",
        "platform",
        "random",
        "shutil",
        "subprocess",
    ),
    *("tempfile", "threading", "traceback", "urllib", "zlib"),
    *(
        "compat.abi.row_parser",
        "compat.trace",
        "compat.foreign",
        "loaders.pe_image",
        "shims.linux.frames",
        "shims.linux.proc",
    ),
}
"""What a warm run of a tiny program does without. Each costs a millisecond or more, and a whole start about fifty."""


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the packages by dotted name."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {module_name(path): ast.parse(path.read_text("utf-8")) for path in paths}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, *, types: bool = True) -> Iterator[str]:
    """The dotted names that *tree* imports anywhere in it; without *types*, not those under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not types:
            yield from imports(ast.Module(node.orelse, []), types=types)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imports(node, types=types)


def part(name: str) -> str:
    """The piece of the design that a module belongs to: `compat.memory` for `compat.memory.areas`."""
    return ".".join(name.split(".")[:2])


def layer(name: str) -> int:
    return next((index for index, names in enumerate(LAYERS) if part(name) in names), len(LAYERS))


def ours(name: str) -> list[str]:
    """What module *name* imports of our own packages, as modules."""
    return sorted({found for found in imports(trees()[name]) if found in trees()})


MODULES = sorted(trees())


def members(package: str) -> list[str]:
    return [name for name in MODULES if name.split(".")[0] == package]


@pytest.mark.parametrize("name", members("compat"))
def test_the_engine_imports_downwards(name: str) -> None:
    for found in ours(name):
        assert not found.startswith("shims"), f"{name} imports {found}: shims are found by the name in a row"
        if found.startswith("loaders"):
            assert layer(name) >= layer("compat.guest"), f"{name} imports {found}"
        else:
            assert layer(found) <= layer(name), f"{name} imports {found}, which stands above it"


@pytest.mark.parametrize("name", [*members("loaders"), *members("shims")])
def test_loaders_and_shims_use_only_what_is_lent_to_them(name: str) -> None:
    package = name.split(".")[0]
    for found in ours(name):
        assert found.split(".")[0] == package or part(found) in LENT | {"compat"}, f"{name} imports {found}"


@pytest.mark.parametrize("name", [name for name in members("shims") if "." in name])
def test_shim_families_import_their_parents_only(name: str) -> None:
    family = name.split(".")[1]
    for found in ours(name):
        if found.startswith("shims."):
            assert found.split(".")[1] in {family} | PARENTS.get(family, set()), f"{name} imports {found}"


def test_tables_are_data_only() -> None:
    for name in members("abi_tables"):
        assert not list(imports(trees()[name])), name


def test_no_two_parts_need_each_other() -> None:
    graph: dict[str, set[str]] = {}
    for name in members("compat"):
        found = {part(target) for target in imports(trees()[name], types=False) if target in trees()}
        graph.setdefault(part(name), set()).update(target for target in found if target.startswith("compat."))
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys() - {name}}
        assert leaves, f"a circle among {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


def test_one_file_loads_unicorn() -> None:
    loading = []
    for name, tree in trees().items():
        assert not any(found.split(".")[0] == "unicorn" for found in imports(tree)), name
        if any(isinstance(node, ast.Constant) and node.value == "unicorn" for node in ast.walk(tree)):
            loading.append(name)
    assert loading == ["compat.cpu.library"]


def test_one_file_calls_unicorn() -> None:
    """Others use the declarations too, for arrays of values and for fields; the engine and its hooks call it."""
    users = [name for name in trees() if "compat.cpu._unicorn" in imports(trees()[name])]
    names = """aarch64_minmax aborts atomics engine hooks internals library library_code library_symbols
        registers s390x_overflow x86_string_compare"""
    assert users == [f"compat.cpu.{name}" for name in names.split()]


def test_a_start_imports_nothing_heavy() -> None:
    code = "import sys, compat.guest, loaders.detect, loaders.cache; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not HEAVY & {name.split(".")[0] for name in result.stdout.split()}


RUN = """
import os, sys
end = os._exit
def tell(status):
    print(*sys.modules, flush=True)
    end(status)
os._exit = tell
from compat.cli import main
main(["run", sys.argv[1]])
"""


def test_a_warm_run_imports_little(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(ROOT / "samples/linux/s390x/hello")]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    runs = [subprocess.run(command, capture_output=True, text=True, env=environment, check=True) for _ in range(2)]
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    imported = set(runs[1].stdout.split()) - set(bare.stdout.split())
    assert "shims.linux.personality" in imported
    assert not LATE & imported


MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MAKERS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict"}


def makes_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        function = value.func.value if isinstance(value.func, ast.Subscript) else value.func
        return isinstance(function, ast.Name) and function.id in MAKERS
    return isinstance(value, MUTABLE)


def module_variables(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value  # type: ignore[union-attr]


@pytest.mark.parametrize("name", MODULES)
def test_no_module_keeps_state(name: str) -> None:
    tree = trees()[name]
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree)), f"{name} has a global statement"
    variables = {variable: value for variable, value in module_variables(tree) if makes_mutable(value)}
    lower = [variable for variable in variables if variable != variable.upper() and not variable.startswith("__")]
    assert not lower, f"{name} keeps {lower} for everybody"
    changed = set(variables) & set(changed_names(tree))
    assert not changed, f"{name} changes {sorted(changed)}, which everybody shares"


CHANGING = {"append", "add", "update", "pop", "clear", "setdefault", "extend", "insert", "remove", "discard", "popitem"}


def changed_names(tree: ast.Module) -> Iterator[str]:
    """Names that some function changes in place: X[…] = …, del X[…], X.append(…) and their like."""
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for node in ast.walk(function):
            value: ast.expr | None = None
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                value = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
                value = node.func.value
            if isinstance(value, ast.Name):
                yield value.id


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a.b\nelse:\n    import c", {"c"}),
        ("def f():\n    from a import b\n", {"a", "a.b"}),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, expected: set[str]) -> None:
    assert set(imports(ast.parse(source), types=False)) - {"typing", "typing.TYPE_CHECKING"} == expected
