"""The hardware that guests are told about is the hardware that the engine is."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator

import pytest

from compat.abi.abi import Abi
from compat.abi.grids import parse_grid, read_grid
from compat.cpu.machine import Machine
from compat.errors import BadTable, Unsupported
from shims.linux import hwcap
from shims.linux.hwcap import hardware
from shims.linux.proc_cpuinfo import cpuinfo
from tests.abi.tables import TABLES
from tests.linux.guest import Guest

GRID = read_grid(TABLES / "linux" / "hwcaps.tbl")
CPUS = [keys[0] for keys, _, _ in read_grid(TABLES / "cpus.tbl").rows]
CODE, DATA = 0x10000, 0x20000

# The system-call instruction, most significant byte first; where a test's pointer lives.
TRAPS = {"x86": "cd80", "x86-64": "0f05", "arm": "ef000000", "aarch64": "d4000001", "riscv64": "00000073"}
TRAPS |= {"mips": "0000000c", "mips64": "0000000c", "ppc": "44000002", "ppc64": "44000002", "s390x": "0a01"}
POINTERS = {"arm": "r0", "aarch64": "x0", "riscv64": "x10", "ppc64": "r3", "s390x": "r2"}


class Pages:
    """One page of code and one of data, as frames 1 and 2."""

    def __init__(self) -> None:
        self.ram = mmap.mmap(-1, 1 << 16)

    def fill(self, page: int, access: int) -> tuple[int, int] | None:
        return {CODE: (0x1000, 5), DATA: (0x2000, 3)}.get(page)


def machine(cpu: str, pages: Pages, on_syscall) -> Machine:  # type: ignore[no-untyped-def]
    try:
        return Machine(cpu, pages, on_syscall)
    except Unsupported as missing:
        pytest.skip(str(missing))


def runs(abi: Abi, proof: str) -> bool:
    """Whether the CPU gets past the instructions to the system call behind them."""
    kind, reached = abi.cpu.kind, list[int]()
    step = 4 if abi.cpu.endian == "little" else 1
    code = bytes.fromhex(proof + TRAPS[kind])
    code = b"".join(code[at : at + step][::-1] for at in range(0, len(code), step))
    pages = Pages()
    pages.ram[0x1000 : 0x1000 + len(code)] = code

    def on_syscall() -> None:
        reached.append(1)
        cpu.stop()

    cpu = machine(abi.cpu.name, pages, on_syscall)
    if kind in POINTERS:
        cpu.write(POINTERS[kind], DATA + 0x100)
    cpu.run(CODE)
    return bool(reached)


def proofs() -> Iterator[tuple[str, str, str]]:
    proof = GRID.column_for("proof")
    kinds = {name: cells[0] for (name,), cells, _ in read_grid(TABLES / "cpus.tbl").rows}
    for (kind, feature), cells, _ in GRID.rows:
        if cells[proof] != "-":
            yield from ((cpu, feature, cells[proof]) for cpu in CPUS if kind in (cpu, kinds[cpu]))
    facilities = read_grid(TABLES / "linux" / "facilities.tbl")
    for (name,), text, _ in facilities.texts("proof"):
        yield "s390x", name, text


@pytest.mark.parametrize(("cpu", "feature", "proof"), list(proofs()))
def test_the_engine_executes_what_the_table_promises(cpu: str, feature: str, proof: str) -> None:
    assert runs(Abi("linux", cpu), proof)


# Instructions of features that the table leaves out: if one runs some day, the table should gain a row.
ABSENT = [
    ("aarch64", "sve", "04bf5023"),
    ("aarch64", "i8mm", "4e82a420"),
    ("aarch64", "bf16", "6e42fc20"),
    ("arm", "fphp", "ee300981"),
    ("arm", "aes", "f3b00302"),
    ("riscv64", "zbb", "60031293"),
    ("ppc64", "scv", "44000001"),
    ("ppc64", "htm", "7c00051d"),
    ("ppc64", "arch_3_1", "10221f8b"),
    ("s390x", "dfp", "b3d22001"),
    ("s390x", "vxrs_ext", "e712300020e3"),
]


@pytest.mark.parametrize(("cpu", "feature", "proof"), ABSENT)
def test_the_engine_lacks_what_the_table_leaves_out(cpu: str, feature: str, proof: str) -> None:
    assert feature not in hardware(Abi("linux", cpu)).features
    assert not runs(Abi("linux", cpu), proof)


def cpuid(cpu: str, leaf: int) -> dict[str, int]:
    """What the CPUID instruction answers."""
    pages = Pages()
    code = b"\xb8" + leaf.to_bytes(4, "little") + bytes.fromhex("31c90fa2" + TRAPS[cpu])  # mov eax; xor ecx; cpuid
    pages.ram[0x1000 : 0x1000 + len(code)] = code
    box = list[Machine]()
    box.append(machine(cpu, pages, lambda: box[0].stop()))
    box[0].run(CODE)
    prefix = "r" if cpu == "x86-64" else "e"
    return {f"e{name}": box[0].read(f"{prefix}{name}") for name in ("ax", "bx", "cx", "dx")}


@pytest.mark.parametrize("cpu", ["x86", "x86-64"])
def test_x86_tells_what_cpuid_tells(cpu: str) -> None:
    assert hardware(Abi("linux", cpu)).hwcap == cpuid(cpu, 1)["edx"]
    told: dict[tuple[int, str], int] = {}
    for _, (leaf, register, bit), _ in read_grid(TABLES / "linux" / "cpuid.tbl").rows:
        if leaf != "-":
            place = int(leaf, 0), register
            told[place] = told.get(place, 0) | 1 << int(bit)
    extended = {name: told.pop((0x80000001, name)) for name in ("ecx", "edx")}
    assert told == {(1, "ecx"): cpuid(cpu, 1)["ecx"], (7, "ebx"): cpuid(cpu, 7)["ebx"]}
    assert extended == {name: cpuid(cpu, 0x80000001)[name] for name in ("ecx", "edx")}


@pytest.mark.parametrize("cpu", ["x86", "x86-64"])
def test_x86_model_is_cpuids(make_guest: type[Guest], cpu: str) -> None:
    text = cpuinfo(make_guest(cpu).process).decode()
    name = b"".join(
        number.to_bytes(4, "little")
        for leaf in (0x80000002, 0x80000003, 0x80000004)
        for number in cpuid(cpu, leaf).values()
    )
    signature = cpuid(cpu, 1)["eax"]
    model = signature >> 4 & 15 | signature >> 12 & 0xF0
    for line in (
        f"model name\t: {name.rstrip(bytes(1)).decode()}\n",
        f"cpu family\t: {signature >> 8 & 15}\nmodel\t\t: {model}\n",
        f"stepping\t: {signature & 15}\n",
    ):
        assert line in text


@pytest.mark.parametrize("cpu", ["ppc", "ppc64", "ppc64le"])
def test_dcbz_clears_one_block(cpu: str) -> None:
    abi = Abi("linux", cpu)
    pages = Pages()
    pages.ram[0x2000:0x3000] = b"\xff" * 0x1000
    words = (0x7C001FEC, 0x44000002)  # dcbz 0, r3; sc
    code = b"".join(word.to_bytes(4, "little" if abi.cpu.endian == "little" else "big") for word in words)
    pages.ram[0x1000 : 0x1000 + len(code)] = code
    box = list[Machine]()
    box.append(machine(cpu, pages, lambda: box[0].stop()))
    box[0].write("r3", DATA + 0x200)
    box[0].run(CODE)
    assert pages.ram[0x2000:0x3000].count(0) == hardware(abi).block
    assert hardware(abi).auxv["AT_DCACHEBSIZE"] == hardware(abi).block


@pytest.mark.parametrize("cpu", CPUS)
def test_words_of_every_cpu(cpu: str) -> None:
    found = hardware(Abi("linux", cpu))
    assert found.hwcap.bit_count() + found.hwcap2.bit_count() == len(found.features)
    assert len(set(found.features)) == len(found.features)
    assert found.platform is None or os.fsencode(found.platform.decode()).isalnum() or b"_" in found.platform


def test_exact_words() -> None:
    assert hardware(Abi("linux", "x86-64")).hwcap == 0x078BFBFD
    little, big = hardware(Abi("linux", "ppc64le")), hardware(Abi("linux", "ppc64"))
    assert (little.hwcap, big.hwcap) == (0xDC001582, 0xDC001580)
    assert little.hwcap2 == big.hwcap2 == 0x8AA00000
    assert (little.platform, little.block) == (b"power9", 128)
    assert hardware(Abi("linux", "riscv64")).hwcap == 0x112D
    assert hardware(Abi("linux", "mips")).base_platform == b"mips32r2"


@pytest.mark.parametrize("cells", ["hwcap 32", "hwcap3 1", "hwcap x"])
def test_a_bad_row_is_named(cells: str) -> None:
    grid = parse_grid(f"# type name word bit\narm fp {cells}\n", "linux/hwcaps.tbl")
    with pytest.raises(BadTable, match=r"^linux/hwcaps\.tbl:2: fp: "):
        list(hwcap._rows(grid, ("arm", "arm"), 32))
