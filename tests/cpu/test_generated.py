"""What is generated or copied from elsewhere agrees with its source."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable

import pytest

from compat.cpu.build_interface import GENERATED, generate
from tests.cpu.assemble import PROGRAMS, assemble
from tests.cpu.sources import CPUS, SOURCES


def test_interface_is_what_its_generator_makes() -> None:
    assert GENERATED.read_text() == generate()


@pytest.mark.parametrize("cpu", CPUS)
def test_programs_are_what_their_sources_make(cpu: str) -> None:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    assert json.loads(PROGRAMS.read_text())[cpu] == assemble(cpu)
    assert set(SOURCES[cpu]) >= {"trap", "load", "store"}


_NAMES: dict[str, tuple[str, Callable[[str], str]]] = {
    "x86": ("x86", lambda name: name.upper()),
    "x86-64": ("x86", lambda name: name.upper()),
    "aarch64": ("arm64", lambda name: name.upper()),
    "arm": ("arm", lambda name: {"tpidruro": "C13_C0_3"}.get(name, name.upper())),
    "riscv64": ("riscv", lambda name: name.upper()),
    "mips": ("mips", lambda name: {"userlocal": "CP0_USERLOCAL"}.get(name, name.lstrip("r").upper())),
    "ppc64": (
        "ppc",
        lambda name: f"FPR{name[1:]}" if name[0] == "f" and name[1:].isdigit() else name.lstrip("r").upper(),
    ),
    "s390x": ("s390x", lambda name: f"F{name[5:]}_HI" if name.startswith("f_low") else name.upper()),
}


@pytest.mark.parametrize("cpu", _NAMES)
def test_register_numbers_are_unicorns(cpu: str) -> None:
    from compat.cpu.machine import _FAMILIES

    module, translate = _NAMES[cpu]
    constants = vars(importlib.import_module(f"unicorn.{module}_const"))
    file, name = _FAMILIES[cpu]
    registers = getattr(importlib.import_module(f"compat.cpu.{file}"), name).registers
    for register, known in registers.items():
        assert known.id == constants[f"UC_{module.upper()}_REG_{translate(register)}"], register
