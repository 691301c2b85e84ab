"""PE files: what is read from those that are built here and from those of pip and setuptools, and what is refused."""

from __future__ import annotations

import importlib.util
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import lief
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.errors import BadFile
from loaders.pe_exports import PeExport, exports_of
from loaders.pe_file import PeFile
from loaders.pe_imports import PeImport, libraries_of
from loaders.pe_relocations import relocations_of
from loaders.pe_resources import Resource, resources_of
from loaders.pe_tls import load_configuration_of, tls_of
from loaders.source import Source, open_source
from tests.loaders.build_pe import Pe


def parsed(pe: Pe | bytes) -> PeFile:
    return PeFile(Source.of_bytes(bytes(pe), "prog.exe"))


def launchers() -> list[Path]:
    """The launchers for three CPUs that pip and setuptools carry."""
    found = []
    for package, pattern in (("setuptools", "*.exe"), ("pip", "_vendor/distlib/*.exe")):
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            found += sorted(Path(folder).glob(pattern))
    return found


@pytest.fixture(params=[True, False], ids=["PE32+", "PE32"])
def pe(request: pytest.FixtureRequest) -> Pe:
    return Pe(plus=request.param)


def test_the_headers_and_sections(pe: Pe) -> None:
    file = parsed(pe)
    header = file.header
    assert (header.plus, header.entry, header.base) == (pe.plus, 0x1000, pe.base)
    assert (header.subsystem, header.stack_reserve, header.heap_commit) == (3, 1 << 20, 4096)
    text, data = file.sections
    assert (text.name, text.address, text.size, text.offset) == (".text", 0x1000, 1, 0x400)
    assert (text.read, text.write, text.execute) == (True, False, True)
    assert (data.read, data.write, data.execute, data.shared) == (True, True, False, False)


def test_bytes_are_found_by_address(pe: Pe) -> None:
    pe.add(b"abc")
    file = parsed(pe)
    assert file.peek(0, 2) == b"MZ"
    assert file.peek(0x1000, 1) == b"\xc3"
    assert file.peek(0x2001, 9) == b"bc"
    with pytest.raises(BadFile, match="a thing at RVA 0x2001 reaches beyond its section"):
        file.read(0x2001, 9, "a thing")


def test_imports_by_name_and_by_ordinal(pe: Pe) -> None:
    first = pe.import_library("KERNEL32.dll", ["ExitProcess", 42])
    pe.table("import", first, pe.import_library("a.dll", ["b"]))
    kernel, other = libraries_of(parsed(pe))
    assert (kernel.name, kernel.delayed, other.name) == ("KERNEL32.dll", False, "a.dll")
    slot = first[4]
    assert kernel.imports == (PeImport("ExitProcess", 7, slot), PeImport(None, 42, slot + pe.word))


def test_delayed_imports(pe: Pe) -> None:
    fields = pe.import_library("late.dll", ["f"], delayed=True)
    pe.table("delayed import", fields)
    (library,) = libraries_of(parsed(pe))
    assert (library.name, library.delayed, library.module) == ("late.dll", True, fields[2])
    assert library.imports == (PeImport("f", 7, fields[3]),)


def test_exports_and_forwards(pe: Pe) -> None:
    library, first, second = pe.text("my.dll"), pe.text("alpha"), pe.text("beta")
    ordinals, names = pe.add(struct.pack("<HH", 0, 2)), pe.add(struct.pack("<II", first, second))
    start = 0x2000 + len(pe.data) + -len(pe.data) % 8
    forward = start + 40
    table = pe.add(bytes(0)) + 40 + 16
    raw = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, library, 5, 3, 2, table, names, ordinals)
    pe.directory("export", raw + b"other.gamma\0".ljust(16, b"\0"))
    assert pe.add(struct.pack("<III", 0x1000, 0x1001, forward)) == table
    found = exports_of(parsed(pe))
    assert found is not None
    assert found.name == "my.dll"
    assert found.exports == (
        PeExport(5, "alpha", 0x1000),
        PeExport(7, "beta", 0, "other.gamma"),
        PeExport(6, None, 0x1001),
    )


def test_relocations(pe: Pe) -> None:
    kind = 10 if pe.plus else 3
    block = struct.pack("<IIHH", 0x2000, 12, kind << 12 | 8, 0) + struct.pack("<IIHH", 0x1000, 12, kind << 12, 0)
    pe.directory("relocation", block)
    assert list(relocations_of(parsed(pe))) == [(0x2008, pe.word), (0x1000, pe.word)]


def test_thread_local_storage(pe: Pe) -> None:
    data, index = pe.add(b"init"), pe.add(bytes(4))
    addresses = pe.words(pe.base + data, pe.base + data + 4, pe.base + index, 0)
    pe.directory("TLS", addresses + struct.pack("<II", 12, 4 << 20))
    tls = tls_of(parsed(pe))
    assert tls is not None
    assert (tls.data, tls.size, tls.zeros, tls.index, tls.callbacks, tls.alignment) == (data, 4, 12, index, 0, 8)


def test_the_load_configuration_ends_where_it_says(pe: Pe) -> None:
    cookie = 0x58 if pe.plus else 0x3C
    raw = bytearray(struct.pack("<I", cookie + pe.word).ljust(0x100, b"\xff"))
    raw[cookie : cookie + pe.word] = pe.words(pe.base + 0x2040)
    pe.directory("load configuration", bytes(raw))
    found = load_configuration_of(parsed(pe))
    assert (found.cookie, found.check, found.guard_flags, found.hybrid) == (0x2040, 0, 0, 0)


def tree(*, depth: int = 3) -> bytes:
    """Resource type 16, name "AB", language 1033; *depth* directories."""
    levels = (16, 1 << 31 | 0x60, 1033)[:depth]
    raw = b""
    for level, key in enumerate(levels):
        place = 0x48 if level == depth - 1 else 1 << 31 | (level + 1) * 24
        raw += struct.pack("<IIHHHHII", 0, 0, 0, 0, 0, 1, key, place)
    raw = raw.ljust(0x48, b"\0") + struct.pack("<IIII", 0x1000, 1, 1252, 0)
    return raw.ljust(0x60, b"\0") + struct.pack("<H4s", 2, "AB".encode("utf-16-le"))


def test_resources(pe: Pe) -> None:
    pe.directory("resource", tree())
    assert list(resources_of(parsed(pe))) == [Resource(16, "AB", 1033, 0x1000, 1, 1252)]


def test_resources_of_another_depth_are_refused(pe: Pe) -> None:
    pe.directory("resource", tree(depth=2))
    with pytest.raises(BadFile, match="does not lie 3 directories deep"):
        list(resources_of(parsed(pe)))


def changed(**fields: int) -> Callable[[Pe], None]:
    return lambda pe: vars(pe).update(fields)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (changed(base=0x1001_0001), "ImageBase 0x10010001 is not a multiple of 64 KiB"),
        (changed(entry=0x9000), "AddressOfEntryPoint 0x9000 lies beyond the image"),
        (changed(image_size=0), "SizeOfImage 0x0 can't be"),
        (changed(image_size=0x2000), "section .data: it ends at 0x3000, beyond SizeOfImage 0x2000"),
        (changed(section_alignment=0x800), "SectionAlignment 0x800 is less than a page, and FileAlignment differs"),
        (changed(file_alignment=0x300), "FileAlignment 0x300 don't go together"),
        (changed(section_alignment=0x2000), "section .text: VirtualAddress 0x1000 lies over something else"),
        (changed(characteristics=0), "it is not marked as an image"),
    ],
)
def test_a_field_that_can_not_be_is_named(pe: Pe, change: Callable[[Pe], None], sentence: str) -> None:
    change(pe)
    with pytest.raises(BadFile, match=sentence):
        parsed(pe)


def test_a_file_cut_short_is_refused(pe: Pe) -> None:
    whole = bytes(pe)
    for size in (1, 0x3F, 0x40, 0x50, 0x60, 0x150, 0x3FF, 0x401):
        with pytest.raises(BadFile, match=r"^prog\.exe"):
            parsed(whole[:size])


@pytest.mark.parametrize("path", launchers(), ids=lambda path: path.name)
def test_another_reader_finds_the_same(path: Path) -> None:
    theirs = lief.PE.parse(str(path))
    assert isinstance(theirs, lief.PE.Binary)
    with open_source(path) as source:
        file = PeFile(source)
        ours = [(library.name, [(i.name, i.number, i.slot) for i in library.imports]) for library in libraries_of(file)]
        relocations = sorted(relocations_of(file))
        resources, configuration = list(resources_of(file)), load_configuration_of(file)
    wanted = [
        (
            str(library.name),
            [(None if e.is_ordinal else e.name, e.ordinal if e.is_ordinal else e.hint, e.iat_address) for e in entries],
        )
        for library in theirs.imports
        for entries in [list(library.entries)]
    ]
    assert ours == wanted
    assert relocations == sorted((e.address, e.size // 8) for b in theirs.relocations for e in b.entries if e.size)
    assert len(resources) == sum(
        len(language.childs)
        for kind in (theirs.resources.childs if theirs.resources else ())
        for language in kind.childs
    )
    found = theirs.load_configuration
    assert configuration.cookie == (file.rva(found.security_cookie or 0) if found else 0)


def read_all(data: bytes) -> None:
    file = parsed(data)
    for read in (libraries_of, exports_of, tls_of, load_configuration_of):
        with suppress(BadFile):
            read(file)
    for each in (relocations_of, resources_of):
        with suppress(BadFile):
            for _ in each(file):
                pass


def full(*, plus: bool) -> bytes:
    """A file that has something in each directory."""
    pe = Pe(plus=plus)
    pe.table("import", pe.import_library("a.dll", ["f", 3]))
    pe.table("delayed import", pe.import_library("b.dll", ["g"], delayed=True))
    pe.directory("relocation", struct.pack("<IIHH", 0x2000, 12, 10 << 12 | 8, 0))
    pe.directory("TLS", pe.words(pe.base + 0x2000, pe.base + 0x2008, pe.base + 0x2010, 0) + bytes(8))
    pe.directory("load configuration", struct.pack("<I", 0x100).ljust(0x100, b"\0"))
    pe.directory("resource", tree())
    names, ordinals = pe.add(struct.pack("<I", pe.text("e"))), pe.add(bytes(2))
    table = pe.add(struct.pack("<I", 0x1000))
    pe.directory("export", struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, pe.text("c"), 1, 1, 1, table, names, ordinals))
    return bytes(pe)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(plus=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_a_damaged_file_ends_in_a_result_or_a_sentence(plus: bool, seed: int) -> None:
    chance, data = random.Random(seed), bytearray(full(plus=plus))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(0x3C, len(data) - 4)
        value = chance.choice(
            (0, 1, 0xFF, 0x1000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, chance.getrandbits(32))
        )
        data[at : at + 4] = value.to_bytes(4, "little")
    with suppress(BadFile):
        read_all(bytes(data))
