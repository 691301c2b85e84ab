"""Machine code for x86-64 hosts: an atomic operation on guest memory, as a loop around the library's compare-and-swap.

Each function is called as the library's `helper_atomic_*` are: (rdi environment, rsi guest address, rdx operand, ecx
kind of access), System V ABI. It gives the compare-and-swap its own return address (r9), by which the library finds
the guest's instruction when the access faults, and so must be entered by a jump from the function that was called.
"""

from __future__ import annotations

import struct

__all__ = ["loop"]

_ENTER = bytes.fromhex(
    "53 55 4154 4155 4156 4157"  # push rbx, rbp, r12 to r15
    "4883ec18"  # sub rsp, 24
    "4989fc 4989f5 4989d6"  # mov r12, rdi; mov r13, rsi; mov r14, rdx
    "89cd"  # mov ebp, ecx
    "4c8b7c2448"  # mov r15, [rsp+72], the return address
    "31c0"  # xor eax, eax: a guess at the old value
)
_OLD = {1: "89c3", 2: "89c3", 4: "89c3", 8: "4889c3"}  # mov ebx, eax; mov rbx, rax
_COMPARE = {1: "4438f3", 2: "664439f3", 4: "4439f3", 8: "4c39f3"}  # cmp bl, r14b and so on
_CHOOSE = {"smin": "4c", "smax": "4f", "umin": "42", "umax": "47"}  # cmovl, cmovg, cmovb, cmova
_SWAP = bytes.fromhex(
    "48894c2408"  # mov [rsp+8], rcx
    "4c89e7 4c89ee 4889da 4189e8 4d89f9"  # mov rdi, r12; mov rsi, r13; mov rdx, rbx; mov r8d, ebp; mov r9, r15
    "48b8"  # mov rax, …
)
_CALL = bytes.fromhex("ffd0")  # call rax
_SAME = {1: "39d8", 2: "39d8", 4: "39d8", 8: "4839d8"}  # cmp eax, ebx; cmp rax, rbx
_NEW = "488b4c2408"  # mov rcx, [rsp+8]
_RESULT_NEW = {1: _NEW + "0fb6c1", 2: _NEW + "0fb7c1", 4: _NEW + "89c8", 8: _NEW + "4889c8"}  # movzx eax, cl…
_LEAVE = bytes.fromhex("4883c418 415f 415e 415d 415c 5d 5b c3")


def loop(operation: str, size: int, new: bool, swap: int) -> bytes:
    """Return a function that stores the result of *operation* on *size* bytes and returns the *new* or the old value.

    *swap* is the address of the library's compare-and-swap of that size (`helper_atomic_cmpxchg…_mmu`).
    """
    again = bytes.fromhex(_OLD[size] + _computed(operation, size)) + _SWAP + struct.pack("<Q", swap) + _CALL
    again += bytes.fromhex(_SAME[size])
    back = struct.pack("<Bb", 0x75, -len(again) - 2)  # jne
    return _ENTER + again + back + (bytes.fromhex(_RESULT_NEW[size]) if new else b"") + _LEAVE


def _computed(operation: str, size: int) -> str:
    """The new value into rcx, from the old one in rbx and the operand in r14."""
    if operation == "add":
        return "4a8d0c33"  # lea rcx, [rbx+r14]
    operand = "4c89f1"  # mov rcx, r14
    return operand if operation == "xchg" else _COMPARE[size] + operand + f"480f{_CHOOSE[operation]}cb"
