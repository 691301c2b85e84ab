"""The small guest programs of the CPU tests, in assembly; `assemble` turns them into `programs.json`.

In each of them `address` and `value` stand for the registers that `Roles` names, and so on. All end with the
CPU's own breakpoint instruction.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BIG", "CPUS", "EXTRA", "PATCH", "ROLES", "SOURCES", "Roles"]

PATCH = 64
"""Offset of the instruction that the program `patch` changes."""


class Roles(NamedTuple):
    """Register names: as the machine calls them."""

    number: str
    argument: str
    result: str
    copy: str
    address: str
    value: str
    trap_length: int
    end_length: int = 0
    """How far behind the breakpoint instruction the PC stands after it."""


_MIPS = Roles("r2", "r4", "r2", "r16", "r8", "r9", 4)
_PPC = Roles("r0", "r3", "r3", "r14", "r8", "r9", 4)

ROLES = {
    "x86": Roles("eax", "ebx", "eax", "edi", "esi", "edx", 2, 1),
    "x86-64": Roles("rax", "rdi", "rax", "rbx", "rsi", "rdx", 2, 1),
    "arm": Roles("r7", "r0", "r0", "r4", "r1", "r2", 4),
    "aarch64": Roles("x8", "x0", "x0", "x19", "x1", "x2", 4),
    "riscv64": Roles("x17", "x10", "x10", "x18", "x11", "x12", 4),
    **dict.fromkeys(("mips", "mipsel", "mips64", "mips64el"), _MIPS),
    **dict.fromkeys(("ppc", "ppc64", "ppc64le"), _PPC),
    "s390x": Roles("r1", "r2", "r2", "r6", "r3", "r4", 2, 2),
}
CPUS = tuple(ROLES)
BIG = frozenset(("mips", "mips64", "ppc", "ppc64", "s390x"))

_X86_64 = {
    "end": "int3",
    "trap": "syscall; mov %rax, %rbx; int3",
    "load": "mov (%rsi), %eax; int3",
    "store": "mov %edx, (%rsi); int3",
    "jump": "jmp *%rsi",
    "loop": "1: inc %rbx; jmp 1b",
    "count": "1: incl (%rsi); inc %rbx; jmp 1b",
    "float": "mov $3, %eax; cvtsi2sd %eax, %xmm0; addsd %xmm0, %xmm0; cvttsd2si %xmm0, %eax; int3",
    "illegal": "nop; ud2",
    "privileged": "nop; hlt",
    "tls": "mov %fs:0, %eax; int3",
    "remainder": "fldt 16(%rsi); fldt (%rsi); fprem; fnstsw %ax; fstpt 32(%rsi); fstp %st; int3",
    "nearest": "fldt 16(%rsi); fldt (%rsi); fprem1; fnstsw %ax; fstpt 32(%rsi); fstp %st; int3",
    "unmasked": "fldcw 48(%rsi); fldt 16(%rsi); fldt (%rsi); fprem; fnstsw %ax; fwait; int3",
    "patch": "mov %edx, (%rsi); .balign 64; mov $1, %eax; int3",
    "one": "mov $1, %eax; int3",
    "two": "mov $2, %eax; int3",
}

_X86 = {
    **{name: text.replace("%rsi", "%esi").replace("%rbx", "%edi") for name, text in _X86_64.items()},
    "avx": "incl %edi; nop; nop; vxorps %xmm1, %xmm2, %xmm0; int3",
    "trap": "int $0x80; mov %eax, %edi; int3",
    "tls": "mov %gs:0, %eax; int3",
}

_ARM = {
    "end": "bkpt #0",
    "trap": "svc #0; mov r4, r0; bkpt #0",
    "load": "ldr r0, [r1]; bkpt #0",
    "store": "str r2, [r1]; bkpt #0",
    "jump": "bx r1",
    "loop": "1: add r4, r4, #1; b 1b",
    "count": "1: ldr r0, [r1]; add r0, r0, #1; str r0, [r1]; add r4, r4, #1; b 1b",
    "float": "mov r0, #3; vmov s0, r0; vcvt.f64.s32 d1, s0; "
    "vadd.f64 d1, d1, d1; vcvt.s32.f64 s0, d1; vmov r0, s0; bkpt #0",
    "illegal": "nop; udf #0",
    "privileged": "nop; mcr p15, 0, r0, c1, c0, 0",
    "tls": "mrc p15, 0, r0, c13, c0, 3; ldr r0, [r0]; bkpt #0",
    "patch": "str r2, [r1]; dsb sy; isb; b 2f; .balign 64; 2: mov r0, #1; bkpt #0",
    "linked": "ldrex r5, [r1]; svc #0; strex r5, r2, [r1]; bkpt #0",
    "one": "mov r0, #1; bkpt #0",
    "two": "mov r0, #2; bkpt #0",
}

_AARCH64 = {
    "end": "brk #0",
    "trap": "svc #0; mov x19, x0; brk #0",
    "load": "ldr w0, [x1]; brk #0",
    "store": "str w2, [x1]; brk #0",
    "jump": "br x1",
    "loop": "1: add x19, x19, #1; b 1b",
    "count": "1: ldr w0, [x1]; add w0, w0, #1; str w0, [x1]; add x19, x19, #1; b 1b",
    "float": "mov w0, #3; scvtf d0, w0; fadd d0, d0, d0; fcvtzs w0, d0; brk #0",
    "illegal": "nop; udf #0",
    "privileged": "nop; mrs x0, sctlr_el1",
    "tls": "mrs x0, tpidr_el0; ldr w0, [x0]; brk #0",
    "patch": "str w2, [x1]; dc cvau, x1; dsb ish; ic ivau, x1; dsb ish; isb; b 2f; .balign 64; 2: mov w0, #1; brk #0",
    "one": "mov w0, #1; brk #0",
    "linked": "ldxr w5, [x1]; svc #0; stxr w5, w2, [x1]; brk #0",
    "two": "mov w0, #2; brk #0",
}

_RISCV64 = {
    "end": "ebreak",
    "trap": "ecall; mv s2, a0; ebreak",
    "load": "lw a0, 0(a1); ebreak",
    "store": "sw a2, 0(a1); ebreak",
    "jump": "jr a1",
    "loop": "1: addi s2, s2, 1; j 1b",
    "count": "1: lw a0, 0(a1); addi a0, a0, 1; sw a0, 0(a1); addi s2, s2, 1; j 1b",
    "float": "li a0, 3; fcvt.d.w fa0, a0; fadd.d fa0, fa0, fa0; fcvt.w.d a0, fa0, rtz; ebreak",
    "illegal": "nop; unimp",
    "privileged": "nop; csrr a0, mstatus",
    "tls": "lw a0, 0(tp); ebreak",
    "patch": "sw a2, 0(a1); fence.i; j 2f; .balign 64; 2: addi a0, zero, 1; ebreak",
    "one": "addi a0, zero, 1; ebreak",
    "linked": "lr.w a5, (a1); ecall; sc.w a5, a2, (a1); ebreak",
    "two": "addi a0, zero, 2; ebreak",
}
_RISCV64 = {name: f".option norvc; {text}" for name, text in _RISCV64.items()}

_MIPS_SOURCE = {
    "end": "break",
    "trap": "syscall; move $16, $2; break",
    "load": "lw $2, 0($8); break",
    "store": "sw $9, 0($8); break",
    "jump": "jr $8; nop",
    "loop": "1: b 1b; addiu $16, $16, 1",
    "count": "1: lw $2, 0($8); addiu $2, $2, 1; sw $2, 0($8); b 1b; addiu $16, $16, 1",
    "float": "li $2, 3; mtc1 $2, $f0; cvt.d.w $f2, $f0; add.d $f2, $f2, $f2; cvt.w.d $f0, $f2; mfc1 $2, $f0; break",
    "illegal": "nop; .word 0x00000039",
    "privileged": "nop; mfc0 $2, $12",
    "tls": "rdhwr $3, $29; lw $2, 0($3); break",
    "patch": "sw $9, 0($8); synci 0($8); sync; b 2f; nop; .balign 64; 2: li $2, 1; break",
    "one": "li $2, 1; break",
    "linked": "ll $5, 0($8); syscall; sc $9, 0($8); break",
    "two": "li $2, 2; break",
    "slot_load": "b 1f; lw $2, 0($8); break; 1: move $16, $2; break",
    "slot_trap": "b 1f; teq $0, $0; 1: break",
    "atomic": "ll $2, 0($8); addu $9, $2, $9; sc $9, 0($8); break",
    "divide": "nop; nop; teq $0, $0, 7",
}
_MIPS_SOURCE = {name: f".set noreorder; .set noat; {text}" for name, text in _MIPS_SOURCE.items()}

_PPC_SOURCE = {
    "end": "trap",
    "trap": "sc; mr 14, 3; trap",
    "load": "lwz 3, 0(8); trap",
    "store": "stw 9, 0(8); trap",
    "jump": "mtctr 8; bctr",
    "loop": "1: addi 14, 14, 1; b 1b",
    "count": "1: lwz 3, 0(8); addi 3, 3, 1; stw 3, 0(8); addi 14, 14, 1; b 1b",
    "float": "lfd 1, 0(8); fadd 1, 1, 1; stfd 1, 0(8); lwz 3, 0(8); trap",
    "illegal": "nop; .long 0",
    "privileged": "nop; mfmsr 3",
    "tls": "lwz 3, 0(2); trap",
    "patch": "stw 9, 0(8); dcbst 0, 8; sync; icbi 0, 8; isync; b 2f; .balign 64; 2: li 3, 1; trap",
    "one": "li 3, 1; trap",
    "linked": "lwarx 5, 0, 8; sc; stwcx. 9, 0, 8; trap",
    "two": "li 3, 2; trap",
    "carry": "li 4, -1; addic 4, 4, 1; trap",
    "add_carry": "li 3, 0; addze 3, 3; trap",
    "vector": "vspltisb 5, 7; trap",
    "time": "mtctr 9; 1: .long 0x7c6c42a6; .long 0x7c8d42a6; .long 0x7cac42e6; bdnz 1b; trap",
    "use_vector": "stvx 5, 0, 8; lwz 3, 0(8); trap",
}
_PPC64_SOURCE = {**_PPC_SOURCE, "tls": "lwz 3, 0(13); trap"}

_S390X = {
    "end": ".short 1",
    "trap": "svc 0; lgr %r6, %r2; .short 1",
    "load": "l %r2, 0(%r3); .short 1",
    "store": "st %r4, 0(%r3); .short 1",
    "jump": "br %r3",
    "loop": "1: aghi %r6, 1; j 1b",
    "count": "1: l %r2, 0(%r3); ahi %r2, 1; st %r2, 0(%r3); aghi %r6, 1; j 1b",
    "float": "lghi %r2, 3; cdgbr %f1, %r2; adbr %f1, %f1; cgdbr %r2, 5, %f1; .short 1",
    "illegal": "nop; .short 0",
    "privileged": "nop; ssm 0(%r3)",
    "tls": "ear %r2, %a0; sllg %r2, %r2, 32; ear %r2, %a1; l %r2, 0(%r2); .short 1",
    "patch": "st %r4, 0(%r3); bcr 15, %r0; j 2f; .balign 64; 2: lghi %r2, 1; .short 1",
    "one": "lghi %r2, 1; .short 1",
    "two": "lghi %r2, 2; .short 1",
    "numbered": "svc 77; .short 1",
    "executed": "larl %r5, 1f; ex %r0, 0(%r5); .short 1; 1: svc 99",
    "divide": "nop; dsgr %r2, %r5",
    "clocks": "lghi %r2, 1; stck 0(%r3); stckf 0(%r3); stcke 0(%r3); stfle 0(%r3); .short 1",
    "condition": "lghi %r2, 1; slgr %r2, %r5; .short 1",
}

SOURCES = {
    "x86": _X86,
    "x86-64": {
        **_X86_64,
        "int80": "int $0x80; mov %rax, %rbx; int3",
        "divide": "xor %ecx, %ecx; div %ecx",
        "avx": "inc %rbx; vxorps %xmm1, %xmm2, %xmm0; int3",
        "avx_after_load": "mov (%rsi), %eax; vzeroupper; int3",
        "bmi": "andn %rdx, %rsi, %rax; int3",
        "avx_inside": "mov $0xc1f857c5, %eax; int3",
        "sse": "movaps %xmm1, %xmm0; int3",
    },
    "arm": {
        **_ARM,
        "thumb_trap": ".thumb; svc #0; mov r4, r0; bkpt #0",
        "thumb_block": ".thumb; cmp r0, r0; itt eq; ldreq r0, [r1]; addeq r0, #1; bkpt #0",
        "thumb_count": ".thumb; 1: ldr r0, [r1]; add r0, r0, #1; str r0, [r1]; add r4, r4, #1; b 1b",
        "old_call": "swi #0x900014; bkpt #0",
        "sleep": "yield; wfe; sev; wfi; mov r0, #6; bkpt #0",
        "thumb_sleep": ".thumb; yield; wfe; movs r0, #6; bkpt #0",
        "illegal_after_hint": "svc #0; yield; udf #0",
    },
    "aarch64": {
        **_AARCH64,
        "registers": "mrs x0, cntvct_el0; mrs x0, ctr_el0; mrs x0, dczid_el0; dc zva, x1; dc civac, x1; brk #0",
        "atomic": "ldaddal w2, w0, [x1]; brk #0",
        "sleep": "yield; wfe; sev; wfi; mov w0, #6; brk #0",
    },
    "riscv64": {**_RISCV64, "time": "rdtime a0; rdcycle a1; ebreak", "first": ".word 0"},
    **dict.fromkeys(("mips", "mipsel", "mips64", "mips64el"), _MIPS_SOURCE),
    "ppc": _PPC_SOURCE,
    "ppc64": _PPC64_SOURCE,
    "ppc64le": _PPC64_SOURCE,
    "s390x": _S390X,
}

EXTRA = {"arm": ("-mcpu=cortex_a15",), "aarch64": ("-mcpu=generic+lse",), "s390x": ("-march=z13",)}
"""What the assembler must be told besides the target."""
