"""Debian's redis-server for arm64, asked by a client of the host and by its own benchmark as another guest."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.real import debian
from tests.real.registries import wheel
from tests.real.running import Program
from tests.real.serving import free_port, serving

SAVED = b"REDIS0010"  # the head of a dump of Redis 7.0


class Client:
    """Commands in Redis's own protocol (RESP 2)."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._file: BinaryIO = self._socket.makefile("rb")

    def send(self, *words: str | bytes) -> None:
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        head = b"*%d\r\n" % len(parts)
        self._socket.sendall(head + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))

    def read(self) -> object:
        """The next answer: bytes, int, None, list; an error is a RuntimeError."""
        line = self._file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise RuntimeError(line.decode())

    def ask(self, *words: str | bytes) -> object:
        self.send(*words)
        return self.read()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture(scope="module")
def program() -> Program:
    root = debian.sysroot("arm64", "redis-server", "redis-tools")
    return Program(root / "usr/bin/redis-server", "aarch64", root, ("--net", "host"))


@pytest.fixture(scope="module")
def port(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    with serving(program, "--port", str(port), "--save", "", folder=folder, port=port):
        yield port
    assert b"bug" not in (folder / "output").read_bytes()
    assert (folder / "dump.rdb").read_bytes().startswith(SAVED)


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    made = Client(port)
    yield made
    made.close()


def test_values_of_all_kinds(client: Client) -> None:
    assert client.ask("PING") == b"PONG"
    big = bytes(range(256)) * 4000
    assert client.ask("SET", "big", big) == b"OK"
    assert client.ask("GET", "big") == big
    assert client.ask("RPUSH", "list", *map(str, range(100))) == 100
    assert client.ask("LRANGE", "list", "97", "-1") == [b"97", b"98", b"99"]
    assert client.ask("HSET", "hash", "a", "1", "b", "2") == 2
    assert client.ask("HGETALL", "hash") == [b"a", b"1", b"b", b"2"]
    assert client.ask("ZADD", "sorted", "2.5", "x", "1.25", "y") == 2
    assert client.ask("ZRANGE", "sorted", "0", "-1", "WITHSCORES") == [b"y", b"1.25", b"x", b"2.5"]
    assert client.ask("EVAL", "return redis.call('incrby', KEYS[1], ARGV[1]) + 1", "1", "number", "41") == 42


def test_a_pipeline_and_a_transaction(client: Client) -> None:
    for _ in range(1000):
        client.send("INCR", "counter")
    assert [client.read() for _ in range(1000)] == list(range(1, 1001))
    assert client.ask("MULTI") == b"OK"
    assert client.ask("INCR", "counter") == b"QUEUED"
    assert client.ask("EXEC") == [1001]


def test_publishing_to_fifty_clients(port: int, client: Client) -> None:
    readers = [Client(port) for _ in range(50)]
    for reader in readers:
        assert reader.ask("SUBSCRIBE", "news") == [b"subscribe", b"news", 1]
    assert client.ask("PUBLISH", "news", "hello") == 50
    for reader in readers:
        assert reader.read() == [b"message", b"news", b"hello"]
        reader.close()


def test_waiting_for_a_value(port: int, client: Client) -> None:
    waiting = Client(port)
    waiting.send("BLPOP", "queue", "20")
    assert client.ask("LPUSH", "queue", "late") == 1
    assert waiting.read() == [b"queue", b"late"]
    waiting.send("BLPOP", "queue", "0.05")
    assert waiting.read() is None
    waiting.close()


def test_saving_in_a_child(client: Client) -> None:
    client.ask("SET", "kept", "value")
    assert client.ask("BGSAVE") == b"Background saving started"
    info = b"rdb_bgsave_in_progress:1"
    while b"rdb_bgsave_in_progress:1" in info:
        answer = client.ask("INFO", "persistence")
        assert isinstance(answer, bytes)
        info = answer
    assert b"rdb_last_bgsave_status:ok" in info


def test_its_own_benchmark(program: Program, port: int, tmp_path: Path) -> None:
    benchmark = Program(program.path.with_name("redis-benchmark"), program.cpu, program.sysroot, program.options)
    command = ("-p", str(port), "-n", "1000", "-c", "20", "--csv", "-t", "ping_mbulk,set,get,lpush,mset")
    lines = benchmark.output(*command, folder=tmp_path).decode().splitlines()
    assert [line.split(",")[0].strip('"') for line in lines] == [
        "test", "PING_MBULK", "SET", "GET", "LPUSH", "MSET (10 keys)",
    ]  # fmt: skip


def test_the_host_s_benchmark(port: int, tmp_path: Path) -> None:
    root = debian.sysroot("amd64", "redis-tools")
    if platform.machine() != "x86_64":
        pytest.skip("Debian's packages for amd64 don't run here natively")
    libraries = root / "usr/lib/x86_64-linux-gnu"
    native = [root / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, root / "usr/bin/redis-benchmark"]
    command = [*native, "-p", str(port), "-n", "2000", "-c", "50", "-P", "4", "--csv", "-t", "ping_mbulk,set,get,incr"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ['"PING_MBULK"', '"SET"', '"GET"', '"INCR"']


REDIS_PY = """\
import sys, threading, redis
db = redis.Redis(port=int(sys.argv[1]), socket_timeout=30)
assert db.ping() and db.set("key", "value", ex=100) and db.get("key") == b"value" and 0 < db.ttl("key") <= 100
with db.pipeline() as pipe:
    for i in range(200):
        pipe.zadd("scores", {f"m{i}": i}).hset("table", f"f{i}", i)
    assert pipe.execute()[-1] == 1
assert db.zrange("scores", -2, -1, withscores=True) == [(b"m198", 198.0), (b"m199", 199.0)]
assert sorted(int(v) for _, v in db.hscan_iter("table")) == list(range(200))
def count():
    for _ in range(50):
        db.incr("threads")
threads = [threading.Thread(target=count) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert db.get("threads") == b"400"
sub = db.pubsub(); sub.subscribe("news"); sub.get_message(timeout=5)
assert db.publish("news", "hello") == 1 and sub.get_message(timeout=5)["data"] == b"hello"
with db.lock("lock", timeout=5):
    assert not db.lock("lock", blocking=False).acquire()
assert db.xadd("stream", {"a": 1}) and len(db.xrange("stream")) == 1
try:
    db.lpush("key", 1)
except redis.ResponseError as error:
    print(str(error).split()[0])
"""


def test_redis_py(port: int, tmp_path: Path) -> None:
    folder = wheel("redis", "5.0.8", "any")
    command = [sys.executable, "-c", REDIS_PY, str(port)]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "WRONGTYPE\n", "")
