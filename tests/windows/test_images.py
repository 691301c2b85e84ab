"""PE files as image sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.errors import MemoryFault
from shims.windows.images import map_image
from tests.loaders.build_pe import Pe
from tests.windows.guest import make_process, open_program


def small(tmp_path: Path, *, relocatable: bool = False) -> Path:
    pe = Pe()
    pe.add(b"data of the program")
    if relocatable:
        pe.directory("relocation", bytes(8))
    path = tmp_path / "Small.exe"
    path.write_bytes(bytes(pe))
    return path


def test_sections_lie_at_their_addresses_with_their_rights(tmp_path: Path) -> None:
    process, program = make_process(), open_program(small(tmp_path))
    base = map_image(process, program)
    assert base == 0x1_4000_0000
    memory = process.memory
    assert memory.read(base, 2) == b"MZ"
    assert memory.read(base + 0x1000, 1) == b"\xc3"
    assert memory.read(base + 0x2000, 19) == b"data of the program"
    assert [memory.rights(base + offset) for offset in (0, 0x1000, 0x2000)] == [1, 5, 3]
    with pytest.raises(MemoryFault):
        memory.write(base + 0x1000, b"x")
    memory.write(base + 0x2000, b"x")
    assert b"xata" not in program.file.guest_path + Path(tmp_path / "Small.exe").read_bytes()
    assert process.modules == {base: (0x3000, "small.exe")}


def test_a_taken_place(tmp_path: Path) -> None:
    process = make_process()
    process.memory.map(0x1000, 3, address=0x1_4000_1000, fixed=True)
    with pytest.raises(OSError, match="taken"):
        map_image(process, open_program(small(tmp_path)))
    base = map_image(process, open_program(small(tmp_path, relocatable=True)))
    assert base != 0x1_4000_0000
    assert process.memory.read(base + 0x1000, 1) == b"\xc3"
