"""The first line of a script, split like fs/binfmt_script.c."""

from __future__ import annotations

import pytest

from compat.errors import BadFile
from compat.image import Script
from loaders.detect import detect
from loaders.source import Source


def script(data: bytes) -> object:
    return detect(Source.of_bytes(data, "run.sh"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"#!/bin/sh\necho\n", Script(b"/bin/sh", None)),
        (b"#!/bin/sh", Script(b"/bin/sh", None)),
        (b"#! \t/bin/sh -e  -x \t\n", Script(b"/bin/sh", b"-e  -x")),
        (b"#!/usr/bin/env python3\r\n", Script(b"/usr/bin/env", b"python3\r")),
        (b"#!/bin/sh\0junk more\n", Script(b"/bin/sh", None)),
        (b"#!/bin/sh " + b"a" * 300 + b"\n", Script(b"/bin/sh", b"a" * (255 - 10))),
        (b"#!/bin/sh " + b"a" * 245 + b"\n", Script(b"/bin/sh", b"a" * 245)),
    ],
)
def test_linux_rules(data: bytes, expected: Script) -> None:
    assert script(data) == expected


@pytest.mark.parametrize("data", [b"#!", b"#!\n/bin/sh\n", b"#!  \t \n", b"#!" + b" " * 300 + b"/bin/sh\n"])
def test_a_line_without_interpreter_is_refused(data: bytes) -> None:
    with pytest.raises(BadFile, match=r"^run\.sh is a script whose first line names no interpreter$"):
        script(data)


def test_a_path_that_is_cut_off_is_refused() -> None:
    with pytest.raises(BadFile, match="longer than 256 bytes"):
        script(b"#!/" + b"a" * 300 + b"\n")
