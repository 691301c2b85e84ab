"""Scripts for busybox's sh that need no second process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.running import Program

SCRIPTS = {
    "echo": ("echo hello world; echo -n no; echo ' end'", "hello world\nno end\n"),
    "arithmetic": (
        "echo $((6*7)) $((1<<40)) $((-17/5)) $((-17%5)) $((0x7fffffff+1)) $((010)) $((5>3&&2))",
        "42 1099511627776 -3 -2 2147483648 8 1\n",
    ),
    "loops": (
        "i=0; while [ $i -lt 5 ]; do i=$((i+1)); [ $i = 3 ] && continue; echo $i; done; "
        "for w in a 'b c' d; do echo \"<$w>\"; done; until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i",
        "1\n2\n4\n5\n<a>\n<b c>\n<d>\n0\n",
    ),
    "sum": ("s=0; i=0; while [ $i -lt 3000 ]; do i=$((i+1)); s=$((s+i*i)); done; echo $s", "9004500500\n"),
    "printf": (
        "printf '%d|%5d|%-5d|%05d|%x|%o|%c|%s|%%|%b\\n' 42 42 42 42 255 8 abc text 'a\\tb'",
        "42|   42|42   |00042|ff|10|a|text|%|a\tb\n",
    ),
    "float": ("printf '%.3f %e %g\\n' 3.14159 12345.678 0.0001", "3.142 1.234568e+04 0.0001\n"),
    "case": (
        "for f in a.c b.txt README 7; do case $f in *.c|*.h) echo C;; [0-9]) echo digit;; R*) echo read;; "
        "*) echo other;; esac; done",
        "C\nother\nread\ndigit\n",
    ),
    "functions": (
        "fact() { local n=$1 r=1; while [ $n -gt 1 ]; do r=$((r*n)); n=$((n-1)); done; R=$r; return 3; }; "
        "fact 20; echo $? $R",
        "3 2432902008176640000\n",
    ),
    "parameters": (
        "set -- one two three; shift; echo $# $1 $*; v=path/to/file.tar.gz; "
        "echo ${v##*/} ${v%%.*} ${v%.gz} ${#v} ${u:-none} ${v/to/from}",
        "2 two two three\nfile.tar.gz path/to/file path/to/file.tar 19 none path/from/file.tar.gz\n",
    ),
    "redirection": (
        'echo one > f; echo two >> f; while read -r l; do echo "[$l]"; done < f; exec 3< f; read x <&3; echo $x',
        "[one]\n[two]\none\n",
    ),
    "tests": (
        "mkdir -p d; echo x > d/f; [ -d d ] && echo d; [ -f d/f ] && echo f; [ -s d/f ] && echo s; "
        "[ -e nothing ] || echo none; [ abc '<' abd ] && echo less; test 5 -ge 5 && echo ge",
        "d\nf\ns\nnone\nless\nge\n",
    ),
    "globs": ("echo > b.x; echo > a.x; echo > c.y; echo *.x ?.y [ab].* none*", "a.x b.x c.y a.x b.x none*\n"),
    "read": ('IFS=: read -r a b c; echo "$c $b $a"', "z:w y x\n"),
    "eval": ("x=1; y=x; eval echo \\$$y; trap 'echo bye' EXIT; cd /; pwd; :", "1\n/\nbye\n"),
    "kill": ("trap 'echo got it' USR1; kill -USR1 $$; echo after", "got it\nafter\n"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(busybox: Program, name: str, tmp_path: Path) -> None:
    script, expected = SCRIPTS[name]
    busybox.prints(expected, "sh", "-c", script, folder=tmp_path, stdin=b"x:y:z:w\n")


def test_exit_status(busybox: Program, tmp_path: Path) -> None:
    busybox.prints("", "sh", "-c", "exit 42", folder=tmp_path, status=42)


def test_script_from_a_file(busybox: Program, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("echo $0 $2 $1\nreturn 4\n")
    busybox.prints("script two one\n", "sh", "script", "one", "two", folder=tmp_path, status=4)


def test_script_from_standard_input(busybox: Program, tmp_path: Path) -> None:
    busybox.prints("1\n2\n", "sh", folder=tmp_path, stdin=b"echo 1\necho 2\n")
