"""/proc/cpuinfo in the words of each architecture's kernel (show_cpuinfo of arch/*/kernel)."""

from __future__ import annotations

from collections.abc import Callable

from shims.linux.hwcap import IMPLEMENTER, PART, REVISION, VARIANT, Hardware, hardware
from shims.linux.state import LinuxProcess

__all__ = ["cpuinfo"]

Show = Callable[[str, Hardware, int], str]
"""(CPU, its hardware, number of CPUs) → the text."""


def cpuinfo(process: LinuxProcess) -> bytes:
    """The text: as many CPUs of the guest's kind as the host lets this process use."""
    cpu = process.abi.cpu
    count = len(process.host.sched_getaffinity(0))
    return _SHOW[cpu.family](cpu.name, hardware(process.abi), count).encode()


def _block(lines: list[tuple[str, object]], width: int) -> str:
    """Lines `name<tabs>: value`, the colon behind tabs up to column *width*, and an empty line."""
    return "".join(f"{name}{_tabs(name, width)}: {value}".rstrip() + "\n" for name, value in lines) + "\n"


def _tabs(name: str, width: int) -> str:
    return "\t" * max(0, -(-(width - len(name)) // 8))


def _x86(cpu: str, traits: Hardware, count: int) -> str:
    flags = dict.fromkeys((*traits.features, *traits.flags))
    return "".join(
        _block(
            [
                ("processor", k),
                ("vendor_id", "GenuineIntel"),
                ("cpu family", 6),
                ("model", 61),
                ("model name", "Intel Core Processor (Broadwell)"),
                ("stepping", 2),
                ("cpu MHz", "1000.000"),
                ("cache size", "4096 KB"),
                ("physical id", 0),
                ("siblings", count),
                ("core id", k),
                ("cpu cores", count),
                ("apicid", k),
                ("initial apicid", k),
                ("fpu", "yes"),
                ("fpu_exception", "yes"),
                ("cpuid level", 13),
                ("wp", "yes"),
                ("flags", " ".join(flags)),
                ("bugs", ""),
                ("bogomips", "2000.00"),
                ("clflush size", 64),
                ("cache_alignment", 64),
                ("address sizes", "40 bits physical, 48 bits virtual"),
                ("power management", ""),
            ],
            16,
        )
        for k in range(count)
    )


def _arm(cpu: str, traits: Hardware, count: int) -> str:
    wide = cpu == "aarch64"
    architecture, variant, part = (8, VARIANT, PART) if wide else (7, 2, 0xC0F)
    text = ""
    for k in range(count):
        lines: list[tuple[str, object]] = [("processor", k)]
        lines += [] if wide else [("model name", "ARMv7 Processor rev 1 (v7l)")]
        lines += [("BogoMIPS", "100.00"), ("Features", " ".join(traits.features))]
        lines += [("CPU implementer", f"{IMPLEMENTER:#x}"), ("CPU architecture", architecture)]
        lines += [("CPU variant", f"{variant:#x}"), ("CPU part", f"{part:#05x}"), ("CPU revision", REVISION)]
        text += _block(lines, 16).replace("CPU architecture\t", "CPU architecture")
    if not wide:
        text += _block([("Hardware", "compat"), ("Revision", "0000"), ("Serial", "0" * 16)], 16)[:-1]
    return text


def _riscv(cpu: str, traits: Hardware, count: int) -> str:
    isa = "rv64imafdc_zicntr_zicsr_zifencei"
    return "".join(
        _block([("processor", k), ("hart", k), ("isa", isa), ("mmu", "sv48"), ("mvendorid", "0x0")], 16)
        for k in range(count)
    )


def _mips(cpu: str, traits: Hardware, count: int) -> str:
    wide = cpu.startswith("mips64")
    isa = (
        "mips1 mips2 mips3 mips4 mips5 mips32r1 mips32r2 mips64r1 mips64r2" if wide else "mips1 mips2 mips32r1 mips32r2"
    )
    text = _block([("system type", "compat"), ("machine", "compat")], 24)[:-1]
    return text + "".join(
        _block(
            [
                ("processor", k),
                ("cpu model", "MIPS GENERIC V0.0  FPU V0.0"),
                ("BogoMIPS", "100.00"),
                ("wait instruction", "yes"),
                ("microsecond timers", "yes"),
                ("tlb_entries", 64),
                ("extra interrupt vector", "yes"),
                ("hardware watchpoint", "no"),
                ("isa", isa),
                ("ASEs implemented", ""),
                ("shadow register sets", 1),
                ("kscratch registers", 0),
                ("package", 0),
                ("core", k),
                ("VCED exceptions", "not available"),
                ("VCEI exceptions", "not available"),
            ],
            24,
        )
        for k in range(count)
    )


def _ppc(cpu: str, traits: Hardware, count: int) -> str:
    name = {"ppc": "7447A"}.get(cpu, "POWER9")
    high, low = traits.version >> 16, traits.version & 0xFFFF
    revision = f"{low >> 8 & 15}.{low & 0xFF} (pvr {high:04x} {low:04x})"
    vector = ", altivec supported" if "altivec" in traits.features else ""
    blocks = "".join(
        _block(
            [
                ("processor", k),
                ("cpu", name + vector),
                ("clock", "1000.000000MHz"),
                ("revision", revision),
            ],
            16,
        )
        for k in range(count)
    )
    return blocks + _block([("timebase", 512000000), ("platform", "compat"), ("machine", "compat")], 16)[:-1]


def _s390x(cpu: str, traits: Hardware, count: int) -> str:
    head = "vendor_id       : IBM/S390\n"
    head += f"# processors    : {count}\nbogomips per cpu: 3033.00\nmax thread id   : 0\n"
    head += f"features\t: {' '.join(traits.features)} \n"
    return head + "".join(
        f"processor {k}: version = FF,  identification = {k:06X},  machine = 2964\n" for k in range(count)
    )


_SHOW: dict[str, Show] = {"x86": _x86, "arm": _arm, "riscv": _riscv, "mips": _mips, "ppc": _ppc, "s390x": _s390x}
