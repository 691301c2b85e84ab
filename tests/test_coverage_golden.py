"""What becomes of each call, held against the records golden/coverage.tbl and, of other guests, coverage-GUEST.tbl.

A call whose state changes changes that file, so that a review sees it. To make them anew:

    python -m compat calls --grid > tests/golden/coverage.tbl
    python -m compat calls --guest windows --grid > tests/golden/coverage-windows.tbl
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from compat.cli.coverage import grid_text, guest_cpus

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("guest", "name", "option"),
    [("linux", "coverage.tbl", ""), ("windows", "coverage-windows.tbl", "--guest windows ")],
)
def test_the_coverage_is_as_recorded(guest: str, name: str, option: str) -> None:
    found = grid_text(guest, guest_cpus(guest), ())
    recorded = (GOLDEN / name).read_text()
    diff = list(difflib.unified_diff(recorded.splitlines(), found.splitlines(), "recorded", "found", "", "", 0))
    assert not diff, "\n".join([*diff[:40], f"python -m compat calls {option}--grid > tests/golden/{name}"])
