"""The kernel's user headers for every CPU, as the `ziglang` package ships them, asked through its C compiler.

Nothing is run on the target: values are placed in the data of an object file and read back with pyelftools.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest
from elftools.elf.elffile import ELFFile

__all__ = ["CPUS", "TARGETS", "integers", "macros", "needs_headers"]

TARGETS: Mapping[str, str] = {
    "x86": "x86-linux-musl",
    "x86-64": "x86_64-linux-musl",
    "arm": "arm-linux-musleabihf",
    "aarch64": "aarch64-linux-musl",
    "riscv64": "riscv64-linux-musl",
    "mips": "mips-linux-musleabihf",
    "mips64": "mips64-linux-muslabi64",
    "ppc": "powerpc-linux-musleabihf",
    "ppc64": "powerpc64-linux-musl",
    "s390x": "s390x-linux-musl",
    "mipsel": "mipsel-linux-musleabihf",
    "mips64el": "mips64el-linux-muslabi64",
    "ppc64le": "powerpc64le-linux-musl",
}

CPUS: Mapping[str, str] = {
    cpu: {"mipsel": "mips", "mips64el": "mips64", "ppc64le": "ppc64"}.get(cpu, cpu) for cpu in TARGETS
}
"""Each CPU with the column that holds its numbers."""

needs_headers = pytest.mark.skipif(
    find_spec("ziglang") is None, reason="the kernel headers come with `pip install ziglang`"
)


def _compile(cpu: str, source: str, *options: str) -> str:
    """Feed *source* to the C compiler for *cpu* and return what it prints."""
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[cpu], *options, "-x", "c", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _includes(headers: str) -> str:
    return "".join(f"#if __has_include(<{header}>)\n#include <{header}>\n#endif\n" for header in headers.split())


def macros(cpu: str, header: str) -> dict[str, int]:
    """Every macro of *header* (and of what it includes) whose value is an integer or a sum of such macros."""
    text = _compile(cpu, f"#include <{header}>\n", "-E", "-dM")
    defined = dict(re.findall(r"^#define (\w+) (.+)$", text, re.MULTILINE))

    def value(expression: str) -> int:
        terms = [term.strip(" ()") for term in expression.split("+")]
        return sum(value(defined[term]) if defined.get(term, term) != term else int(term, 0) for term in terms)

    found = {}
    for name, expression in defined.items():
        try:
            found[name] = value(expression)
        except ValueError:
            continue  # a type, a cast, a string
    return found


def integers(
    cpu: str, headers: str, expressions: Mapping[str, str], workspace: Path, prelude: str = ""
) -> dict[str, int]:
    """Evaluate constant C expressions for *cpu*: label → value as 64 unsigned bits.

    *headers* is a list of names separated by blanks; those that a CPU lacks are left out. An expression
    that begins with `?NAME ` is left out where NAME is no macro.
    """
    rows = []
    for label, expression in expressions.items():
        guard, _, rest = expression.partition(" ") if expression.startswith("?") else ("", "", expression)
        row = f'{{"{label}", (unsigned long long)({rest})}},\n'
        rows.append(f"#ifdef {guard[1:]}\n{row}#endif\n" if guard else row)
    source = (
        f"{prelude}\n{_includes(headers)}\n"
        "struct row {char label[120]; unsigned long long value;};\n"
        '__attribute__((section("rows"), used)) static const struct row table[] = {\n' + "".join(rows) + "};\n"
    )
    target = workspace / f"{cpu}.o"
    _compile(cpu, source, "-c", "-w", "-o", str(target))
    with target.open("rb") as file:
        elf = ELFFile(file)
        section = elf.get_section_by_name("rows")
        assert section is not None
        data = section.data()
        order: Literal["little", "big"] = "little" if elf.little_endian else "big"
    return {
        data[at : at + 120].split(b"\0")[0].decode(): int.from_bytes(data[at + 120 : at + 128], order)
        for at in range(0, len(data), 128)
    }
