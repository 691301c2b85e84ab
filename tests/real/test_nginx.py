"""Debian's nginx for arm64: a master and two workers, asked by clients of the host."""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.running import Program
from tests.real.serving import free_port, serving

CLIENTS = 100
CONFIGURATION = """
daemon off;
worker_processes 2;
error_log {folder}/error.log info;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    sendfile on; keepalive_timeout 65; gzip on; gzip_types text/plain; types {{ text/plain txt; }}
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


class Site:
    """The server's port and its files."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self.big = os.urandom(300_000)
        (folder / "big").write_bytes(self.big)
        (folder / "small.txt").write_text("hello\n" * 400)
        (folder / "secret.txt").write_text("for the owner\n")
        (folder / "secret.txt").chmod(0o600)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = debian.sysroot("arm64", "nginx-light")
    program = Program(root / "usr/sbin/nginx", "aarch64", root, ("--net", "host"))
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    (folder / "files").mkdir()
    folder.chmod(0o755)  # for the workers, whom a master that is root lets be nobody
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    with serving(program, "-c", f"{folder}/nginx.conf", "-p", f"{folder}", folder=folder, port=port):
        yield Site(port, folder / "files")


def get(connection: http.client.HTTPConnection, path: str, **headers: str) -> tuple[int, bytes]:
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_one_connection_for_many_files(site: Site) -> None:
    connection = site.connect()
    connection.connect()
    kept = connection.sock
    for _ in range(5):
        assert get(connection, "/big") == (200, site.big)
        assert get(connection, "/small.txt") == (200, b"hello\n" * 400)
    assert get(connection, "/none")[0] == 404
    assert get(connection, "/big", Range="bytes=1000-1999") == (206, site.big[1000:2000])
    assert len(get(connection, "/small.txt", Accept_Encoding="gzip")[1]) < 200
    assert connection.sock is kept
    connection.close()


def test_a_hundred_connections(site: Site) -> None:
    wanted, problems = hashlib.sha256(site.big).digest(), list[str]()
    ready = threading.Barrier(CLIENTS)

    def run() -> None:
        connection = site.connect()
        try:
            connection.connect()
            ready.wait(60)
            for _ in range(2):
                status, body = get(connection, "/big")
                if status != 200 or hashlib.sha256(body).digest() != wanted:
                    problems.append(f"{status}, {len(body)} bytes")
        except (OSError, http.client.HTTPException, threading.BrokenBarrierError) as error:
            problems.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has workers of another user")
def test_workers_have_given_up_being_root(site: Site) -> None:
    assert get(site.connect(), "/secret.txt")[0] == 403


def test_a_new_file_is_seen(site: Site) -> None:
    connection = site.connect()
    assert get(connection, "/late.txt")[0] == 404
    (site.folder / "late.txt").write_text("here\n")
    assert get(connection, "/late.txt") == (200, b"here\n")
    connection.close()
