"""Parsed Images on disk, so that a second start need not import pyelftools.

An entry holds every byte range of the file that the parser read, and is used only if they all still read the
same; so it can't be stale, whatever happened to the file. The rest of an Image, its segments, is checked anew
every time: a cache that somebody tampered with can't smuggle in a segment.
"""

from __future__ import annotations

import binascii
import json
import os
from collections.abc import Mapping
from typing import Any

from compat.data import asdict, fields
from compat.image import ElfDetails, Image, Segment, Tls
from loaders.elf_headers import Header
from loaders.source import Recorder, Source

__all__ = ["Cache"]

VERSION = 1
"""To be raised whenever the same file would give another Image."""

MAX_ENTRY = 1 << 20
MAX_ENTRIES = 512
GAP = 256

_SHAPE = list(fields(Image))
_TEXTS = ("guest", "brand", "cpu")
_NUMBERS = ("entry", "alignment", "phdr_address", "phdr_size", "phdr_count")
_LISTS = ("needed", "remarks")
_OPTIONAL_TEXTS = ("soname", "rpath", "runpath")


class Cache:
    """A folder of Images; every failure of the host's file system means only that nothing is cached."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> Cache | None:
        """The user's cache folder as the XDG Base Directory Specification places it; None without a home."""
        base = environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):
            home = environ.get("HOME", "")
            base = os.path.join(home, ".cache") if os.path.isabs(home) else ""
        return cls(os.path.join(base, "compat", "images")) if base else None

    def load(self, source: Source, header: Header, segments: tuple[Segment, ...]) -> Image | None:
        """The Image made earlier from the same bytes, or None."""
        try:
            with open(self._path(source, header), "rb") as file:
                entry = json.loads(file.read(MAX_ENTRY))
            if entry["version"] != [VERSION, _SHAPE] or entry["size"] != source.size:
                return None
            if not all(_still_reads(source, offset, text) for offset, text in entry["witness"]):
                return None
            return _image(entry["image"], segments)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def store(self, recorder: Recorder, header: Header, image: Image) -> None:
        """Keep *image*, which was made from nothing but the reads that *recorder* saw."""
        ranges = recorder.ranges(GAP)
        values = asdict(image)
        del values["segments"]
        values["interpreter"] = None if image.interpreter is None else image.interpreter.decode("latin-1")
        entry = {
            "version": [VERSION, _SHAPE],
            "size": recorder.size,
            "witness": [(start, recorder.read(start, end - start).decode("latin-1")) for start, end in ranges],
            "image": values,
        }
        text = json.dumps(entry).encode()
        if len(text) <= MAX_ENTRY:
            try:
                self._write(self._path(recorder, header), text)
            except (OSError, ValueError):
                pass

    def _path(self, source: Source, header: Header) -> str:
        table = source.read(header.phoff, header.table_size)
        return os.path.join(
            self._folder, f"{binascii.crc32(table, binascii.crc32(header.raw)):08x}-{source.size:x}.json"
        )

    def _write(self, path: str, text: bytes) -> None:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._make_room()
        temporary = f"{path}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(text)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def _make_room(self) -> None:
        """Drop the older half once the folder is full."""
        with os.scandir(self._folder) as entries:
            found = [(entry.stat().st_mtime_ns, entry.path) for entry in entries]
        if len(found) < MAX_ENTRIES:
            return
        for _, path in sorted(found)[: len(found) // 2]:
            os.unlink(path)


def _still_reads(source: Source, offset: int, text: str) -> bool:
    expected = text.encode("latin-1")
    return source.read(offset, len(expected)) == expected


def _image(values: dict[str, Any], segments: tuple[Segment, ...]) -> Image:
    """The Image of an entry.

    Raises:
        TypeError, ValueError, KeyError: the entry was not written by store().
    """
    _check_types(values)
    interpreter, tls, elf = values["interpreter"], values["tls"], values["elf"]
    values["segments"] = segments
    values["interpreter"] = None if interpreter is None else interpreter.encode("latin-1")
    values["tls"] = None if tls is None else Tls(**tls)
    values["elf"] = ElfDetails(**(elf | {"properties": tuple(elf["properties"])}))
    for name in _LISTS:
        values[name] = tuple(values[name])
    return Image(**values)


def _check_types(values: dict[str, Any]) -> None:
    good = (
        values["format"] == "elf"
        and values["kind"] in ("static", "static-pie", "dynamic", "shared-library")
        and all(type(values[name]) is str for name in _TEXTS)
        and all(type(values[name]) is int for name in _NUMBERS)
        and all(type(item) is str for name in _LISTS for item in values[name])
        and all(values[name] is None or type(values[name]) is str for name in _OPTIONAL_TEXTS)
        and type(values["relocatable"]) is bool
        and values["stack_executable"] in (None, True, False)
        and all(type(number) is int for number in (values["tls"] or {}).values())
    )
    if not good:
        raise TypeError("not a cached Image")
