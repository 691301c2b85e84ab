"""What Windows keeps for a process beside what Linux does."""

from __future__ import annotations

from functools import cached_property

from compat.abi.abi import Abi
from compat.host import Host
from compat.memory import AddressSpace
from compat.process import ForeignCall, Options
from shims.linux.execution import OpenProgram
from shims.linux.state import LinuxProcess
from shims.windows.handles import Handles
from shims.windows.imports import Imports
from shims.windows.unwritten import end_at_unwritten

__all__ = ["WindowsProcess"]


class WindowsProcess(LinuxProcess):
    """*windows* are Windows's tables, *abi* Linux's; *program* is the PE file. *runtime* has the addresses of the
    runtime's functions by name, *modules* what is mapped as an image: base → (size, the file's or library's name).
    *tebs* has the address of each thread's TEB by its id. *allocations* are what VirtualAlloc
    reserved: base → size. *spare_stubs* is a page of stubs outside of images: its start
    and where the next one goes."""

    program: OpenProgram

    def __init__(self, abi: Abi, windows: Abi, memory: AddressSpace, host: Host, options: Options) -> None:
        super().__init__(abi, memory, host, options)
        self.windows = self.other_abi = windows
        self.imports = Imports(windows)
        self.handles = Handles()
        self.runtime: dict[str, int] = {}
        self.modules: dict[int, tuple[int, str]] = {}
        self.tebs: dict[int, int] = {}
        self.allocations: dict[int, int] = {}
        self.spare_stubs: tuple[int, int] | None = None

    def foreign(self, number: int) -> ForeignCall | None:
        name = self.windows.names.get(number)
        if name is not None:
            return ForeignCall(self.windows, self.windows.tables.rows[name], None, end_at_unwritten)
        return self.imports.call(number)

    @cached_property
    def libraries(self) -> dict[str, list[str]]:
        """The names of each library's rows, by the library."""
        found: dict[str, list[str]] = {}
        for key in self.windows.tables.rows:
            library, mark, name = key.partition("!")
            if mark:
                found.setdefault(library, []).append(name)
        return found
