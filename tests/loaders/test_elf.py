"""Good samples give exact Images; each kind of damage gives one sentence that names file and field."""

from __future__ import annotations

import pytest

from compat.errors import BadFile, Unsupported
from compat.image import ElfDetails, Image, Segment, Tls
from loaders.detect import detect
from loaders.source import Source
from tests.loaders.splice import find, put, sample

LOAD, DYNAMIC, INTERP, TLS, STACK = 1, 2, 3, 7, 0x6474E551


def image_of(data: bytes, **options: int) -> Image:
    image = detect(Source.of_bytes(data, "prog"), **options)  # type: ignore[arg-type]
    assert isinstance(image, Image)
    return image


def refusal_of(data: bytes, **options: int) -> str:
    with pytest.raises((BadFile, Unsupported)) as caught:
        image_of(data, **options)
    return str(caught.value)


CPUS = {
    "static-aarch64": "aarch64",
    "static-arm": "arm",
    "static-mips": "mips",
    "static-mips64": "mips64",
    "static-mips64el": "mips64el",
    "static-mipsel": "mipsel",
    "static-powerpc": "ppc",
    "static-powerpc64": "ppc64",
    "static-powerpc64le": "ppc64le",
    "static-riscv64": "riscv64",
    "static-s390x": "s390x",
    "static-x86": "x86",
    "static-x86_64": "x86-64",
}


@pytest.mark.parametrize(("name", "cpu"), CPUS.items())
def test_every_cpu_is_named_and_its_program_mapped(name: str, cpu: str) -> None:
    image = image_of(sample(name))
    assert (image.guest, image.cpu, image.kind, image.relocatable) == ("linux", cpu, "static", False)
    assert image.stack_executable is False
    assert image.interpreter is None
    assert image.remarks == ()
    assert any(part.execute and part.address <= image.entry < part.end for part in image.segments)
    assert [part.address for part in image.segments] == sorted(part.address for part in image.segments)


def test_an_image_repeats_the_program_headers_exactly() -> None:
    image = image_of(sample("static-x86_64"))
    assert image == Image(
        format="elf",
        guest="linux",
        brand="",
        cpu="x86-64",
        kind="static",
        relocatable=False,
        entry=0x10012BC,
        alignment=4096,
        segments=(
            Segment(0x1000000, 0, 0x2B4, 0x2B4, True, False, False),
            Segment(0x10012B4, 0x2B4, 39, 39, True, False, True),
            Segment(0x10022DC, 0x2DC, 4, 0xD24, True, True, False),
            Segment(0x10032E0, 0x2E0, 0, 64, True, True, False),
        ),
        interpreter=None,
        phdr_address=0x1000040,
        phdr_size=56,
        phdr_count=9,
        tls=Tls(0x10022DC, 4, 4, 4),
        stack_executable=False,
        elf=ElfDetails(),
    )
    assert (image.lowest, image.highest) == (0x1000000, 0x1003320)


def test_kinds() -> None:
    dynamic = image_of(sample("dynamic-x86_64"))
    assert (dynamic.kind, dynamic.interpreter) == ("dynamic", b"/lib64/ld-linux-x86-64.so.2")
    assert dynamic.needed == ("libc.so.6",)
    assert dynamic.brand == "GNU ABI tag Linux 2.0.0"
    pie = image_of(sample("static-pie-x86_64"))
    assert (pie.kind, pie.relocatable, pie.soname) == ("static-pie", True, None)
    library = image_of(sample("shared-s390x"))
    assert (library.kind, library.relocatable, library.soname) == ("shared-library", True, "libtiny.so.1")


@pytest.mark.parametrize(
    ("name", "abi", "float_abi", "isa"),
    [
        ("dynamic-arm", "eabi5", "hard", ""),
        ("static-mips", "o32", "soft", "mips32r2"),
        ("static-mips64el", "n64", "double", "mips64r2"),
        ("static-powerpc64", "elfv2", "", ""),
        ("static-riscv64", "", "double", "rvc"),
    ],
)
def test_abi_details(name: str, abi: str, float_abi: str, isa: str) -> None:
    details = image_of(sample(name)).elf
    assert (details.abi, details.float_abi, details.isa) == (abi, float_abi, isa)


def test_the_first_stack_header_decides_and_none_means_none() -> None:
    data = sample("static-x86")
    at = find(data, STACK)
    assert image_of(put(data, "p_flags", 7, at)).stack_executable is True
    assert image_of(put(data, "p_type", 0x7000_1234, at)).stack_executable is None


def test_phdr_address_is_found_by_offset_like_linux() -> None:
    data = sample("static-pie-x86_64")
    image = image_of(put(data, "p_vaddr", 0x9990, find(data, 6)))  # PT_PHDR lies
    assert image.phdr_address == 64


def test_alignment_ignores_what_is_no_power_of_two() -> None:
    data = sample("static-pie-x86_64")
    assert image_of(put(data, "p_align", 0x20_0000, find(data, LOAD))).alignment == 0x20_0000
    assert image_of(put(data, "p_align", 0x20_0001, find(data, LOAD))).alignment == 4096


def test_section_headers_do_not_matter() -> None:
    data = sample("dynamic-x86_64")
    spoiled = put(put(put(data, "e_shoff", 1 << 60), "e_shnum", 0xFFFF), "e_shstrndx", 0xFFFF)
    assert image_of(spoiled) == image_of(data)


X64 = sample("static-x86_64")
FIRST, SECOND = find(X64, LOAD), find(X64, LOAD, 1)
DAMAGES = {
    "short": (X64[:40], "prog: the ELF header is cut short: 40 of 64 bytes"),
    "class": (
        X64[:4] + b"\3" + X64[5:],
        "prog: ELF header: EI_CLASS is 3, neither 32-bit (1) nor 64-bit (2)",
    ),
    "order": (
        X64[:5] + b"\0" + X64[6:],
        "prog: ELF header: EI_DATA is 0, neither little-endian (1) nor big-endian (2)",
    ),
    "type": (
        put(X64, "e_type", 77),
        "prog: ELF header: e_type 0x4d is neither a program nor a shared object",
    ),
    "object": (
        put(X64, "e_type", 1),
        "prog is an object file (ELF, ET_REL) that was not linked into a program",
    ),
    "core": (put(X64, "e_type", 4), "prog is a core dump (ELF, ET_CORE), not a program"),
    "no headers": (
        put(X64, "e_phnum", 0),
        "prog: ELF header: e_phnum is 0, so nothing of the file can be mapped",
    ),
    "PN_XNUM": (
        put(X64, "e_phnum", 0xFFFF),
        "prog: ELF header: e_phnum is PN_XNUM (more than 65534 program headers), which Linux never runs",
    ),
    "many": (
        put(X64, "e_phnum", 2000),
        "prog: ELF header: e_phnum 2000 makes a table larger than 65536 bytes",
    ),
    "phentsize": (put(X64, "e_phentsize", 32), "prog: ELF header: e_phentsize is 32, not 56"),
    "phoff": (
        put(X64, "e_phoff", (1 << 64) - 8),
        f"prog: ELF header: e_phoff 0xfffffffffffffff8 puts the program headers beyond the file's {len(X64):#x} bytes",
    ),
    "filesz": (
        put(X64, "p_filesz", 0x1000, SECOND),
        f"prog: program header {SECOND}: p_filesz 0x1000 is larger than p_memsz 0x27",
    ),
    "beyond": (
        put(X64, "p_offset", 0x7_02B4, SECOND),
        f"prog: program header {SECOND}: p_offset 0x702b4 plus p_filesz 0x27 is beyond the file's "
        f"{len(X64):#x} bytes; the file is cut short or damaged",
    ),
    "incongruent": (
        put(X64, "p_offset", 0x100, SECOND),
        f"prog: program header {SECOND}: p_offset 0x100 and p_vaddr 0x10012b4 differ within a page of 4096 bytes",
    ),
    "kernel address": (
        put(X64, "p_vaddr", 0xFFFF_FFFF_8000_0000, FIRST),
        f"prog: program header {FIRST}: p_vaddr 0xffffffff80000000 plus p_memsz 0x2b4 is beyond "
        "the last address 0x7fffffffefff of a program",
    ),
    "wrap": (
        put(X64, "p_memsz", (1 << 64) - 1, FIRST),
        f"prog: program header {FIRST}: p_vaddr 0x1000000 plus p_memsz 0xffffffffffffffff is beyond "
        "the last address 0x7fffffffefff of a program",
    ),
    "overlap": (
        put(X64, "p_memsz", 0x2000, FIRST),
        f"prog: program headers {FIRST} and {SECOND} overlap at 0x10012b4",
    ),
    "nothing": (
        put(
            put(put(put(X64, "p_type", 0, FIRST), "p_type", 0, SECOND), "p_type", 0, SECOND + 1),
            "p_type",
            0,
            SECOND + 2,
        ),
        "prog: no program header is a PT_LOAD, so there is nothing to run",
    ),
}


@pytest.mark.parametrize(("data", "sentence"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_one_sentence_with_file_and_field(data: bytes, sentence: str) -> None:
    assert refusal_of(data) == sentence


def test_absurd_memory_is_refused_by_the_limit() -> None:
    last = find(X64, LOAD, 3)
    huge = put(X64, "p_memsz", 1 << 40, last)
    assert refusal_of(huge) == ("prog: the segments take 0x10000000fff bytes of memory, more than 0x400000000")
    assert image_of(huge, memory_limit=1 << 41).highest > 1 << 40
    assert "more than 0x100" in refusal_of(X64, memory_limit=0x100)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("p_filesz", 1, "p_filesz 0x1 is no length of a path (2 to 4096 bytes)"),
        ("p_filesz", 5000, "p_filesz 0x1388 is no length of a path (2 to 4096 bytes)"),
        ("p_filesz", 5, "the path does not end with a NUL byte"),
        ("p_offset", 1 << 40, "p_offset 0x10000000000 plus p_filesz 0x1c is beyond the file"),
    ],
)
def test_a_bad_interpreter_is_refused(field: str, value: int, words: str) -> None:
    data = sample("dynamic-x86_64")
    at = find(data, INTERP)
    assert refusal_of(put(data, field, value, at)) == f"prog: program header {at} (PT_INTERP): {words}"


def test_what_linux_runs_anyway_is_only_remarked_upon() -> None:
    assert image_of(put(X64, "e_entry", 0x5000)).remarks == ("ELF header: e_entry 0x5000 is in no executable segment",)
    two = put(X64, "p_type", TLS, find(X64, STACK))
    assert image_of(two).remarks == (f"program header {find(X64, STACK)}: a second PT_TLS",)
    dynamic = sample("dynamic-x86_64")
    second = find(dynamic, STACK)
    image = image_of(put(dynamic, "p_type", INTERP, second))
    assert image.interpreter == b"/lib64/ld-linux-x86-64.so.2"
    assert image.remarks == (f"program header {second}: a second PT_INTERP",)


def test_a_damaged_dynamic_section_is_only_remarked_upon() -> None:
    data = sample("dynamic-x86_64")
    image = image_of(put(data, "p_offset", len(data) - 3, find(data, DYNAMIC)))
    assert image.needed == ()
    assert image.remarks[0].startswith("dynamic section (PT_DYNAMIC): ")


# name: (sample, its e_machine and e_flags there, words on the CPU, what is missing)
NONE = "has no such CPU"
FOREIGN_CPUS = {
    "x32": ("static-x86", 62, 0, "x86-64 with 32-bit pointers (x32)", "has no x32 system calls"),
    "n32": ("static-mips", 8, 0x20, "64-bit MIPS with 32-bit pointers (n32)", "has no n32 system calls"),
    "o64": ("static-mips", 8, 0x2000, "MIPS in the o64 ABI", "has no o64 system calls"),
    "oabi": ("static-arm", 40, 2, "32-bit ARM in the old ABI (OABI)", "knows only the ARM EABI"),
    "sparc": ("static-powerpc", 2, 0, "32-bit SPARC", NONE),
    "sparc64": ("static-mips64", 43, 0, "64-bit SPARC", NONE),
    "m68k": ("static-powerpc", 4, 0, "Motorola 68000 (m68k)", NONE),
    "armeb": ("static-mips", 40, 5 << 24, "big-endian 32-bit ARM (armeb)", NONE),
    "aarch64_be": ("static-mips64", 183, 0, "big-endian AArch64 (aarch64_be)", NONE),
    "riscv32": ("static-x86", 243, 0, "32-bit RISC-V (riscv32)", NONE),
    "loongarch": ("static-riscv64", 258, 0, "64-bit LoongArch", NONE),
    "unknown": ("static-riscv64", 999, 0, "an unknown 64-bit little-endian CPU (e_machine 999)", NONE),
}


@pytest.mark.parametrize(("name", "machine", "flags", "words", "lack"), FOREIGN_CPUS.values(), ids=FOREIGN_CPUS)
def test_other_cpus_say_what_they_are(name: str, machine: int, flags: int, words: str, lack: str) -> None:
    data = put(put(sample(name), "e_machine", machine), "e_flags", flags)
    assert refusal_of(data) == f"prog is a Linux program for {words} (ELF); compat {lack}"


def brand(data: bytes, os_abi: int) -> bytes:
    return data[:7] + bytes([os_abi]) + data[8:]


def test_other_systems_say_what_they_are() -> None:
    assert refusal_of(brand(X64, 9)) == (
        "prog is a FreeBSD program for x86-64 (ELF, static); compat has no FreeBSD guest yet"
    )
    loader = sample("dynamic-x86_64").replace(b"GNU\0", b"XYZ\0")
    openbsd = loader.replace(b"/lib64/ld-linux-x86-64.so.2", b"/usr/libexec/ld.so\0\0\0\0\0\0\0\0\0")
    assert refusal_of(openbsd) == (
        "prog is an OpenBSD program for x86-64 (ELF, dynamic, wants /usr/libexec/ld.so); "
        "compat has no OpenBSD guest yet"
    )
    assert refusal_of(sample("dynamic-x86_64").replace(b"GNU\0\0\0\0\0", b"GNU\0\1\0\0\0", 1)).startswith(
        "prog is a GNU Hurd program for x86-64"
    )


def test_a_guest_may_be_asked_for() -> None:
    source = Source.of_bytes(brand(X64, 9), "prog")
    image = detect(source, guests=("freebsd",))
    assert isinstance(image, Image)
    assert (image.guest, image.brand) == ("freebsd", "EI_OSABI 9")
