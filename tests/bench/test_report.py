"""The bench's sums: ratios, means, and what is shown where a way is missing."""

from __future__ import annotations

import pytest

from tests.bench import report
from tests.bench.programs import PROGRAMS
from tests.bench.report import Row

SORT = Row("arm", "sort", PROGRAMS["sort"], {"native": 0.1, "qemu-user": 0.5, "bare": 0.8, "compat": 1.0})
CHASE = Row("arm", "chase", PROGRAMS["chase"], {"qemu-user": 0.5, "compat": 4.0}, {"bare": "exit status 1: no"})
START = Row("arm", "startup", PROGRAMS["startup"], {"compat": 0.09}, python=0.03)


def test_a_ratio_needs_both() -> None:
    assert SORT.ratio("qemu-user") == pytest.approx(2)
    assert SORT.ratio("qemu-user", "bare") == pytest.approx(1.6)
    assert CHASE.ratio("bare") is None


def test_cells() -> None:
    assert CHASE.cells() == ["arm", "chase", "ms", "–", "500", "–", "4,000", "–", "8.00", "–"]
    assert len(report.HEADER) == len(CHASE.cells())


def test_sums_tell_mean_and_worst() -> None:
    told = report.summary([START, SORT, CHASE])
    assert "arm: starting a tiny program costs 3.0 × `python3 -c pass` (30 ms)" in told
    assert "arm: computing, compat costs 4.00 × as a geometric mean, 8.00 × at worst (chase) of qemu-user" in told
    assert report.problems([SORT, CHASE]) == ["arm chase, bare: exit status 1: no"]


def test_markdown_has_a_line_for_each_row() -> None:
    text = report.markdown(["a machine"], [START, SORT, CHASE])
    assert text.count("\n| arm |") == 3
    assert "- a machine" in text
