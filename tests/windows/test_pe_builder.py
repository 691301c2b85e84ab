"""Synthetic images are PE files that the loader's own reader, and so any other, understands."""

from __future__ import annotations

from compat.abi.abi import Abi
from loaders.pe_exports import exports_of
from loaders.pe_file import PeFile
from loaders.source import Source
from shims.windows.pe_builder import Export, build_image
from shims.windows.stubs import Stubs

EXPORTS = [Export("Both", 0x5000_0001, 0x1234_5678_9ABC), Export("Host", 0x5000_0002, 0), Export("Own", None, 0x77)]


def built() -> tuple[bytes, PeFile]:
    data = build_image("some.dll", EXPORTS, Stubs(Abi("windows", "x86-64"))).data
    return data, PeFile(Source.of_bytes(data, "some.dll"))


def test_its_exports_are_found_by_name() -> None:
    data, file = built()
    found = exports_of(file)
    assert found is not None
    assert found.name == "some.dll"
    assert [(export.name, export.ordinal) for export in found.exports] == [("Both", 1), ("Host", 2), ("Own", 3)]
    text = file.sections[0]
    assert all(text.address <= export.address < text.address + text.size for export in found.exports)
    assert text.execute
    assert not text.write
    assert len(data) == file.header.image_size


def test_what_the_stubs_do() -> None:
    data, file = built()
    found = exports_of(file)
    assert found is not None
    both, host, own = (data[export.address : export.address + 16] for export in found.exports)
    assert host.startswith(b"\xb8\x02\x00\x00\x50\x0f\x05\xc3")  # mov eax, number; syscall; ret
    assert both.startswith(b"\xb8\x01\x00\x00\x50\x0f\x05\xff\x25")  # then jmp [rip+distance]
    assert own.startswith(b"\xff\x25")
    for code, start, size, target in (
        (both, found.exports[0].address, 13, EXPORTS[0].target),
        (own, found.exports[2].address, 6, EXPORTS[2].target),
    ):
        word = start + size + int.from_bytes(code[size - 4 : size], "little")
        assert data[word : word + 8] == target.to_bytes(8, "little")


def test_a_library_of_many_exports() -> None:
    exports = [Export(f"Name{number:05}", number, 0) for number in range(3000)]
    data = build_image("many.dll", exports, Stubs(Abi("windows", "x86-64"))).data
    found = exports_of(PeFile(Source.of_bytes(data, "many.dll")))
    assert found is not None
    assert [export.name for export in found.exports] == [export.name for export in exports]
