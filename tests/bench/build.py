"""Build the bench's guests with ziglang: `python -m tests.bench.build [--cpu CPU]`."""

from __future__ import annotations

import argparse

from samples.build import FLAGS, TRIPLES, Build
from tests.bench.measure import GUESTS

FLAGS_FOR_SPEED = tuple("-O2" if flag == "-Os" else flag for flag in FLAGS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="append", choices=TRIPLES)
    options = parser.parse_args()
    for cpu in options.cpu or ["x86-64", "aarch64"]:
        for source in sorted(GUESTS.glob("*.c")):
            Build(GUESTS, cpu, source.stem, FLAGS_FOR_SPEED).run(GUESTS)


if __name__ == "__main__":
    main()
