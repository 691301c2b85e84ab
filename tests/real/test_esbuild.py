"""esbuild of npm: a program in Go with threads, futexes and signals, that bundles as its build for the host does."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from tests.real.registries import npm_package
from tests.real.running import Program

VERSION = "0.25.0"
HOSTS = {"x86_64": "x64", "aarch64": "arm64"}
CPUS = {
    "arm64": "aarch64",
    "arm": "arm",
    "ia32": "x86",
    "riscv64": "riscv64",
    "ppc64": "ppc64le",
    "s390x": "s390x",
    "mips64el": "mips64el",
}
"""npm's names of CPUs, and ours."""

MODULES = 50
MODULE = """\
{imports}
export interface Part{i} {{ name: string; value: number }}
export class Box{i} {{
  constructor(public part: Part{i}) {{}}
  get total(): number {{ return this.part.value * {i} }}
  static unused() {{ return "never {i}" }}
}}
export const table{i} = [{table}]
export function call{i}(x?: number): number {{
  const box = new Box{i}({{ name: `m${{x}}`, value: x ?? 0 }})
  return box?.total{uses}
}}
"""

OPTIONS = ("--bundle", "main.ts", "--minify", "--sourcemap", "--outfile=out.js", "--log-level=warning")


def make_project(folder: Path) -> None:
    """A tree of modules, each of which imports two others."""
    for i in range(MODULES):
        below = [j for j in (2 * i + 1, 2 * i + 2) if j < MODULES]
        text = MODULE.format(
            i=i,
            imports="\n".join(f'import {{ call{j} }} from "./m{j}"' for j in below),
            uses="".join(f" + call{j}(x + {j})" for j in below),
            table=", ".join(str(i * k) for k in range(20)),
        )
        (folder / f"m{i}.ts").write_text(text)
    (folder / "main.ts").write_text('import { call0 } from "./m0"\nconsole.log(call0(1))\n')


def program(cpu: str) -> Path:
    return npm_package(f"@esbuild/linux-{cpu}", VERSION) / "package/bin/esbuild"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """What the host's own esbuild makes of the project: the bundle and its map."""
    host = HOSTS.get(platform.machine())
    if host is None:
        pytest.skip("npm has no esbuild of this name for the host's CPU")
    folder = tmp_path_factory.mktemp("native")
    make_project(folder)
    subprocess.run([program(host), *OPTIONS], cwd=folder, check=True, timeout=60)
    return (folder / "out.js").read_bytes(), (folder / "out.js.map").read_bytes()


@pytest.mark.parametrize("cpu", CPUS)
def test_bundle(cpu: str, tmp_path: Path, bundle: tuple[bytes, bytes]) -> None:
    make_project(tmp_path)
    esbuild = Program(program(cpu), CPUS[cpu])
    esbuild.prints(f"{VERSION}\n", "--version", folder=tmp_path)
    esbuild.prints("", *OPTIONS, folder=tmp_path)
    assert ((tmp_path / "out.js").read_bytes(), (tmp_path / "out.js.map").read_bytes()) == bundle
