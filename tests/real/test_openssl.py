"""Debian's openssl for arm64: digests that Python knows too, ciphers there and back, a short run of speed."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program


@pytest.fixture(scope="module")
def openssl() -> Program:
    root = debian.sysroot("arm64", "openssl")
    return Program(root / "usr/bin/openssl", "aarch64", root)


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha512", "sha3-256", "blake2b512"])
def test_digests(openssl: Program, tmp_path: Path, digest: str) -> None:
    data = os.urandom(100_001)
    (tmp_path / "data").write_bytes(data)
    name = {"sha3-256": "sha3_256", "blake2b512": "blake2b"}.get(digest, digest)
    wanted = hashlib.new(name, data).hexdigest()
    openssl.prints(f"{wanted} *data\n", "dgst", f"-{digest}", "-r", "data", folder=tmp_path)


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-128-ctr", "chacha20", "camellia-192-cfb", "des-ede3-cbc"])
def test_there_and_back(openssl: Program, tmp_path: Path, cipher: str) -> None:
    data = os.urandom(200_003)
    (tmp_path / "plain").write_bytes(data)
    options = (f"-{cipher}", "-pbkdf2", "-iter", "1000", "-pass", "pass:secret")
    openssl.prints("", "enc", *options, "-in", "plain", "-out", "secret", folder=tmp_path)
    assert (tmp_path / "secret").read_bytes()[:8] == b"Salted__"
    openssl.prints("", "enc", "-d", *options, "-in", "secret", "-out", "again", folder=tmp_path)
    assert (tmp_path / "again").read_bytes() == data


def test_a_known_ciphertext(openssl: Program, tmp_path: Path) -> None:
    key = "2b7e151628aed2a6abf7158809cf4f3c"  # FIPS 197, appendix B
    options = ("enc", "-aes-128-ecb", "-nopad", "-K", key)
    plain = bytes.fromhex("3243f6a8885a308d313198a2e0370734")
    openssl.prints(bytes.fromhex("3925841d02dc09fbdc118597196a0b32"), *options, folder=tmp_path, stdin=plain)


def test_signatures(openssl: Program, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("signed")
    openssl.output("genpkey", "-algorithm", "ED25519", "-out", "key", folder=tmp_path)
    openssl.output("pkeyutl", "-sign", "-inkey", "key", "-rawin", "-in", "text", "-out", "name", folder=tmp_path)
    verify = ("pkeyutl", "-verify", "-inkey", "key", "-rawin", "-in", "text", "-sigfile", "name")
    openssl.prints("Signature Verified Successfully\n", *verify, folder=tmp_path)


def test_a_short_run_of_speed(openssl: Program, tmp_path: Path) -> None:
    told = openssl.output("speed", "-seconds", "1", "-bytes", "1024", "-mr", "-evp", "sha256", folder=tmp_path).decode()
    found = re.search(r"\+F:\d+:sha256:([\d.]+)", told)
    assert found, told
    assert float(found[1]) > 0
