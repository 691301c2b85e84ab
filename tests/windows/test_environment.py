"""The environment of a Windows program."""

from __future__ import annotations

from shims.windows.environment import windows_environment


def test_what_is_expected_is_there_and_what_is_given_comes_first() -> None:
    made = windows_environment([b"zebra=1", b"Temp=Z:\\mine", b"PATH=/usr/bin", b"SHELL=/bin/sh"])
    assert b"zebra=1" in made
    assert b"Temp=Z:\\mine" in made
    assert not any(entry.startswith((b"TEMP=", b"SHELL=")) for entry in made)
    assert b"PATH=C:\\Windows\\system32;C:\\Windows" in made
    assert made == sorted(made, key=bytes.upper)
