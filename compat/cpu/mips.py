"""MIPS in user mode, 32 and 64 bits, both byte orders, release 2.

Six things of Unicorn's are set right here:
- Before it reports an exception it overwrites the PC with that of the last system call (`next_pc`), so
  exceptions are taken through `Engine.before_exception`, where the PC is still exact.
- A stop in a branch's delay slot leaves the branch pending in QEMU's `hflags`, which no register shows and
  which would make any other PC a delay slot too. `settle` moves the PC back to the branch, as a kernel's EPC
  is, and forgets it.
- A load or store in a delay slot that needs a new page leaves the same mark; `filled` takes it away.
- Its translator loses a temporary per instruction and crashes the process in a block of about 390
  instructions. Pages with such runs are made heavier, which ends their blocks before. Runs of instructions that
  do little or nothing stay too light even so; who runs one (zeros, say) loses exact stops from then on.
- LL looks its address up in the CPU's own TLB whatever the software MMU says, so that TLB maps 0 to 2 GiB
  (MIPS32) or 0 to 32 GiB (MIPS64): MIPS64 programs must be given no address above, or their atomics fail.
- `rdhwr $29` needs Config3.ULRI and HWREna.

Unaligned accesses are exceptions ("alignment"): Linux does them for the program (shims/linux/unaligned_mips.py).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from compat.cpu.engine import Engine
from compat.cpu.family import OUTSIDE, Event, Family, Supervisor, numbered
from compat.cpu.mips_runs import cuts, straight_runs
from compat.cpu.registers import Register
from compat.data import replace

__all__ = ["Mips", "Mips64", "Mips64El", "MipsEl"]

_MODEL_74KF, _MODEL_MIPS64R2 = 10, 5
_BIG = 1 << 30


def _registers(size: int) -> dict[str, Register]:
    return {
        **numbered("r", 31, 3, size, start=1),
        "pc": Register(1, size),
        "hi": Register(129, size),
        "lo": Register(130, size),
        **numbered("f", 32, 57, 8),
        "fcsr": Register(141, 4),
        "userlocal": Register(138, size),
    }


_CONFIG3_ID, _USERLOCAL_ID, _STATUS_ID = 137, 138, 139
_ULRI = 1 << 13
_CU1, _FR, _PX, _UX, _USER = 1 << 29, 1 << 26, 1 << 23, 1 << 5, 2 << 3

# lui/ori $8, 0xe000000a; mtc0 $8, HWREna: rdhwr's registers SYNCI_Step, CCRes and ULR for user programs. Unicorn's
# CPUNum is always 1023 and its CC 0: Linux' emulation (shims/linux/rdhwr_mips.py) tells these.
_ENABLE_RDHWR = (0x3C08E000, 0x3508000A, 0x40883800)
# lui/ori $10, 0x1fffe000; mtc0 $10, PageMask; li $11, 7; mtc0 $11, EntryLo0 and EntryLo1; li $8, 0; move $9,
# $0; lui $13, 0x2000; 1: mtc0 $8, Index; mtc0 $9, EntryHi; tlbwi; addiu $8, $8, 1; addiu $12, $8, -4; bnez
# $12, 1b; addu $9, $9, $13
_FILL_TLB_32 = (
    0x3C0A1FFF, 0x354AE000, 0x408A2800, 0x240B0007, 0x408B1000, 0x408B1800, 0x24080000, 0x00004821,
    0x3C0D2000, 0x40880000, 0x40895000, 0x42000002, 0x25080001, 0x250CFFFC, 0x1580FFFA, 0x012D4821,
)  # fmt: skip
# The same with dmtc0 and daddu, and 64 entries.
_FILL_TLB_64 = (
    0x3C0A1FFF, 0x354AE000, 0x408A2800, 0x240B0007, 0x40AB1000, 0x40AB1800, 0x24080000, 0x00004821,
    0x3C0D2000, 0x40880000, 0x40A95000, 0x42000002, 0x25080001, 0x250CFFC0, 0x1580FFFA, 0x012D482D,
)  # fmt: skip
_LOAD_OUTSIDE = (0x3C080000 | OUTSIDE >> 16, 0x35080000 | OUTSIDE & 0xFFFF)
_JR, _NOP, _BRANCH, _LOAD_WORD = 0x01000008, 0, 0x10000001, 0x8D090000
_BRANCH_PENDING, _ALL_PENDING = 0x10800, 0x87F800
"""MIPS_HFLAG_B | MIPS_HFLAG_BDS32, and MIPS_HFLAG_BMASK, of QEMU's target/mips/cpu.h."""

# EXCP_* of QEMU's target/mips/cpu.h.
_EXCEPTIONS = {
    12: "alignment",
    13: "alignment",
    18: "breakpoint",
    19: "illegal",
    20: "illegal",
    21: "overflow",
    22: "trap",
    23: "float",
}

_INTERNAL = 0x10000
"""EXCP_INTERRUPT and up, with -1 for none, are QEMU's own, not the CPU's."""


class _Mips(Family):
    """`syscall` traps, and the PC in the hook is AT it; after the hook it is 4 behind."""

    arch = 3
    syscall = 17
    settable = {"fcsr": 0xFF83_FFFF & ~(0x3F << 12)}  # noqa: RUF012
    pc = "pc"
    tls = "userlocal"
    status = _CU1 | _USER
    fill_tlb = _FILL_TLB_32

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        super().__init__(engine, supervisor)
        self._order = ">" if self.mode & _BIG else "<"
        self._flags: list[int] = []
        self._heavy: set[int] = set()
        self._cuts: dict[int, list[int]] = {}
        self._stops_between_blocks = False
        self._context: object = None
        self._event: Event | None = None

    def hook(self, on_syscall: Callable[[], None], on_exception: Callable[[int], None]) -> None:
        def decide(number: int) -> bool:
            if number == self.syscall:
                on_syscall()
                return False
            if not 0 <= number < _INTERNAL:
                return False
            self._event = Event(_EXCEPTIONS.get(number, "illegal"), number, 0)
            return True

        if not self.engine.before_exception(decide):
            super().hook(on_syscall, on_exception)

    def prepare(self) -> None:
        self.engine.refuse("helper_pmon")  # an old board's call of its monitor, which writes to our standard output
        size = self.registers["pc"].size
        config3 = Register(_CONFIG3_ID, size)
        self.engine.write(config3, self.engine.read(config3) | _ULRI)
        self._run(*_ENABLE_RDHWR, *self.fill_tlb, *_LOAD_OUTSIDE, _JR, _NOP)
        self._find_flags()
        self.engine.write(Register(_STATUS_ID, size), self.status)
        for number in range(8, 14):
            self.engine.write(self.registers[f"r{number}"], 0)

    def _run(self, *code: int) -> None:
        self.supervisor.run_own(struct.pack(f"{self._order}{len(code)}I", *code))

    def _find_flags(self) -> None:
        """Find `hflags` in a context: a fault in a delay slot makes it differ by a pending branch."""
        words = []
        for code in ((_NOP, _LOAD_WORD), (_BRANCH, _LOAD_WORD)):
            self._run(*_LOAD_OUTSIDE, *code)
            self._context = self.engine.save_context(self._context)
            words.append(list(self.engine.context_words(self._context)))
        plain, pending = words
        self._flags = [i for i, (a, b) in enumerate(zip(plain, pending, strict=True)) if b - a == _BRANCH_PENDING]
        self._forget_branch()

    def _forget_branch(self) -> bool:
        """Drop a pending branch; say whether there was one."""
        self._context = self.engine.save_context(self._context)
        words = self.engine.context_words(self._context)
        found = [i for i in self._flags if words[i] & _ALL_PENDING]
        for i in found:
            words[i] &= ~_ALL_PENDING
        if found:
            self.engine.restore_context(self._context)
        return bool(found)

    def settle(self, event: Event | None) -> None:
        if self._forget_branch():
            pc = self.registers["pc"]
            self.engine.write(pc, self.engine.read(pc) - 4)

    def linked_load(self) -> tuple[str, bytes]:
        code = (0xC0850000, 0x00002025, *_LOAD_OUTSIDE, _JR, _NOP)  # ll $5, 0($4); move $4, $0
        return "r4", struct.pack(f"{self._order}{len(code)}I", *code)

    def filled(self) -> None:
        """Looking a page up makes Unicorn write the pending branch of a delay slot into `hflags`, where it stays when
        the access succeeds: the code that runs on does not know, and the next block would begin as a delay slot."""
        self._forget_branch()

    def exception(self, number: int, pc: int) -> Event:
        return Event(_EXCEPTIONS.get(number, "illegal"), number, pc)

    def invalid(self, pc: int) -> Event:
        event, self._event = self._event, None
        return Event("illegal", 0, pc) if event is None else replace(event, address=pc)

    def stop_between_blocks(self) -> bool:
        self._stops_between_blocks = super().stop_between_blocks()
        return self._stops_between_blocks

    def fetching(self, page: int, code: memoryview) -> None:
        runs = straight_runs(code, self._order)
        if runs:
            self._make_heavy(page)
        if self._stops_between_blocks:
            self._cut_light_code(page, runs)

    def _make_heavy(self, page: int) -> None:
        if page not in self._heavy:
            self._heavy.add(page)
            self.engine.weigh_down(page, page + 0xFFF)

    def _cut_light_code(self, page: int, runs: Sequence[tuple[int, Sequence[int]]]) -> None:
        """End runs where one of *runs* is too light even when heavy.

        There the PC may stand one instruction before, for Unicorn does not move it when it ends a run inside a block.
        """
        addresses = []
        for begin, words in runs:
            places = cuts(words)
            if places is None:
                self._stop_anywhere()
                return
            addresses += [page + 4 * (begin + place) for place in places]
        if addresses != self._cuts.get(page, []):
            self._cuts[page] = addresses
            self.engine.end_runs_at([address for page in self._cuts.values() for address in page])

    def forgotten(self) -> None:
        """When a run ends, Unicorn looks up each address where runs end; one without code now would be a fault."""
        if self._cuts:
            self._cuts.clear()
            self.engine.end_runs_at(())

    def resume_address(self) -> int:
        pc = super().resume_address()
        if self._cuts and {pc, pc + 4} & set(self._cuts.get(pc & ~0xFFF, ())):
            self._stop_anywhere()
        return pc

    def changing(self, page: int) -> None:
        """The page may come to hold long runs of light code, and it will not be fetched again."""
        self._make_heavy(page)
        self._stop_anywhere()

    def _stop_anywhere(self) -> None:
        """Give exact stops up: the checks of others make light code heavy enough."""
        if self._stops_between_blocks:
            self._stops_between_blocks = False
            self._cuts.clear()
            self.engine.end_runs_at(())
            self.engine.stop_anywhere()

    def set_wide_floats(self, wide: bool) -> None:
        """Choose 32 (Status.FR=1) or 16 (FR=0) doubles, as ELF flags or PR_SET_FP_MODE ask."""
        status = Register(_STATUS_ID, self.registers["pc"].size)
        now = self.engine.read(status)
        self.engine.write(status, now | _FR if wide else now & ~_FR)


class Mips(_Mips):
    """Big-endian MIPS32: a 74Kf. Floating point begins with FR=0."""

    mode = 1 << 2 | _BIG
    model = _MODEL_74KF
    registers = _registers(4)


class MipsEl(Mips):
    """Little-endian MIPS32."""

    mode = 1 << 2


class Mips64(_Mips):
    """Big-endian MIPS64 release 2, FR=1."""

    mode = 1 << 3 | _BIG
    model = _MODEL_MIPS64R2
    registers = _registers(8)
    status = _CU1 | _FR | _PX | _UX | _USER
    fill_tlb = _FILL_TLB_64


class Mips64El(Mips64):
    """Little-endian MIPS64."""

    mode = 1 << 3
