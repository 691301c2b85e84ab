"""Parse many damaged ELF files: `python -m tests.bench.fuzz_elf [COUNT] [SEED]`, 100,000 by default.

Prints how many were Images and how many were refused, the slowest parse, and the peak of memory; any
exception but a CompatError ends the run, after the mutant that caused it was written to fuzz_elf.bin.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

from tests.loaders.mutate import mutants
from tests.loaders.test_fuzz import outcome

NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")


def main(count: int = 100_000, seed: int = 1) -> None:
    kinds: Counter[str] = Counter()
    slowest = 0.0
    begin = time.perf_counter()
    for mutant in islice(mutants(random.Random(seed)), count):
        start = time.perf_counter()
        try:
            kinds[NUMBERS.sub("N", outcome(mutant))] += 1
        except BaseException:
            Path("fuzz_elf.bin").write_bytes(mutant)
            raise
        slowest = max(slowest, time.perf_counter() - start)
    seconds = time.perf_counter() - begin
    for sentence, number in kinds.most_common():
        print(f"{number:7}  {sentence}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count} mutants in {seconds:.0f} s, the slowest {slowest * 1000:.1f} ms, peak memory {peak} MiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
