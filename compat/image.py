"""What a loader makes of a file: plain frozen data, the same for every guest and CPU."""

from __future__ import annotations

from typing import Literal

from compat.data import dataclass

__all__ = ["ElfDetails", "Image", "Kind", "PeDetails", "Script", "Section", "Segment", "Tls"]

Kind = Literal["static", "static-pie", "dynamic", "shared-library"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the file to be mapped.

    *address* is the address the file asks for, before any load bias; *offset* and *file_size* are bytes of
    the file; the rest of *memory_size* is zero. *address* and *offset* agree modulo the 4096-byte page.
    """

    address: int
    offset: int
    file_size: int
    memory_size: int
    read: bool
    write: bool
    execute: bool

    @property
    def end(self) -> int:
        return self.address + self.memory_size


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a PE file.

    *address* is an RVA; *offset* and *file_size* are bytes of the file, which need not agree with it modulo a page; the
    rest of *size* is zero. *characteristics* are IMAGE_SCN_* bits.
    """

    name: str
    address: int
    size: int
    offset: int
    file_size: int
    characteristics: int

    @property
    def read(self) -> bool:
        return bool(self.characteristics & 0x4000_0000)

    @property
    def write(self) -> bool:
        return bool(self.characteristics & 0x8000_0000)

    @property
    def execute(self) -> bool:
        return bool(self.characteristics & 0x2000_0000)

    @property
    def shared(self) -> bool:
        return bool(self.characteristics & 0x1000_0000)


@dataclass(frozen=True, slots=True)
class Tls:
    """The initial contents of thread-local storage (PT_TLS), as addresses before any load bias."""

    address: int
    file_size: int
    memory_size: int
    alignment: int


@dataclass(frozen=True, slots=True)
class ElfDetails:
    """What an ELF file says about the exact ABI and instruction set that it was built for.

    *flags* is e_flags as it stands. *abi* is "eabi5", "o32", "n64", "elfv1", "elfv2" or "" where a CPU has
    only one. *float_abi* is "soft", "single", "double", "quad", "hard", "any", or for MIPS the name of an FP
    mode ("xx", "64", "64a"). *isa* is the level the file needs: "mips32r2", "x86-64-v3", "rvc" or "".
    *properties* are the GNU properties by name, such as "BTI" and "SHSTK".
    """

    flags: int = 0
    abi: str = ""
    float_abi: str = ""
    isa: str = ""
    nan2008: bool = False
    properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeDetails:
    """Where a PE file wants to lie: at *base*, *size* bytes, of which the first *headers_size* are its headers."""

    base: int
    size: int
    headers_size: int
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A program or library that compat may map.

    *guest* is the branded operating system and *brand* says where the brand was found. *relocatable* tells
    whether the loader may add a bias (ET_DYN). *alignment* is what that bias must be a multiple of.
    *phdr_address* is where the program headers lie in memory (0 if no segment holds them), *phdr_size* the
    size of one. *stack_executable* is None where the file does not say. *needed*, *soname*, *rpath* and
    *runpath* are the guest dynamic loader's business and only informative here. *remarks* are sentences on
    damage that does not stop the guest's own kernel. A PE file has no segments, but *pe*; *entry* is an address there,
    too.
    """

    format: Literal["elf", "pe"]
    guest: str
    brand: str
    cpu: str
    kind: Kind
    relocatable: bool
    entry: int
    alignment: int
    segments: tuple[Segment, ...]
    interpreter: bytes | None
    phdr_address: int
    phdr_size: int
    phdr_count: int
    tls: Tls | None
    stack_executable: bool | None
    elf: ElfDetails
    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    remarks: tuple[str, ...] = ()
    pe: PeDetails | None = None

    @property
    def lowest(self) -> int:
        """The lowest address of any segment."""
        return min(segment.address for segment in self.segments)

    @property
    def highest(self) -> int:
        """The first address beyond all segments."""
        return max(segment.end for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Script:
    """A file that begins with `#!`: the interpreter's path and at most one argument, as Linux splits them."""

    interpreter: bytes
    argument: bytes | None
