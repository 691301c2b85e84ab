"""Damaged ELF files end in an Image or in one sentence, soon and with little memory."""

from __future__ import annotations

import random
import tracemalloc
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from compat.errors import BadFile, CompatError
from compat.image import Image, Script
from loaders.detect import detect
from loaders.elf_imports import imports_of
from loaders.elf_segments import MEMORY_LIMIT
from loaders.source import Source
from tests.loaders.mutate import mutate
from tests.loaders.splice import sample, sample_names

MEMORY = 16 << 20


def outcome(data: bytes) -> str:
    """ "image", "script" or the sentence; everything an Image promises is checked."""
    source = Source.of_bytes(data, "prog")
    try:
        found = detect(source)
    except CompatError as error:
        sentence = str(error)
        assert sentence.startswith("prog")
        assert sentence.isprintable()
        return sentence
    if isinstance(found, Script):
        return "script"
    check(found, len(data))
    return "image"


def check(image: Image, size: int) -> None:
    assert 0 < sum(part.memory_size for part in image.segments) <= MEMORY_LIMIT
    for part in image.segments:
        assert 0 <= part.file_size <= part.memory_size
        assert part.offset + part.file_size <= size
        assert part.file_size == 0 or (part.address - part.offset) % 4096 == 0
    for low, high in zip(image.segments, image.segments[1:], strict=False):
        assert low.end <= high.address
    assert image.alignment & (image.alignment - 1) == 0 < 4096 <= image.alignment
    assert all(remark.isprintable() for remark in image.remarks)


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(name=st.sampled_from(sample_names()), seed=st.integers(0, 2**32 - 1))
def test_every_mutant_is_an_image_or_a_sentence(name: str, seed: int) -> None:
    outcome(mutate(sample(name), random.Random(seed)))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.binary(max_size=600), magic=st.sampled_from([b"", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"#!"]))
def test_random_bytes_are_never_a_program(data: bytes, magic: bytes) -> None:
    assert outcome(magic + data) != "image"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(name=st.sampled_from(sample_names()), seed=st.integers(0, 2**32 - 1))
def test_reading_imports_of_a_mutant_ends_in_a_result_or_a_sentence(name: str, seed: int) -> None:
    with suppress(BadFile):
        imports_of(Source.of_bytes(mutate(sample(name), random.Random(seed)), "prog"))


def test_memory_is_bounded() -> None:
    outcome(sample("dynamic-x86_64"))  # imports pyelftools
    tracemalloc.start()
    for name in sample_names():
        for seed in range(20):
            outcome(mutate(sample(name), random.Random(seed)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
