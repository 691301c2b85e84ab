"""Messages of rtnetlink(7) and sock_diag(7) between byte orders. Their layout is the same for every CPU."""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from typing import Final

__all__ = ["SOCK_DIAG", "attribute", "body_size", "swap"]

_HEAD: Final = "HH"  # struct rtattr: len, type
_NESTED: Final = 0

_BODIES: Final[Mapping[int, str]] = {4: "BxHiII", 5: "BBBBI", 6: "8BI", 7: "B3xiHBB", 8: "8BI"}
"""By a message's type divided by 4: ifinfomsg, ifaddrmsg, rtmsg, ndmsg, fib_rule_hdr (linux/rtnetlink.h and others)."""


def _widths(raw: tuple[int, ...], words: tuple[int, ...], longs: tuple[int, ...] = ()) -> Mapping[int, int]:
    return dict.fromkeys(raw, 1) | dict.fromkeys(words, 4) | dict.fromkeys(longs, 8)


_ATTRIBUTES: Final[Mapping[int, Mapping[int, int]]] = {
    4: _widths(
        (1, 2, 3, 6, 16, 17, 20, 33, 36, 39, 49, 53, 54, 56),
        (4, 5, 7, 10, 13, 21, 27, 29, 30, 31, 32, 35, 38, 40, 41, 47, 48, 50, 51, 58, 59, 60, 61, 62, 63, 64),
        (23,),
    ),
    5: _widths((1, 2, 3, 4, 5, 7, 11), (6, 8, 9)),
    6: {**_widths((1, 2, 5, 7, 20), (3, 4, 6, 11, 12, 15, 16, 23, 25)), 8: _NESTED},
    7: _widths((1, 2), (3, 4, 8, 9)),
    8: _widths((1, 2, 3, 17), (4, 6, 10, 14, 15, 16)),
}
"""Width in bytes of the numbers in each attribute: IFLA_*, IFA_*, RTA_*, NDA_*, FRA_*. `_NESTED` holds attributes of
words. Attributes that are not here are left out where the order changes."""


SOCK_DIAG: Final = -1
"""What stands for the types of sock_diag(7), of which there is one for all; the family tells them apart."""

_ID: Final = "36s3I"  # struct inet_diag_sockid: ports and addresses in network order, interface, cookie
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_DIAG_QUESTIONS: Final[Mapping[int, str]] = {
    _AF_UNIX: "4B5I",  # struct unix_diag_req
    **dict.fromkeys((_AF_INET, _AF_INET6), "4BI" + _ID),  # struct inet_diag_req_v2
}
_DIAG_ANSWERS: Final[Mapping[int, str]] = {
    _AF_UNIX: "4B3I",  # struct unix_diag_msg
    **dict.fromkeys((_AF_INET, _AF_INET6), "4B" + _ID + "5I"),  # struct inet_diag_msg
}
_DIAG: Final[Mapping[int, Mapping[int, int]]] = {
    _AF_UNIX: _widths((0, 6), (1, 2, 3, 4, 5, 7)),
    **dict.fromkeys((_AF_INET, _AF_INET6), _widths((4, 5, 6, 8, 11, 13, 14, 22), (1, 3, 7, 15, 17), (21,))),
}
"""By the family: linux/unix_diag.h, inet_diag.h. The question's attributes are bytecode, which is left out."""


def body_size(kind: int) -> int:
    """Bytes before the attributes in a message of type *kind*."""
    return struct.calcsize("=" + _BODIES[kind // 4])


def attribute(order: str, kind: int, data: bytes) -> bytes:
    """A struct rtattr with its data, padded."""
    size = 4 + len(data)
    return (struct.pack(order + _HEAD, size, kind) + data).ljust(-(-size // 4) * 4, b"\0")


def swap(kind: int, body: bytes, order: str, other: str, *, asked: bool = False) -> bytes:
    """The *body* of a message of type *kind* in the order *other* instead of *order*; those of struct. *asked*: it is
    a question, which for `SOCK_DIAG` has another layout. Raises KeyError for a message that is not known here."""
    if _big(order) == _big(other):
        return body
    if kind == SOCK_DIAG:
        family = body[0] if body else 0
        return _swap_body(body, (_DIAG_QUESTIONS if asked else _DIAG_ANSWERS)[family], _DIAG[family], order, other)
    if kind < 16:  # NLMSG_DONE: an int
        return _reverse(body, 4)
    return _swap_body(body, _BODIES[kind // 4], _ATTRIBUTES[kind // 4], order, other)


def _swap_body(body: bytes, form: str, widths: Mapping[int, int], order: str, other: str) -> bytes:
    size = struct.calcsize("=" + form)
    if len(body) < size:  # struct rtgenmsg: the family alone
        return body[:1]
    fixed = struct.pack(other + form, *struct.unpack(order + form, body[:size]))
    return fixed + _swap_attributes(body[-(-size // 4) * 4 :], widths, order, other)


def _big(order: str) -> bool:
    return order == ">" or (order in "=@" and sys.byteorder == "big")


def _swap_attributes(data: bytes, widths: Mapping[int, int], order: str, other: str) -> bytes:
    done = b""
    while len(data) >= 4:
        size, kind = struct.unpack_from(order + _HEAD, data)
        if not 4 <= size <= len(data):
            break
        value, width = data[4:size], widths.get(kind)
        if width == _NESTED:
            words = dict.fromkeys(range(64), 4)
            done += attribute(other, kind, _swap_attributes(value, words, order, other))
        elif width is not None:
            done += attribute(other, kind, _reverse(value, width))
        data = data[-(-size // 4) * 4 :]
    return done


def _reverse(data: bytes, width: int) -> bytes:
    return b"".join(data[k : k + width][::-1] for k in range(0, len(data), width))
