"""Assembles `sources` with `zig cc`: `python -m tests.cpu.assemble` writes `programs.json`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cpu.sources import EXTRA, SOURCES

__all__ = ["PROGRAMS", "TARGETS", "assemble"]

PROGRAMS = Path(__file__).with_name("programs.json")

TARGETS = {
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


def assemble(cpu: str) -> dict[str, str]:
    """Return the bytes of all programs of one CPU, in hexadecimal, assembled in one go."""
    from elftools.elf.elffile import ELFFile

    text = "".join(
        f'.section .{name},"ax",%progbits\n' + "\n".join(source.split("; ")) + "\n"
        for name, source in SOURCES[cpu].items()
    )
    if cpu == "arm":
        text = text.replace("progbits\n", "progbits\n.arm\n")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "programs.s"), Path(folder, "programs.o")
        source.write_text(text)
        command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[cpu], *EXTRA.get(cpu, ())]
        subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True)
        with target.open("rb") as stream:
            sections = {section.name[1:]: section.data() for section in ELFFile(stream).iter_sections()}
    return {name: sections[name].hex() for name in SOURCES[cpu]}


if __name__ == "__main__":
    PROGRAMS.write_text(json.dumps({cpu: assemble(cpu) for cpu in SOURCES}, indent=1) + "\n")
