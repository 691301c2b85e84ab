"""--mount is read, or refused with a sentence."""

from __future__ import annotations

import os

import pytest

from compat.errors import CompatError
from compat.sandbox.grants import Grant, parse_mount


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("/data", Grant(b"/data", b"/data")),
        ("/data:ro", Grant(b"/data", b"/data", read_only=True)),
        ("/data:/guest", Grant(b"/data", b"/guest")),
        ("/data:/guest:ro", Grant(b"/data", b"/guest", read_only=True)),
        ("/data:/guest:rw,dev", Grant(b"/data", b"/guest", devices=True)),
        ("/data://a/./b/../c/", Grant(b"/data", b"/a/c")),
        ("/data:/../..", Grant(b"/data", b"/")),
        ("here:ro", Grant(b"here", os.fsencode(os.getcwd()) + b"/here", read_only=True)),
    ],
)
def test_what_is_understood(text: str, grant: Grant) -> None:
    assert parse_mount(text) == grant


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "host path is empty"),
        (":/guest", "host path is empty"),
        ("/data:guest", "'guest' is not absolute"),
        ("/data:", "'' is not absolute"),
        ("/data:/guest:readonly", "'readonly' is no mount option; known are ro, rw, dev"),
        ("/data:/guest:ro,rw", "exclude each other"),
        ("/data:/guest:ro:ro", "no mount option"),
        ("/data:/a\0b", "NUL"),
        ("/" + "x" * 5000, "longer than 4095"),
    ],
)
def test_what_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(CompatError, match=sentence):
        parse_mount(text)
