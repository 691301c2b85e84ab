"""What becomes of each call, held against the record in golden/coverage.tbl.

A call whose state changes changes that file, so that a review sees it. To make it anew:

    python -m compat calls --grid > tests/golden/coverage.tbl
"""

from __future__ import annotations

import difflib
from pathlib import Path

from compat.cli.coverage import cpu_names, grid_text

GOLDEN = Path(__file__).parent / "golden" / "coverage.tbl"


def test_the_coverage_is_as_recorded() -> None:
    found = grid_text("linux", cpu_names(), ())
    diff = list(
        difflib.unified_diff(GOLDEN.read_text().splitlines(), found.splitlines(), "recorded", "found", "", "", 0)
    )
    assert not diff, "\n".join([*diff[:40], "python -m compat calls --grid > tests/golden/coverage.tbl"])
