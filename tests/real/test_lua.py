"""Debian's dynamic lua5.4 for arm64, with glibc's own loader."""

from __future__ import annotations

from pathlib import Path

from tests.real.running import Program

SCRIPT = """
local words = {}
for word in ("the quick brown fox jumps over the lazy dog the end"):gmatch("%a+") do
  words[word] = (words[word] or 0) + 1
end
local names = {}
for name in pairs(words) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do io.write(name, "=", words[name], ";") end
print()
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(fib(20), 2^53, 7 // 2, -7 // 2, -7 % 3, 1 / 3, math.maxinteger, 1 << 62)
print(string.format("%5.2f|%-6s|%06d|%x|%q", math.pi, "ab", 42, 255, "a\\nb"))
print((pcall(error, {})), select("#", table.unpack({ 1, 2, nil, 4 }, 1, 4)))
local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error("stop " .. b) end)
print(co(1), pcall(co, "now"))
local file = assert(io.open("out", "w"))
for i = 1, 1000 do file:write(i, "\\n") end
file:close()
local sum = 0
for line in io.lines("out") do sum = sum + tonumber(line) end
print(sum, os.remove("out"), os.rename("none", "other"))
print(os.date("!%Y-%m-%d", 86400), #arg, arg[1], string.pack(">I4", 258):byte(1, -1))
"""

EXPECTED = """\
brown=1;dog=1;end=1;fox=1;jumps=1;lazy=1;over=1;quick=1;the=3;
6765	9.007199254741e+15	3	-4	2	0.33333333333333	9223372036854775807	4611686018427387904
 3.14|ab    |000042|ff|"a\\
b"
false	4
2	false	script.lua:15: stop now
500500	true	nil	No such file or directory	2
1970-01-02	1	an argument	0	0	1	2
"""


def test_script(lua: Program, tmp_path: Path) -> None:
    (tmp_path / "script.lua").write_text(SCRIPT)
    lua.prints(EXPECTED, "script.lua", "an argument", folder=tmp_path)


def test_standard_input(lua: Program, tmp_path: Path) -> None:
    lua.prints("3\n", "-", folder=tmp_path, stdin=b"print(1 + 2)\n")


def test_exit_status(lua: Program, tmp_path: Path) -> None:
    lua.prints("", "-e", "io.stderr:close() os.exit(7)", folder=tmp_path, status=7)
