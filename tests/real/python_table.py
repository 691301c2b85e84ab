"""What a run of one module of Python's tests said, and the table of such runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

WAYS = ("compat", "qemu")
NUMBERS = ("run", "passed", "failed", "errors", "skipped", "seconds")

COUNTS = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$", re.MULTILINE)
RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
BAD = re.compile(r"^(?:FAIL|ERROR): (\S+)(?: \((\S+?)\))?", re.MULTILINE)
UNFIT = re.compile(r"^test\w* skipped -- (.*)$", re.MULTILINE)
BEGUN = re.compile(r"^(test\w*) \(test\.", re.MULTILINE)
VERDICT = re.compile(r"\.\.\. .*?\b(ok|FAIL|ERROR|skipped|expected failure)\b", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """Counts by the names of NUMBERS, and what did not pass; the latter begins with why a run did not end well."""

    counts: dict[str, int]
    bad: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether something ran and nothing failed."""
        return not self.bad and bool(self.counts["run"])

    def cells(self) -> list[str]:
        return [str(self.counts[name]) for name in NUMBERS]


def result(output: str, seconds: float, end: str = "") -> Result:
    """The sum of the summaries that unittest wrote into *output*; *end* says why the program did not end well.

    Passed are the tests that were run and neither failed nor were skipped: a test that fails in three subtests
    counts three failures, but one test less that passed. Without a summary the lines per test are counted.
    """
    bad = list(dict.fromkeys(name for name, _ in BAD.findall(output)))
    if unfit := UNFIT.search(output):
        end = f"skipped: {unfit[1]}"
    if not RAN.search(output):
        return broken(output, bad, seconds, end or "no summary")
    told: dict[str, int] = {}
    for line in COUNTS.findall(output):
        for name, number in re.findall(r"([a-z ]+)=(\d+)", line):
            told[name.strip()] = told.get(name.strip(), 0) + int(number)
    run = sum(map(int, RAN.findall(output)))
    wrong = {test for test in BAD.findall(output) if test[0].startswith("test")}  # and not setUpClass
    passed = run - len(wrong) - told.get("skipped", 0) - told.get("expected failures", 0)
    numbers = (run, passed, told.get("failures", 0), told.get("errors", 0), told.get("skipped", 0), round(seconds))
    return Result(dict(zip(NUMBERS, numbers, strict=True)), [end, *bad] if end and not bad else bad)


def broken(output: str, bad: list[str], seconds: float, end: str) -> Result:
    """What can be told of a run that wrote no summary: the test it was in, and the verdicts until then."""
    begun, verdicts = BEGUN.findall(output), VERDICT.findall(output)
    numbers = (len(begun), *(verdicts.count(verdict) for verdict in ("ok", "FAIL", "ERROR", "skipped")), round(seconds))
    where = f" in {begun[-1]}" if begun else ""
    return Result(dict(zip(NUMBERS, numbers, strict=True)), [end + where, *bad])


HEADER = ["module", *(f"{way}: {name}" if name == "run" else name for way in WAYS for name in NUMBERS)]
HEADER += [f"not passed by {way}" for way in WAYS]
ABOUT = (
    "# Recorded by `python -m tests.real.python_suite --record [MODULE…]`\n\n"
    "Debian's libpython3.11-testsuite for arm64, as root: `python3.11 -m test -v MODULE`: under `compat run --net host`"
    "\nand under qemu-aarch64 7.2, which gets a binfmt_misc of its own, on the same machine one after the other.\n"
    "Passed is run less skipped and less the tests of which a part failed. Seconds are the clock's, the machine was\n"
    "busy: test_check_output_timeout gives another Python 3 s to start, and passes where nothing else runs.\n"
)


def row(module: str, results: dict[str, Result], old: list[str] | None = None) -> list[str]:
    """The cells of *module*: of the ways in *results* new, of the others as in the row *old*."""
    cells = list(old or [module, *["–"] * (len(HEADER) - 1)])
    for number, way in enumerate(WAYS):
        if way in results:
            at = 1 + number * len(NUMBERS)
            cells[at : at + len(NUMBERS)] = results[way].cells()
            cells[len(HEADER) - len(WAYS) + number] = shortened(results[way].bad)
    return cells


def shortened(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more).replace("|", "/")


def rows(text: str) -> dict[str, list[str]]:
    """The rows of a table that `markdown` made, by module."""
    lines = [line.strip("|\n").split("|") for line in text.splitlines() if line.startswith("| test")]
    return {cells[0].strip(): [cell.strip() for cell in cells] for cells in lines if len(cells) == len(HEADER)}


def markdown(table: dict[str, list[str]]) -> str:
    """The whole file, its rows sorted by module."""
    rule = ["---", *["---:"] * (len(HEADER) - 1 - len(WAYS)), *["---"] * len(WAYS)]
    lines = [HEADER, rule, *(table[module] for module in sorted(table))]
    return ABOUT + "\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
