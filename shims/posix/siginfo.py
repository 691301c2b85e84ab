"""What a signal tells its receiver: siginfo_t, by the struct of its kind."""

from __future__ import annotations

from compat.abi.abi import Abi
from shims.posix.state import Pending

__all__ = ["SIGINFO_SIZE", "code_number", "siginfo"]

SIGINFO_SIZE = 128  # asm-generic/siginfo.h: SI_MAX_SIZE

_CODES = {
    "SI": "CodeGeneric",
    "ILL": "CodeIll",
    "FPE": "CodeFpe",
    "SEGV": "CodeSegv",
    "BUS": "CodeBus",
    "TRAP": "CodeTrap",
    "CLD": "CodeChild",
    "POLL": "CodePoll",
    "SYS": "CodeSys",
}


def code_number(abi: Abi, name: str) -> int:
    """The guest's number of a si_code."""
    return abi.constants(_CODES[name.partition("_")[0]]).encode(name)


def siginfo(abi: Abi, pending: Pending) -> bytes:
    """The 128 bytes that a handler, sigwaitinfo or waitid receives."""
    layout = abi.layout(pending.layout)
    code = code_number(abi, pending.code) if isinstance(pending.code, str) else pending.code
    values: dict[str, object] = {"head.signo": pending.number, "head.code": code, **pending.fields}
    return layout.pack(values).ljust(SIGINFO_SIZE, b"\0")[:SIGINFO_SIZE]
