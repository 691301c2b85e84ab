"""A Windows process without a CPU."""

from __future__ import annotations

import os
from pathlib import Path

from compat.abi.abi import Abi
from compat.guest import load_image
from compat.host import Host
from compat.image import Image
from compat.memory import AddressSpace, Ram
from compat.process import Options
from compat.sandbox.place import Opened
from shims.linux.execution import OpenProgram
from shims.windows.state import WindowsProcess

SAMPLES = Path(__file__).parents[2] / "samples" / "windows"


def make_process(cpu: str = "x86-64") -> WindowsProcess:
    """A process with an empty address space."""
    linux = Abi("linux", cpu)
    memory = AddressSpace(Ram(64 << 20), top=linux.cpu.top)
    return WindowsProcess(linux, Abi("windows", cpu), memory, Host(), Options())


def open_program(path: Path) -> OpenProgram:
    """The PE file *path*, as a process keeps its program."""
    name = os.fsencode(path)
    file = Opened(os.open(path, os.O_RDONLY), None, name, None)
    image = load_image(file.fd, name)
    assert isinstance(image, Image)
    return OpenProgram(image, file, name)
