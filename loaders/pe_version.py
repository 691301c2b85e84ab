"""The version of a PE file, which its resources tell.

Source: Microsoft's documentation of VS_VERSIONINFO and VS_FIXEDFILEINFO.
"""

from __future__ import annotations

import struct

from loaders.pe_file import PeFile
from loaders.pe_resources import resources_of

__all__ = ["file_version"]

_RT_VERSION = 16
_KEY = "VS_VERSION_INFO\0".encode("utf-16-le")
_FIXED = struct.Struct("<IIII")
_START = 6 + len(_KEY) + 2  # three lengths, the key, and what aligns the value to 4 bytes


def file_version(file: PeFile) -> tuple[int, int, int, int] | None:
    """dwFileVersion of the first version resource; None if there is none. Raises BadFile."""
    for resource in resources_of(file):
        if resource.type == _RT_VERSION:
            raw = file.peek(resource.address, min(resource.size, _START + _FIXED.size))
            if len(raw) < _START + _FIXED.size or raw[6:].startswith(_KEY) is False:
                return None
            signature, _, high, low = _FIXED.unpack_from(raw, _START)
            return (high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF) if signature == 0xFEEF_04BD else None
    return None
