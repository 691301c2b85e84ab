"""Files that compat does not run are named in one sentence."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from compat.errors import BadFile, CompatError, Unsupported
from loaders.detect import detect
from loaders.source import Source, open_source


def pe(machine: int, subsystem: int, *, plus: bool = True, dll: bool = False, clr: bool = False) -> bytes:
    optional = bytearray(112 + 128)
    struct.pack_into("<H", optional, 0, 0x20B if plus else 0x10B)
    struct.pack_into("<H", optional, 68, subsystem)
    if clr:
        struct.pack_into("<II", optional, (112 if plus else 96) + 14 * 8, 0x2000, 72)
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0x2002 if dll else 2)
    return b"MZ" + bytes(0x3A) + struct.pack("<I", 0x80) + bytes(0x40) + b"PE\0\0" + coff + optional


def macho(order: str, magic: int, cpu: int, kind: int) -> bytes:
    return struct.pack(order + "IIII", magic, cpu, 0, kind) + bytes(16)


def new_executable(letters: bytes) -> bytes:
    return b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40) + letters + bytes(64)


def lack(system: str) -> str:
    return f"; compat has no {system} guest yet"


FAT = struct.pack(">II", 0xCAFEBABE, 2)
FAT += struct.pack(">IIIII", 0x01000007, 3, 0x4000, 1, 14) + struct.pack(">IIIII", 0x0100000C, 0, 0x8000, 1, 14)
TEXT = "is text without a first line such as #!/bin/sh that names its interpreter"

SENTENCES = [
    (pe(0x8664, 1), "is a Windows program for x86-64 (PE32+ native)" + lack("native Windows")),
    (pe(0x14C, 2, plus=False), "is a Windows program for 32-bit x86 (PE32 GUI)" + lack("32-bit x86 Windows")),
    (pe(0xAA64, 3, dll=True), "is a Windows library (DLL) for AArch64 (PE32+ console)" + lack("AArch64 Windows")),
    (pe(0x8664, 3, clr=True), "is a Windows program for x86-64 (PE32+ console, .NET)" + lack(".NET")),
    (pe(0x8664, 10), "is a UEFI program for x86-64 (PE32+ application)" + lack("UEFI")),
    (new_executable(b"NE"), "is a 16-bit Windows or OS/2 program (NE)" + lack("16-bit Windows")),
    (b"MZ" + bytes(100), "is a DOS program (MZ)" + lack("DOS")),
    (b"MZ", "is a DOS program (MZ)" + lack("DOS")),
    (macho("<", 0xFEEDFACF, 0x0100000C, 2), "is a macOS program for AArch64 (Mach-O)" + lack("macOS")),
    (macho(">", 0xFEEDFACE, 18, 6), "is a macOS library (dylib) for PowerPC (Mach-O)" + lack("macOS")),
    (FAT, "is a macOS file for x86-64 and AArch64 (fat Mach-O)" + lack("macOS")),
    (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40), "is a Java class file; compat runs machine code only"),
    (b"\0asm\1\0\0\0", "is a WebAssembly module; compat runs machine code only"),
    (b"\x1f\x8b\x08" + bytes(20), "is a gzip archive, not a program"),
    (b"PK\3\4" + bytes(20), "is a ZIP archive (or a package made as one), not a program"),
    (b"!<arch>\ndebian-binary   ", "is a Debian package, not a program"),
    (b"!<arch>\nfoo.o/          ", "is a static library (ar archive), not a program"),
    (bytes(257) + b"ustar\0", "is a tar archive, not a program"),
    (b"echo hello\n", TEXT),
    ("grüße\n".encode(), TEXT),
    (b"<?php echo 1;", "is a PHP script, not a program"),
    (bytes(64), "begins with zeros only and is of no kind that compat knows"),
    (b"\x01\x02\x03\x04\x05", "is of no kind that compat knows (it begins with the bytes 01 02 03 04)"),
    (b"", "is empty"),
]


@pytest.mark.parametrize(("data", "sentence"), SENTENCES)
def test_each_kind_has_its_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Unsupported) as caught:
        detect(Source.of_bytes(data, "thing"))
    assert str(caught.value) == f"thing {sentence}"


def test_a_com_file_goes_by_its_name() -> None:
    with pytest.raises(Unsupported, match=r"^EDIT\.COM is by its name a DOS program \(COM\); compat has no DOS"):
        detect(Source.of_bytes(b"\xb4\x09\xba\x09\x01\xcd\x21", "EDIT.COM"))


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_a_cut_off_pe_or_macho_still_gives_one_sentence(cut: int) -> None:
    for whole in (pe(0x8664, 3), FAT, macho("<", 0xFEEDFACF, 7, 2)):
        with pytest.raises(CompatError) as caught:
            detect(Source.of_bytes(whole[:cut], "thing"))
        assert "\n" not in str(caught.value)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, "is a directory, not a program"),
        (tmp_path / "pipe", "is a pipe, not a program"),
        ("/dev/null", "is a device, not a program"),
        (tmp_path / "none", ": No such file or directory"),
        (b"a\0b", ": no file's name holds a NUL byte"),
    ):
        with pytest.raises(BadFile) as caught, open_source(path):
            pass
        assert str(caught.value).endswith(words)


def test_a_name_can_not_break_the_sentence() -> None:
    with pytest.raises(Unsupported) as caught:
        detect(Source.of_bytes(b"", b"a\nb\x1b[31m\xff"))
    assert str(caught.value) == r"a\nb\x1b[31m\udcff is empty"
