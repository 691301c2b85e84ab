"""/proc/net: the host's tables where the user granted the network, else those of a machine without one."""

from __future__ import annotations

from collections.abc import Callable

from compat.sandbox.synthetic import Directory, File, Node
from shims.linux.proc_machine import host_text
from shims.linux.state import LinuxProcess

__all__ = ["network_tables"]

_SOCKETS = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
_SOCKETS_6 = (
    b"  sl  local_address                         remote_address                        "
    b"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
)
_DEVICES = (
    b"Inter-|   Receive                                                |  Transmit\n"
    b" face |bytes    packets errs drop fifo frame compressed multicast|"
    b"bytes    packets errs drop fifo colls carrier compressed\n"
    b"    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0"
    b"          0\n"
)

_EMPTY: dict[bytes, bytes] = {
    b"arp": b"IP address       HW type     Flags       HW address            Mask     Device\n",
    b"dev": _DEVICES,
    b"if_inet6": b"",
    b"ipv6_route": b"",
    b"packet": b"sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n",
    b"raw": _SOCKETS + b" ref pointer drops\n",
    b"raw6": _SOCKETS_6,
    b"route": b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT".ljust(127) + b"\n",
    b"sockstat": b"sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\n"
    b"RAW: inuse 0\nFRAG: inuse 0 memory 0\n",
    b"tcp": _SOCKETS.ljust(149) + b"\n",
    b"tcp6": _SOCKETS_6,
    b"udp": _SOCKETS + b" ref pointer drops".ljust(30) + b"\n",
    b"udp6": _SOCKETS_6,
    b"unix": b"Num       RefCount Protocol Flags    Type St Inode Path\n",
    b"wireless": b"",
}


_COUNTERS = (
    b"dev_mcast", b"igmp", b"igmp6", b"netlink", b"netstat", b"protocols", b"ptype", b"snmp", b"snmp6", b"sockstat6",
    b"udplite", b"udplite6",
)  # fmt: skip
"""Tables that only a machine with a network shows."""


def network_tables(process: LinuxProcess) -> Directory:
    """The folder."""

    def table(name: bytes) -> Callable[[], bytes]:
        if process.options.network or process.options.trust:
            shown = _host_table(process, name)
            return lambda: shown() or _EMPTY[name]
        return lambda: _EMPTY[name]

    entries: dict[bytes, Node] = {name: File(table(name)) for name in _EMPTY}
    if process.options.network or process.options.trust:
        entries |= {name: File(_host_table(process, name)) for name in _COUNTERS}
    return Directory(entries)


def _host_table(process: LinuxProcess, name: bytes) -> Callable[[], bytes]:
    return lambda: host_text(process.host, b"/proc/self/net/" + name)
