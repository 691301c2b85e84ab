"""Every call on every kind of path, beside and inside read-only mounts, is answered as the kernel answers it.

The answers in answers/ were recorded from a kernel with the superuser's rights (record_answers.py), so they
are compared where the tests run with those.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.calls import PAIRS, answer, build, call, show

FOLDER = Path(__file__).with_name("answers")
LOOKING = ("stat", "lstat", "readlink", "access_w", "open_r", "open_w", "open_rw", "open_dir", "open_path")


def recorded(table: str) -> Iterator[tuple[str, str, str]]:
    """Row, column and answer of each cell."""
    _, header, *rows = (FOLDER / f"{table}.tbl").read_text().splitlines()
    columns = header.split()[2:]
    for row in rows:
        path, *answers = row.split()
        for column, told in zip(columns, answers, strict=True):
            yield path, column, told


class Tree:
    """The tree of calls.py, built again after each call that may have changed it."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._built = False

    def ask(self, name: str, *paths: str) -> str:
        if not self._built:
            shutil.rmtree(self._top, ignore_errors=True)
            build(self._top)
            self._view = show(self._top)
        told = answer(lambda: call(self._view, name, *paths))
        self._built = told != "ok" or name in LOOKING
        if not self._built:
            self._view.close()
        return told

    def close(self) -> None:
        if self._built:
            self._view.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="the answers were recorded with the superuser's rights")
@pytest.mark.parametrize("table", ["single", *PAIRS])
def test_the_kernels_answers(tmp_path: Path, table: str) -> None:
    tree = Tree(tmp_path / "tree")
    wrong = []
    for path, column, told in recorded(table):
        paths = (column, path) if table == "single" else (table, path, column)
        ours = tree.ask(*paths)
        if ours != told:
            wrong.append((*paths, f"ours {ours}", f"the kernel's {told}"))
    tree.close()
    assert wrong == []
