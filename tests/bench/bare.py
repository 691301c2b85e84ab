"""The yardstick: a static ELF in Unicorn, set up by the measured rules and nothing more.

`python -m tests.bench.bare PROGRAM [ARGS]` knows the calls that the bench programs make, checks nothing, and dies at
the first surprise. What compat costs beyond this is its own doing.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from cffi import FFI
from elftools.elf.elffile import ELFFile
from unicorn import arm64_const as a64
from unicorn import unicorn_const as uc
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uclib

ffi = FFI()
ffi.cdef("""
    typedef struct { uint64_t address; uint32_t permissions; } entry;
    int uc_open(int, int, void **);
    int uc_ctl(void *, int, ...);
    int uc_hook_add(void *, size_t *, int, void *, void *, uint64_t, uint64_t, ...);
    int uc_mem_map_ptr(void *, uint64_t, uint64_t, uint32_t, void *);
    int uc_emu_start(void *, uint64_t, uint64_t, uint64_t, size_t);
    int uc_emu_stop(void *);
    int uc_reg_write(void *, int, void *);
    int uc_reg_read(void *, int, void *);
    int uc_reg_read_batch(void *, int *, void **, int);
""")
lib: Any = ffi.dlopen(uclib._name)

MAP_NORESERVE = 0x4000
RAM = 1 << 34
PAGE = 4096
STACK_TOP, HEAP, MAPS = 0x7F_FFFF_0000, 0x10_0000_0000, 0x20_0000_0000
FLUSH_AFTER = 512  # fills; the TLB grows only when it is flushed while full, from 256 entries to the double each time

NO_EXIT_REQUEST = 2034  # where the flag lies in the uc_struct of 2.1.4's wheels

X86_REGISTERS = [x86.UC_X86_REG_RAX, x86.UC_X86_REG_RDI, x86.UC_X86_REG_RSI, x86.UC_X86_REG_RDX, x86.UC_X86_REG_R10]
A64_REGISTERS = [a64.UC_ARM64_REG_X8, *range(a64.UC_ARM64_REG_X0, a64.UC_ARM64_REG_X0 + 4)]
X86_CALLS = {
    0: "read", 1: "write_call", 2: "open", 3: "close", 8: "lseek", 9: "mmap", 10: "fine", 11: "fine", 12: "brk",
    13: "fine", 14: "fine", 16: "no_terminal", 20: "writev", 28: "fine", 60: "exit", 87: "unlink", 110: "one",
    158: "arch_prctl", 218: "fine", 231: "exit",
}  # fmt: skip
A64_CALLS = {
    56: "openat", 57: "close", 62: "lseek", 63: "read", 64: "write_call", 66: "writev", 93: "exit", 94: "exit",
    96: "fine", 29: "no_terminal", 35: "unlinkat", 173: "one", 214: "brk", 215: "fine", 222: "mmap",
    226: "fine", 233: "fine", 134: "fine", 135: "fine",
}  # fmt: skip


class Bare:
    """One guest: its pages (virtual page number to frame and permissions), its engine, its few calls."""

    def __init__(self, machine: str) -> None:
        self.is_x86 = machine == "EM_X86_64"
        self.ram = mmap.mmap(-1, RAM, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
        self.pages: dict[int, tuple[int, int]] = {}
        self.next_frame, self.break_, self.next_map = PAGE, HEAP, MAPS
        self.fills, self.flush_at, self.status, self.running = 0, FLUSH_AFTER, 0, True
        self.registers = X86_REGISTERS if self.is_x86 else A64_REGISTERS
        calls = X86_CALLS if self.is_x86 else A64_CALLS
        self.calls: dict[int, Callable[..., int]] = {number: getattr(self, name) for number, name in calls.items()}
        self.result = x86.UC_X86_REG_RAX if self.is_x86 else a64.UC_ARM64_REG_X0
        self.pc = x86.UC_X86_REG_RIP if self.is_x86 else a64.UC_ARM64_REG_PC
        self.full = threading.Event()
        self.open_engine()

    def open_engine(self) -> None:
        handle = ffi.new("void **")
        arch, mode = (uc.UC_ARCH_X86, uc.UC_MODE_64) if self.is_x86 else (uc.UC_ARCH_ARM64, uc.UC_MODE_ARM)
        lib.uc_open(arch, mode, handle)
        self.engine = handle[0]
        if not self.is_x86:
            self.control(uc.UC_CTL_CPU_MODEL, 1, a64.UC_CPU_ARM64_MAX)
            self.control(uc.UC_CTL_UC_PAGE_SIZE, 1, PAGE)
        self.control(uc.UC_CTL_TLB_TYPE, 1, uc.UC_TLB_VIRTUAL)
        lib.uc_mem_map_ptr(self.engine, 0, RAM, uc.UC_PROT_ALL, ffi.from_buffer(self.ram))
        self.stop_between_blocks_only()
        self.callbacks = [
            ffi.callback("bool(void *, uint64_t, int, entry *, void *)", self.fill),
            ffi.callback("void(void *, void *)", self.trap),
            ffi.callback("void(void *, uint32_t, void *)", self.interrupt),
        ]
        self.hook(uc.UC_HOOK_TLB_FILL, self.callbacks[0])
        if self.is_x86:
            self.hook(uc.UC_HOOK_INSN, self.callbacks[1], ffi.cast("int", x86.UC_X86_INS_SYSCALL))
        else:
            self.hook(uc.UC_HOOK_INTR, self.callbacks[2])
            self.write(a64.UC_ARM64_REG_CPACR_EL1, 3 << 20)
        self.ids = ffi.new("int[]", self.registers)
        self.values = ffi.new("uint64_t[]", len(self.registers))
        self.pointers = ffi.new("void *[]", [self.values + i for i in range(len(self.registers))])
        self.answer = ffi.new("uint64_t *")

    def stop_between_blocks_only(self) -> None:
        """Set uc_struct.no_exit_request: else a stop ends a run behind any memory access, within an instruction.

        The instruction runs again then, and `inc [rsi]` counts twice. The flag's neighbour, init_done, is 1 by now.
        """
        flags = ffi.cast("unsigned char *", self.engine)
        if (flags[NO_EXIT_REQUEST], flags[NO_EXIT_REQUEST + 1]) != (0, 1):
            raise SystemExit("this is not the Unicorn 2.1.4 that the bench knows")
        flags[NO_EXIT_REQUEST] = 1

    def control(self, what: int, arguments: int, *values: int) -> None:
        lib.uc_ctl(
            self.engine, what | arguments << 26 | uc.UC_CTL_IO_WRITE << 30, *(ffi.cast("int", v) for v in values)
        )

    def hook(self, kind: int, callback: object, *more: object) -> None:
        lib.uc_hook_add(self.engine, ffi.new("size_t *"), kind, callback, ffi.NULL, 1, 0, *more)

    def write(self, register: int, value: int) -> None:
        lib.uc_reg_write(self.engine, register, ffi.new("uint64_t *", value % 2**64))

    # memory

    def map(self, at: int, length: int, permissions: int) -> None:
        for page in range(at // PAGE, (at + length + PAGE - 1) // PAGE):
            if page not in self.pages:
                self.pages[page] = (self.next_frame, permissions)
                self.next_frame += PAGE

    def pieces(self, at: int, length: int) -> list[tuple[int, int]]:
        """Where in RAM a range lies: offset and length of each piece."""
        found = []
        while length > 0:
            piece = min(length, PAGE - at % PAGE)
            found.append((self.pages[at // PAGE][0] + at % PAGE, piece))
            at, length = at + piece, length - piece
        return found

    def get(self, at: int, length: int) -> bytes:
        return b"".join(self.ram[offset : offset + piece] for offset, piece in self.pieces(at, length))

    def put(self, at: int, data: bytes) -> None:
        done = 0
        for offset, piece in self.pieces(at, len(data)):
            self.ram[offset : offset + piece] = data[done : done + piece]
            done += piece

    def text(self, at: int) -> bytes:
        return self.get(at, PAGE - at % PAGE).split(b"\0")[0]

    def fill(self, _engine: object, address: int, _kind: int, entry: Any, _data: object) -> bool:
        found = self.pages.get(address // PAGE)
        if not found:
            sys.stderr.write(f"nothing at {address:#x}\n")
            return False
        entry.address, entry.permissions = found
        self.fills += 1
        if self.fills >= self.flush_at:
            self.flush_at *= 2
            self.full.set()
        return True

    def flush_when_full(self) -> None:
        """Stop the engine between two blocks, from a thread."""
        while self.full.wait():
            self.full.clear()
            lib.uc_emu_stop(self.engine)

    # calls

    def interrupt(self, engine: object, _number: int, data: object) -> None:
        self.trap(engine, data)

    def trap(self, _engine: object, _data: object) -> None:
        lib.uc_reg_read_batch(self.engine, self.ids, self.pointers, len(self.registers))
        number, *arguments = ffi.unpack(self.values, len(self.registers))
        call = self.calls.get(number)
        self.answer[0] = (call(*arguments) if call else -errno.ENOSYS) % 2**64
        lib.uc_reg_write(self.engine, self.result, self.answer)

    def fine(self, *_: int) -> int:
        return 0

    def one(self, *_: int) -> int:
        return 1

    def no_terminal(self, *_: int) -> int:
        return -errno.ENOTTY

    def exit(self, status: int, *_: int) -> int:
        self.status, self.running = status, False
        lib.uc_emu_stop(self.engine)
        return 0

    def arch_prctl(self, _code: int, address: int, *_: int) -> int:
        self.write(x86.UC_X86_REG_FS_BASE, address)
        return 0

    def brk(self, address: int, *_: int) -> int:
        if address > self.break_:
            self.map(self.break_, address - self.break_, 3)
            self.break_ = address
        return self.break_

    def mmap(self, _address: int, length: int, *_: int) -> int:
        at, self.next_map = self.next_map, self.next_map + (length + 2 * PAGE) // PAGE * PAGE
        self.map(at, length, 3)
        return at

    def read(self, fd: int, address: int, length: int, *_: int) -> int:
        data = os.read(fd, length)
        self.put(address, data)
        return len(data)

    def writev(self, fd: int, parts: int, count: int, *_: int) -> int:
        pairs = struct.iter_unpack("=QQ", self.get(parts, 16 * count))
        return os.write(fd, b"".join(self.get(at, length) for at, length in pairs))

    def lseek(self, fd: int, offset: int, whence: int, *_: int) -> int:
        return os.lseek(fd, offset, whence)

    def close(self, fd: int, *_: int) -> int:
        os.close(fd)
        return 0

    def open(self, name: int, flags: int, mode: int, *_: int) -> int:
        return os.open(self.text(name), flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC), mode)

    def openat(self, _folder: int, name: int, flags: int, mode: int) -> int:
        return self.open(name, flags, mode)

    def unlink(self, name: int, *_: int) -> int:
        os.unlink(self.text(name))
        return 0

    def unlinkat(self, _folder: int, name: int, *_: int) -> int:
        return self.unlink(name)

    def write_call(self, fd: int, address: int, length: int, *_: int) -> int:
        return os.write(fd, self.get(address, length))

    # running

    def load(self, elf: ELFFile, arguments: Sequence[str]) -> int:
        """Map the program and its stack; answers where to begin."""
        for segment in elf.iter_segments("PT_LOAD"):
            header = segment.header
            self.map(header.p_vaddr, header.p_memsz, 5 if header.p_flags & 1 else 3)
            self.put(header.p_vaddr, segment.data())
        self.map(STACK_TOP - (1 << 20), 1 << 20, 3)
        pointer, pointers = STACK_TOP - PAGE, []
        for argument in arguments:
            data = argument.encode() + b"\0"
            pointer -= len(data)
            self.put(pointer, data)
            pointers.append(pointer)
        header = next(elf.iter_segments("PT_LOAD")).header.p_vaddr + elf.header.e_phoff
        auxiliary = [3, header, 4, elf.header.e_phentsize, 5, elf.header.e_phnum, 6, PAGE, 25, STACK_TOP - 64, 0, 0]
        vector = [len(arguments), *pointers, 0, 0, *auxiliary]
        pointer = (pointer - 8 * len(vector)) & ~15
        self.put(pointer, struct.pack(f"={len(vector)}Q", *vector))
        self.write(x86.UC_X86_REG_RSP if self.is_x86 else a64.UC_ARM64_REG_SP, pointer)
        return int(elf.header.e_entry)

    def run(self, at: int) -> int:
        """Run from *at* until the guest ends; its exit status."""
        threading.Thread(target=self.flush_when_full, daemon=True).start()
        here = ffi.new("uint64_t *", at)
        while self.running:
            error = lib.uc_emu_start(self.engine, here[0], 0, 0, 0)
            lib.uc_reg_read(self.engine, self.pc, here)
            if error:
                raise SystemExit(f"engine error {error} at {here[0]:#x}")
            if self.running:
                self.control(uc.UC_CTL_TLB_FLUSH, 0)
        return self.status


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        elf = ELFFile(file)
        guest = Bare(elf.header.e_machine)
        start = guest.load(elf, sys.argv[1:])
    sys.exit(guest.run(start))


if __name__ == "__main__":
    main()
