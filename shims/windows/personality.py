"""What the engine asks of Windows: as of Linux, but that the first program is the runtime, which loads the PE file."""

from __future__ import annotations

import os

from compat.abi.abi import Abi
from compat.data import replace
from compat.errors import BadFile, CompatError
from compat.host import Host
from compat.image import Image
from compat.memory import AddressSpace
from compat.process import Options, Program, Registers, Thread
from compat.sandbox.place import Opened
from shims.linux.execution import OpenProgram, open_program
from shims.linux.personality import Linux
from shims.windows.environment import windows_environment
from shims.windows.state import WindowsProcess

__all__ = ["Windows", "make_personality", "make_process"]

_RUNTIMES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runtime")


def make_process(abi: Abi, memory: AddressSpace, host: Host, options: Options) -> WindowsProcess:
    """A process without a program; *abi* are Windows's tables."""
    return WindowsProcess(Abi("linux", abi.cpu.name), abi, memory, host, options)


def make_personality(process: WindowsProcess) -> Windows:
    return Windows(process)


class Windows(Linux):
    """The personality of one Windows process."""

    process: WindowsProcess

    def start(self, program: Program, registers: Registers) -> Thread:
        environment = windows_environment(program.environment)
        return super().start(replace(program, environment=environment), registers)

    def open(self, program: Program) -> tuple[OpenProgram, list[bytes]]:
        process = self.process
        file = Opened(os.open(program.path, os.O_RDONLY | os.O_CLOEXEC), None, program.guest_path, None)
        image = process.load_image(file.fd, program.guest_path)
        if not isinstance(image, Image) or image.pe is None or image.kind == "shared-library":
            os.close(file.fd)
            raise BadFile(f"{os.fsdecode(program.path)} is a library (DLL), not a program")
        process.program = OpenProgram(image, file, program.guest_path)
        path = os.path.join(_RUNTIMES, f"windows-{process.abi.cpu.name}")
        try:
            runtime = Opened(os.open(path, os.O_RDONLY | os.O_CLOEXEC), None, program.guest_path, None)
        except OSError as error:
            raise CompatError(f"{path}, the runtime of Windows programs: {error.strerror}") from None
        opened, _ = open_program(process, runtime, program.guest_path, program.arguments)
        return opened, program.arguments
