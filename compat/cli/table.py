"""Tables on the terminal (with rich), or as plain aligned text where nobody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["show_table"]

_COLORS = {"done": "green", "partly": "yellow", "refused": "cyan", "known": "red"}
"""Colours of the words that name a state."""


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print *rows* under *headers*; the columns *right* are aligned to the right."""
    if sys.stdout.isatty():
        _show_rich(headers, rows, right)
        return
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    for row in (headers, *rows):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _show_rich(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, header in enumerate(headers):
        table.add_column(header, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_COLORS.get(cell, "")) for cell in row))
    Console(highlight=False).print(table)
