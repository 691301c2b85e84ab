"""Files that are no ELF, named by their first bytes, for the one sentence that refuses them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from loaders.foreign_macho import is_macho, macho_words
from loaders.foreign_mz import mz_words
from loaders.source import Source

__all__ = ["refusal"]

HEAD = 512

_NOT_A_PROGRAM: Final = "is {}, not a program"
_NO_GUEST: Final = "is {}; compat has no {} guest yet"
_NO_CPU: Final = "is {}; compat runs machine code only"

# (offset, bytes): sentence. The longest of several that fit comes first.
_MAGICS: Final = (
    (0, b"\x1f\x8b", _NOT_A_PROGRAM.format("a gzip archive")),
    (0, b"BZh", _NOT_A_PROGRAM.format("a bzip2 archive")),
    (0, b"\xfd7zXZ\0", _NOT_A_PROGRAM.format("an xz archive")),
    (0, b"\x28\xb5\x2f\xfd", _NOT_A_PROGRAM.format("a zstd archive")),
    (0, b"7z\xbc\xaf\x27\x1c", _NOT_A_PROGRAM.format("a 7-Zip archive")),
    (0, b"Rar!\x1a\x07", _NOT_A_PROGRAM.format("a RAR archive")),
    (0, b"PK\x03\x04", _NOT_A_PROGRAM.format("a ZIP archive (or a package made as one)")),
    (0, b"!<arch>\ndebian-binary", _NOT_A_PROGRAM.format("a Debian package")),
    (0, b"!<arch>\n", _NOT_A_PROGRAM.format("a static library (ar archive)")),
    (0, b"!<thin>\n", _NOT_A_PROGRAM.format("a static library (thin ar archive)")),
    (0, b"\xed\xab\xee\xdb", _NOT_A_PROGRAM.format("an RPM package")),
    (257, b"ustar", _NOT_A_PROGRAM.format("a tar archive")),
    (0, b"hsqs", _NOT_A_PROGRAM.format("a SquashFS image")),
    (0, b"%PDF-", _NOT_A_PROGRAM.format("a PDF document")),
    (0, b"\x89PNG", _NOT_A_PROGRAM.format("a PNG picture")),
    (0, b"\x7fCGC", _NO_GUEST.format("a DECREE program (CGC)", "DECREE")),
    (0, b"\xca\xfe\xba\xbe", _NO_CPU.format("a Java class file")),
    (0, b"\0asm", _NO_CPU.format("a WebAssembly module")),
    (0, b"BC\xc0\xde", _NO_CPU.format("LLVM bitcode")),
    (0, b"\x1bLua", _NO_CPU.format("Lua bytecode")),
    (0, b"dex\n", _NO_CPU.format("Android bytecode (DEX)")),
    (2, b"\x0d\x0d\x0a", _NO_CPU.format("Python bytecode")),
    (0, b"Joy!peff", _NO_GUEST.format("a classic Mac OS program (PEF)", "classic Mac OS")),
    (0, b"\0\0\x03\xf3", _NO_GUEST.format("an Amiga program (hunk format)", "Amiga")),
    (0, b"bFLT", _NO_GUEST.format("a uClinux program (flat format)", "uClinux")),
    (0, b"\x01\xdf", _NO_GUEST.format("an AIX program (32-bit XCOFF)", "AIX")),
    (0, b"\x01\xf7", _NO_GUEST.format("an AIX program (64-bit XCOFF)", "AIX")),
    (0, b"\x60\x1a", _NO_GUEST.format("an Atari ST program (GEMDOS)", "Atari ST")),
    (0, b"\x4c\x01", _NOT_A_PROGRAM.format("an object file or an old UNIX program (COFF for 32-bit x86)")),
    (0, b"\x64\x86", _NOT_A_PROGRAM.format("an object file (COFF for x86-64)")),
    (0, b"\x07\x01", _NO_GUEST.format("an old Linux or BSD program (a.out, OMAGIC)", "a.out")),
    (0, b"\x08\x01", _NO_GUEST.format("an old Linux or BSD program (a.out, NMAGIC)", "a.out")),
    (0, b"\x0b\x01", _NO_GUEST.format("an old Linux or BSD program (a.out, ZMAGIC)", "a.out")),
    (0, b"\xcc\0", _NO_GUEST.format("an old Linux or BSD program (a.out, QMAGIC)", "a.out")),
)

_TEXT: Final = frozenset(range(0x20, 0x100)) | frozenset(b"\t\n\r\f\v\b\x1b") - frozenset(b"\x7f")
_FIRST_WORDS: Final = MappingProxyType({b"<?php": "a PHP script", b"@echo": "a DOS or Windows batch file"})


def refusal(source: Source) -> str:
    """One sentence on what a file is that is neither ELF nor a script, and why compat does not run it."""
    head = source.read(0, HEAD)
    return f"{source.name} {_words(source, head)}"


def _words(source: Source, head: bytes) -> str:
    if not head:
        return "is empty"
    if head[:2] in (b"MZ", b"ZM"):
        return _NO_GUEST.format(*mz_words(source, head))
    if is_macho(head):
        return _NO_GUEST.format(macho_words(source, head), "macOS")
    for offset, magic, sentence in _MAGICS:
        if head.startswith(magic, offset):
            return sentence
    if source.name.lower().endswith(".com") and source.size < 0x1_0000:
        return _NO_GUEST.format("by its name a DOS program (COM)", "DOS")
    if not head.strip(b"\0"):
        return "begins with zeros only and is of no kind that compat knows"
    if _TEXT.issuperset(head):
        return _text_words(head)
    return f"is of no kind that compat knows (it begins with the bytes {head[:4].hex(' ')})"


def _text_words(head: bytes) -> str:
    for word, words in _FIRST_WORDS.items():
        if head.lower().startswith(word):
            return _NOT_A_PROGRAM.format(words)
    return "is text without a first line such as #!/bin/sh that names its interpreter"
