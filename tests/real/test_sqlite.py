"""Debian's dynamic sqlite3 for arm64; what it wrote is read by the host's own SQLite."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

from tests.real.running import Program

FILL = """
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, data BLOB);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
  INSERT INTO item SELECT i, 'item ' || i, i * 0.25, zeroblob(i % 50) FROM n;
COMMIT;
CREATE INDEX by_name ON item(name);
SELECT count(*), sum(price), max(name), sum(length(data)) FROM item;
SELECT id, price FROM item WHERE name BETWEEN 'item 777' AND 'item 7773' ORDER BY id;
UPDATE item SET price = price + 1 WHERE id % 3 = 0;
DELETE FROM item WHERE id > 9000;
SELECT count(*), total(price) FROM item;
PRAGMA integrity_check;
VACUUM;
PRAGMA integrity_check;
"""

FILLED = """\
10000|12501250.0|item 9999|245000
777|194.25
7770|1942.5
7771|1942.75
7772|1943.0
7773|1943.25
9000|10129125.0
ok
ok
"""


def test_ten_thousand_rows(sqlite: Program, tmp_path: Path) -> None:
    sqlite.prints(FILLED, "-batch", "shop.db", folder=tmp_path, stdin=FILL.encode())
    with sqlite3.connect(tmp_path / "shop.db") as here:
        assert here.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert here.execute("SELECT count(*), total(price) FROM item").fetchone() == (9000, 10129125.0)


def test_a_database_made_here(sqlite: Program, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "made.db") as here:
        here.execute("CREATE TABLE t(a, b)")
        here.executemany("INSERT INTO t VALUES(?, ?)", [(n, f"{n:x}") for n in range(500)])
    sqlite.prints(
        "124750|1f3\n", "made.db", "SELECT (SELECT sum(a) FROM t), b FROM t ORDER BY a DESC LIMIT 1", folder=tmp_path
    )


def test_write_ahead_log(sqlite: Program, tmp_path: Path) -> None:
    script = "PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2); SELECT sum(a) FROM t;"
    sqlite.prints("wal\n3\n", "wal.db", script, folder=tmp_path)


def test_two_processes_write_one_log(sqlite: Program, tmp_path: Path) -> None:
    sqlite.prints("wal\n", "shared.db", "PRAGMA journal_mode=wal; CREATE TABLE t(who, n);", folder=tmp_path)
    insert = "".join(f"INSERT INTO t VALUES(:who, {n});" for n in range(100)) + "SELECT count(*) FROM t WHERE who=:who;"
    writers = [
        subprocess.Popen(
            sqlite.command("-cmd", ".timeout 60000", "-cmd", f".parameter set :who {who}", "shared.db", insert),
            cwd=tmp_path,
            env=sqlite.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for who in (1, 2)
    ]
    assert [writer.communicate(timeout=120)[0] for writer in writers] == [b"100\n", b"100\n"]
    with sqlite3.connect(tmp_path / "shared.db") as here:
        assert here.execute("SELECT who, count(*), sum(n) FROM t GROUP BY who").fetchall() == [
            (1, 100, 4950),
            (2, 100, 4950),
        ]
        assert here.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_functions(sqlite: Program, tmp_path: Path) -> None:
    script = """SELECT json_extract('{"a":[1,2]}', '$.a[1]'), date(0, 'unixepoch'), hex(x'00ff'), round(2.5),
        printf('%.3f', 1e0/3);"""
    sqlite.prints("2|1970-01-01|00FF|3.0|0.333\n", ":memory:", script, folder=tmp_path)
