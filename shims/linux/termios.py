"""struct termios between guest and host, by the names of modes, speeds and characters."""

from __future__ import annotations

import errno
import sys
import termios
from collections.abc import Mapping
from typing import Final

from compat.abi.abi import Abi
from compat.abi.flags import FlagType
from compat.abi.structs import Layout, Record
from compat.host import Modes

__all__ = ["from_host", "to_host"]

# asm-generic/termbits-common.h: what Python's termios does not name
_MORE: Final = {"IUTF8": 0x4000, "EXTPROC": 0x10000, "CMSPAR": 0o10000000000} if sys.platform == "linux" else {}
_HOST: Final[dict[str, int]] = {
    **{name: value for name, value in vars(termios).items() if isinstance(value, int)},
    **_MORE,
}
_TYPES: Final = {"iflag": "InputModes", "oflag": "OutputModes", "cflag": "ControlModes", "lflag": "LocalModes"}
_FIELDS: Final = {"iflag": "input", "oflag": "output", "cflag": "control", "lflag": "local"}
_SPEED_FIELDS: Final = ("CBAUD", "CIBAUD")


def from_host(abi: Abi, modes: Modes, layout: Layout) -> dict[str, object]:
    """The fields of a guest struct termios, termios2 or termio."""
    fields: dict[str, object] = {}
    widths = layout.widths
    speed = _speed_name(modes.speeds[1])
    for name, kind in _TYPES.items():
        value = _guest_bits(abi.flags(kind), getattr(modes, _FIELDS[name]))
        if name == "cflag":
            value |= abi.flags(kind).values.get(speed, 0)
        fields[name] = value & (1 << 8 * widths[name]) - 1
    fields["cc"] = _guest_characters(abi, modes.controls, widths["cc"])
    fields["ispeed"] = fields["ospeed"] = int(speed[1:])
    return fields


def to_host(abi: Abi, record: Record, old: Modes) -> Modes:
    """The host's modes for a guest struct; what the guest can't say stays as in *old*."""
    narrow = "ispeed" not in record and len(_bytes(record["cc"])) <= 10
    values = {name: record.int(name) for name in _TYPES}
    host: dict[str, int] = {}
    for name, kind in _TYPES.items():
        before: int = getattr(old, _FIELDS[name])
        if narrow:  # struct termio has the lower halves only
            values[name] |= _guest_bits(abi.flags(kind), before) & ~0xFFFF
        host[_FIELDS[name]] = _host_bits(abi.flags(kind), values[name], before)
    speed = _chosen_speed(abi.flags("ControlModes"), values["cflag"], record, old.speeds[1])
    controls = _host_characters(abi, _bytes(record["cc"]), old.controls)
    return Modes(**host, speeds=(speed, speed), controls=controls)


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


# --- bits ---


def _guest_bits(kind: FlagType, host: int) -> int:
    value = 0
    members = {name for _, names in kind.fields.values() for name in names.values()}
    for field, (_, names) in kind.fields.items():
        if field not in _SPEED_FIELDS and field in _HOST:
            value |= _member(kind, names, host & _HOST[field])
    for name, bits in kind.values.items():
        if name not in members and name not in kind.fields and _HOST.get(name, 0) & host:
            value |= bits
    return value


def _member(kind: FlagType, names: Mapping[int, str], host: int) -> int:
    return next((kind.values[name] for name in names.values() if _HOST.get(name) == host), 0)


def _host_bits(kind: FlagType, guest: int, before: int) -> int:
    """Names to the host's bits; bits that have no name there stay as they were."""
    known = value = 0
    members = {name for _, names in kind.fields.values() for name in names.values()}
    for field, (mask, names) in kind.fields.items():
        if field not in _SPEED_FIELDS and field in _HOST:
            known |= _HOST[field]
            value |= _HOST.get(names.get(guest & mask, ""), 0)
    for name, bits in kind.values.items():
        if name not in members and name not in kind.fields and name in _HOST:
            known |= _HOST[name]
            value |= _HOST[name] if guest & bits == bits else 0
    return before & ~known | value


# --- speeds and characters ---


def _speed_name(speed: int) -> str:
    """B9600 for the host's constant."""
    return next(
        (name for name, value in _HOST.items() if name[0] == "B" and name[1:].isdigit() and value == speed), "B0"
    )


def _chosen_speed(kind: FlagType, cflag: int, record: Record, before: int) -> int:
    mask, names = kind.fields["CBAUD"]
    name = names.get(cflag & mask, "")
    if name == "BOTHER" and "ospeed" in record:
        name = f"B{record.int('ospeed')}"
        if name not in _HOST:
            raise OSError(errno.EINVAL, "ospeed")
    return _HOST.get(name, before)


def _guest_characters(abi: Abi, controls: list[int], size: int) -> bytes:
    result = bytearray(size)
    for name, index in abi.constants("TermControl").values.items():
        if index < size and _HOST.get(name, len(controls)) < len(controls):
            result[index] = controls[_HOST[name]]
    return bytes(result)


def _host_characters(abi: Abi, characters: bytes, before: list[int]) -> list[int]:
    result = list(before)
    for name, index in abi.constants("TermControl").values.items():
        if index < len(characters) and _HOST.get(name, len(result)) < len(result):
            result[_HOST[name]] = characters[index]
    return result
