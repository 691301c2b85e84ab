"""Sockets: what Linux adds, and the one call behind which older CPUs keep them all."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Any, Final

from compat.abi.flags import Constant, FlagSet
from compat.abi.handles import ArrayHandle, Buffer, Pointer
from shims.linux.several import recvmmsg, sendmmsg
from shims.linux.state import LinuxThread
from shims.posix import messages as transfers
from shims.posix import options, sockets

__all__ = ["accept4", "socket", "socketcall"]


def socket(thread: LinuxThread, family: Constant, type: FlagSet, protocol: int) -> int:
    """socket(2): also of AF_NETLINK."""
    if family == "AF_NETLINK" and not type.unknown:
        from shims.linux.netlink import open_socket  # rarely needed

        return open_socket(thread, type, protocol)
    return sockets.socket(thread, family, type, protocol)


def accept4(thread: LinuxThread, fd: int, addr: int, size: Pointer[int] | None, flags: FlagSet) -> int:
    """accept4(2)."""
    if flags.unknown or flags - {"SOCK_CLOEXEC", "SOCK_NONBLOCK"}:
        raise OSError(errno.EINVAL, "flags")
    return sockets.accept_with(thread, fd, addr, size, flags)


def socketcall(thread: LinuxThread, call: Constant, args: int) -> int:
    """socketcall(2): *args* points to as many words as the call named has arguments."""
    if call not in _CALLS:
        raise OSError(errno.EINVAL, "call")
    kinds, serve = _CALLS[call]
    word = thread.abi.cpu.word
    raw = thread.memory.read(args, word * len(kinds))
    codec = thread.abi.word_codec()
    words = [codec.unpack(raw[k : k + word]) for k in range(0, len(raw), word)]
    return serve(thread, *_arguments(thread, kinds, words)) or 0


def _arguments(thread: LinuxThread, kinds: str, words: list[int]) -> list[Any]:
    """The handles for *words*, by one letter of `_HANDLES` each."""
    return [_HANDLES[kind](thread, words, place) for place, kind in enumerate(kinds)]


def _integer(thread: LinuxThread, words: list[int], place: int) -> int:
    low = words[place] & 0xFFFF_FFFF
    return low - (1 << 32) if low >> 31 else low


def _value(thread: LinuxThread, kind: str, words: list[int], place: int) -> Any:
    found = thread.abi.values(kind)
    assert found is not None, kind
    return found.decode(words[place] & 0xFFFF_FFFF)


def _pointer(thread: LinuxThread, struct: str, words: list[int], place: int) -> Pointer[Any]:
    codec = thread.abi.codec(struct)
    assert codec is not None, struct
    return Pointer(thread.memory, words[place], codec)


def _option(thread: LinuxThread, words: list[int], place: int) -> Constant | int:
    """The option's name, which depends on the level before it."""
    level = str(_value(thread, "SocketLevel", words, place - 1))
    if level not in _OPTIONS:
        return words[place]
    found: Constant = _value(thread, _OPTIONS[level], words, place)
    return found


_OPTIONS: Final[Mapping[str, str]] = {
    "SOL_SOCKET": "SocketOption", "SOL_TCP": "TcpOption", "SOL_UDP": "UdpOption", "SOL_IP": "IpOption",
    "SOL_IPV6": "Ipv6Option", "SOL_ICMPV6": "Icmpv6Option", "SOL_RAW": "RawOption", "SOL_PACKET": "PacketOption",
    "SOL_NETLINK": "NetlinkOption",
}  # fmt: skip

_HANDLES: Final[Mapping[str, Callable[[LinuxThread, list[int], int], Any]]] = {
    "i": _integer,
    "n": lambda thread, words, place: words[place],
    "b": lambda thread, words, place: Buffer(thread.memory, words[place], words[place + 1]),
    "a": lambda thread, words, place: (
        Buffer(thread.memory, words[place], words[place + 1] & 0xFFFF_FFFF) if words[place] else None
    ),
    "A": lambda thread, words, place: Buffer(thread.memory, words[place], words[place + 1] & 0xFFFF_FFFF),
    "F": lambda thread, words, place: _value(thread, "AddressFamily", words, place),
    "T": lambda thread, words, place: _value(thread, "SocketType", words, place),
    "M": lambda thread, words, place: _value(thread, "MessageFlags", words, place),
    "H": lambda thread, words, place: _value(thread, "ShutdownHow", words, place),
    "L": lambda thread, words, place: _value(thread, "SocketLevel", words, place),
    "O": _option,
    "s": lambda thread, words, place: _pointer(thread, "Int", words, place) if words[place] else None,
    "S": lambda thread, words, place: _pointer(thread, "Int", words, place),
    "P": lambda thread, words, place: _pointer(thread, "FdPair", words, place),
    "V": lambda thread, words, place: ArrayHandle(
        thread.memory, words[place], thread.abi.layout("Mmsghdr"), words[place + 1]
    ),
    "t": lambda thread, words, place: _pointer(thread, "Timespec", words, place) if words[place] else None,
    "m": lambda thread, words, place: _pointer(thread, "Msghdr", words, place),
}

_CALLS: Final[Mapping[str, tuple[str, Callable[..., int | None]]]] = {
    "SYS_SOCKET": ("FTi", socket),
    "SYS_BIND": ("iAi", sockets.bind),
    "SYS_CONNECT": ("iAi", sockets.connect),
    "SYS_LISTEN": ("ii", sockets.listen),
    "SYS_ACCEPT": ("ins", sockets.accept),
    "SYS_GETSOCKNAME": ("inS", sockets.getsockname),
    "SYS_GETPEERNAME": ("inS", sockets.getpeername),
    "SYS_SOCKETPAIR": ("FTiP", sockets.socketpair),
    "SYS_SEND": ("ibnM", transfers.send),
    "SYS_RECV": ("ibnM", transfers.recv),
    "SYS_SENDTO": ("ibnMai", transfers.sendto),
    "SYS_RECVFROM": ("ibnMns", transfers.recvfrom),
    "SYS_SHUTDOWN": ("iH", sockets.shutdown),
    "SYS_SETSOCKOPT": ("iLOAi", options.setsockopt),
    "SYS_GETSOCKOPT": ("iLOnS", options.getsockopt),
    "SYS_SENDMSG": ("imM", transfers.sendmsg),
    "SYS_RECVMSG": ("imM", transfers.recvmsg),
    "SYS_SENDMMSG": ("iVnM", sendmmsg),
    "SYS_RECVMMSG": ("iVnMt", recvmmsg),
    "SYS_ACCEPT4": ("insT", accept4),
}
