"""The summaries of unittest are read as it writes them, and a table keeps what was not run again."""

from __future__ import annotations

from tests.real.python_table import HEADER, markdown, result, row, rows

MIXED = """\
test_a (test.test_x.A.test_a) ... ok
test_b (test.test_x.A.test_b) ... test_c (test.test_x.A.test_c) ... skipped 'why'
======================================================================
FAIL: test_b (test.test_x.A.test_b) (i=1)
----------------------------------------------------------------------
======================================================================
FAIL: test_b (test.test_x.A.test_b) (i=2)
----------------------------------------------------------------------
======================================================================
ERROR: setUpClass (test.test_x.B)
----------------------------------------------------------------------
Ran 4 tests in 2.467s

FAILED (failures=2, errors=1, skipped=1, expected failures=1)
"""

CUT = "test_a (test.test_x.A.test_a) ... ok\ntest_b (test.test_x.A.test_b)\nWhat it does. ... "


def test_summary() -> None:
    found = result(MIXED, 2.6, "exit status 2")
    counts = {"run": 4, "passed": 1, "failed": 2, "errors": 1, "skipped": 1, "seconds": 3}
    assert found.counts == counts
    assert found.bad == ["test_b", "setUpClass"]
    assert not found.good


def test_good() -> None:
    assert result("Ran 2 tests in 1s\n\nOK (skipped=1)\n", 1).good
    assert result("Ran 1 test in 1s\n\nOK\n", 1, "exit status 3").bad == ["exit status 3"]
    assert not result("Ran 0 tests in 0.000s\n\nOK\n", 1).good


def test_no_summary() -> None:
    found = result(CUT, 9, "no end within 9 s")
    assert found.bad == ["no end within 9 s in test_b"]
    assert (found.counts["run"], found.counts["passed"]) == (2, 1)


def test_a_module_that_does_not_fit_the_machine() -> None:
    found = result("0:00:01 [1/1] test_x\ntest_x skipped -- no terminal\ntest_x skipped\n", 1)
    assert found.bad == ["skipped: no terminal"]
    assert found.counts["run"] == 0


def test_table_keeps_other_ways_and_modules() -> None:
    first = {"test_z": row("test_z", {"qemu": result(MIXED, 1)}), "test_b": row("test_b", {})}
    again = rows(markdown(first))
    assert again == first
    cells = row("test_z", {"compat": result(CUT, 1, "no end")}, again["test_z"])
    assert cells[0] == "test_z"
    assert cells[1:3] == ["2", "1"]
    assert cells[HEADER.index("qemu: run")] == "4"
    assert cells[-2:] == ["no end in test_b", "test_b, setUpClass"]
    assert markdown(again).index("| test_b") < markdown(again).index("| test_z")
