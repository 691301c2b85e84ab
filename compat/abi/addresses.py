"""Socket addresses as a person reads them."""

from __future__ import annotations

from compat.abi.show import quote

__all__ = ["show_address"]

_MOST_BYTES = 32


def show_address(family: str, raw: bytes) -> str:
    """A struct sockaddr with the family's name: {AF_INET, 127.0.0.1:80}. Ports and addresses are in network order on
    every system."""
    import ipaddress  # rarely needed

    rest = raw[2:]
    port = int.from_bytes(rest[:2], "big")
    if family == "AF_INET" and len(raw) >= 8:
        return f"{{{family}, {ipaddress.IPv4Address(rest[2:6])}:{port}}}"
    if family == "AF_INET6" and len(raw) >= 24:
        return f"{{{family}, [{ipaddress.IPv6Address(rest[6:22])}]:{port}}}"
    name = rest.rstrip(b"\0") if family == "AF_UNIX" else rest
    return f"{{{family}, {quote(name, _MOST_BYTES)}}}" if name else f"{{{family}}}"
