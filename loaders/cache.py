"""Parsed Images on disk, so that a second start need not import pyelftools.

An entry holds every byte range of the file that the parser read, and is used only if they all still read the
same; so it can't be stale, whatever happened to the file. The rest of an Image, its segments, is checked anew
every time: a cache that somebody tampered with can't smuggle in a segment.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Mapping
from typing import Any

from compat.data import asdict, fields
from compat.image import ElfDetails, Image, Segment, Tls
from loaders.elf_headers import Header
from loaders.source import Recorder, Source

__all__ = ["Cache"]

VERSION = 2
"""To be raised whenever the same file would give another Image."""

MAX_ENTRY = 1 << 20
MAX_ENTRIES = 512
GAP = 256

_SHAPE = f"{VERSION} {' '.join(fields(Image))}"
_TEXTS = ("guest", "brand", "cpu", "kind")
_NUMBERS = ("entry", "alignment", "phdr_address", "phdr_size", "phdr_count")
_LISTS = ("needed", "remarks")
_OPTIONAL_TEXTS = ("soname", "rpath", "runpath")
_ANSWERS = {"": None, "no": False, "yes": True}


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
                head, *lines = file.read(MAX_ENTRY).decode(errors="surrogateescape").split("\n")
            if head != f"{_SHAPE} {source.size}":
                return None
            values = {name: rest for name, *rest in (line.split("\t") for line in lines)}
            if not all(_still_reads(source, each) for each in values["witness"]):
                return None
            return _image(values, segments)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def store(self, recorder: Recorder, header: Header, image: Image) -> None:
        """Keep *image*, which was made from nothing but the reads that *recorder* saw."""
        values = {"witness": [f"{at} {recorder.read(at, end - at).hex()}" for at, end in recorder.ranges(GAP)]}
        lines = [[name, *fields] for name, fields in (values | _fields(image)).items()]
        if any("\t" in field or "\n" in field for line in lines for field in line):
            return
        text = "\n".join([f"{_SHAPE} {recorder.size}", *map("\t".join, lines)])
        try:
            data = text.encode(errors="surrogateescape")
            if len(data) <= MAX_ENTRY:
                self._write(self._path(recorder, header), data)
        except (OSError, ValueError):
            pass

    def _path(self, source: Source, header: Header) -> str:
        table = source.read(header.phoff, header.table_size)
        return os.path.join(self._folder, f"{binascii.crc32(table, binascii.crc32(header.raw)):08x}-{source.size:x}")

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


def _still_reads(source: Source, witness: str) -> bool:
    offset, _, content = witness.partition(" ")
    expected = bytes.fromhex(content)
    return source.read(int(offset), len(expected)) == expected


def _fields(image: Image) -> dict[str, list[str]]:
    """What `_image` reads back, by name."""
    answers = {answer: word for word, answer in _ANSWERS.items()}
    made = {name: [getattr(image, name)] for name in _TEXTS}
    made |= {name: [str(getattr(image, name))] for name in _NUMBERS}
    made |= {name: list(getattr(image, name)) for name in _LISTS}
    made |= {name: [] if getattr(image, name) is None else [getattr(image, name)] for name in _OPTIONAL_TEXTS}
    made["relocatable"] = [answers[image.relocatable]]
    made["stack_executable"] = [answers[image.stack_executable]]
    made["interpreter"] = [] if image.interpreter is None else [image.interpreter.hex()]
    made["tls"] = [] if image.tls is None else [str(number) for number in asdict(image.tls).values()]
    elf = image.elf
    made["elf"] = [str(elf.flags), elf.abi, elf.float_abi, elf.isa, answers[elf.nan2008], *elf.properties]
    return made


def _image(values: dict[str, list[str]], segments: tuple[Segment, ...]) -> Image:
    """The Image of an entry.

    Raises:
        TypeError, ValueError, KeyError: the entry was not written by store().
    """
    made: dict[str, Any] = {"format": "elf", "segments": segments}
    for name in _TEXTS:
        (made[name],) = values[name]
    if made["kind"] not in ("static", "static-pie", "dynamic", "shared-library"):
        raise ValueError("kind")
    for name in _NUMBERS:
        (number,) = values[name]
        made[name] = int(number)
    for name in _LISTS:
        made[name] = tuple(values[name])
    for name in _OPTIONAL_TEXTS:
        made[name] = _only(values[name])
    (word,) = values["stack_executable"]
    made["stack_executable"] = _ANSWERS[word]
    made["relocatable"] = values["relocatable"] == ["yes"]
    interpreter = _only(values["interpreter"])
    made["interpreter"] = None if interpreter is None else bytes.fromhex(interpreter)
    made["tls"] = Tls(*map(int, values["tls"])) if values["tls"] else None
    flags, abi, float_abi, isa, nan2008, *properties = values["elf"]
    made["elf"] = ElfDetails(int(flags), abi, float_abi, isa, nan2008 == "yes", tuple(properties))
    return Image(**made)


def _only(found: list[str]) -> str | None:
    """The one field there is, or None for none."""
    if len(found) > 1:
        raise ValueError("more than one")
    return found[0] if found else None
