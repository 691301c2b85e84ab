"""Build the samples with ziglang: `python samples/build.py [NAMES] [--cpu CPU] [--into FOLDER]`.

One command per file, the same on every machine, so that a rebuild with the same ziglang gives the same bytes;
the command and the version stand in samples/linux/BUILD.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SOURCES = Path(__file__).parent / "linux"

TRIPLES = {
    "x86": "x86-linux-musl",
    "x86-64": "x86_64-linux-musl",
    "arm": "arm-linux-musleabihf",
    "aarch64": "aarch64-linux-musl",
    "riscv64": "riscv64-linux-musl",
    "mips": "mips-linux-musleabihf",
    "mipsel": "mipsel-linux-musleabihf",
    "mips64": "mips64-linux-muslabi64",
    "mips64el": "mips64el-linux-muslabi64",
    "ppc": "powerpc-linux-musleabihf",
    "ppc64": "powerpc64-linux-musl",
    "ppc64le": "powerpc64le-linux-musl",
    "s390x": "s390x-linux-musl",
}

# -ffp-contract=off: a fused multiply-add rounds once, so CPUs with it and without would differ.
FLAGS = ["-Os", "-s", "-Wall", "-ffp-contract=off", "-fno-asynchronous-unwind-tables"]

LINKS = {"static": ["-static"], "pie": ["-static", "-fPIE", "-pie"], "dynamic": ["-dynamic"]}
"""A name that ends in -pie or -dynamic is built from the same source, linked that way."""

# -fPIC: musl's sigsetjmp finds its data from $t9, which only position independent callers set on 32-bit MIPS.
# mips.ld leaves out .pdr, 25 KiB of notes for debuggers.
MORE_FLAGS = {
    "mips": ["-fPIC", "-Wl,-T,mips.ld"],
    "mipsel": ["-fPIC", "-Wl,-T,mips.ld"],
    "mips64": ["-Wl,-T,mips.ld"],
    "mips64el": ["-Wl,-T,mips.ld"],
}

LINKED_OTHERWISE = ("hello-pie", "hello-dynamic")


@dataclass(frozen=True)
class Build:
    """One file to build: *name* for *cpu*, from the C file in *sources*."""

    sources: Path
    cpu: str
    name: str
    flags: tuple[str, ...] = tuple(FLAGS)

    @property
    def command(self) -> list[str]:
        """What follows `python -m ziglang`, run in the folder of the sources, without `-o FILE`."""
        stem, _, link = self.name.partition("-")
        flags = [*self.flags, *MORE_FLAGS.get(self.cpu, []), *LINKS[link or "static"]]
        return ["cc", "-target", TRIPLES[self.cpu], *flags, f"{stem}.c"]

    def run(self, into: Path) -> Path:
        """Build and answer the file; subprocess.CalledProcessError when the compiler refuses."""
        target = into.absolute() / self.cpu / self.name
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "ziglang", *self.command, "-o", target], cwd=self.sources, check=True)
        return target


def builds(sources: Path, names: Iterable[str], cpus: Iterable[str]) -> Iterator[Build]:
    """The builds of *names* (all of the folder when empty) for *cpus*."""
    chosen = list(names) or [*sorted(file.stem for file in sources.glob("*.c")), *LINKED_OTHERWISE]
    for cpu in cpus:
        for name in chosen:
            yield Build(sources, cpu, name)


def record() -> str:
    """The text of samples/linux/BUILD: the compiler's version and each kind of command."""
    lines = [f"ziglang {version('ziglang')}", ""]
    for cpu in TRIPLES:
        command = " ".join(Build(SOURCES, cpu, "NAME").command)
        lines.append(f"{cpu}: python -m ziglang {command} -o {cpu}/NAME")
    lines += [
        "",
        "NAME-pie: -static -fPIE -pie for -static; NAME-dynamic: -dynamic for -static; both from NAME.c",
    ]
    return "\n".join(lines) + "\n"


def expect(name: str, folder: Path) -> None:
    """Run the host CPU's build of *name* natively and write what it gives to NAME.expected."""
    done = subprocess.run([folder / name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    (SOURCES / f"{name}.expected").write_bytes(done.stdout + b"exit status %d\n" % status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cpu", action="append", choices=TRIPLES)
    parser.add_argument("--into", type=Path, default=SOURCES)
    parser.add_argument("--expect", metavar="CPU", choices=TRIPLES, help="run CPU's builds here, record what they give")
    options = parser.parse_args()
    if options.expect:
        for name in options.names or (file.name for file in (SOURCES / options.expect).iterdir()):
            expect(name, SOURCES / options.expect)
        return
    with ThreadPoolExecutor(2) as pool:
        wanted = builds(SOURCES, options.names, options.cpu or TRIPLES)
        for target in pool.map(lambda build: build.run(options.into), wanted):
            print(target.relative_to(options.into.absolute()), target.stat().st_size)
    if options.into == SOURCES:
        (SOURCES / "BUILD").write_text(record())


if __name__ == "__main__":
    main()
