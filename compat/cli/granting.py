"""The options of a run: what of the host the guest may see and use."""

from __future__ import annotations

from collections.abc import Mapping

from compat.cli.options import Command, Option, Values
from compat.cli.values import (
    read_count,
    read_files,
    read_folder,
    read_mount,
    read_network,
    read_size,
    read_stack,
    read_variable,
)
from compat.process import Options

__all__ = ["DEBUG", "GRANTS", "RUN", "SYSROOT", "TABLES", "guest_environment", "guest_options"]

SYSROOT = Option(
    ("--sysroot",),
    "DIR",
    "a folder that the guest sees as /, read-only; its libraries are found there",
    read=read_folder,
)
TABLES = Option(
    ("--tables",), "DIR", "a folder with .abi rows of your own, and shims beside them, that come before compat's",
    repeat=True, read=read_folder,
)  # fmt: skip
DEBUG = Option(("--debug",), "", "show the traceback of what goes wrong in compat")

GRANTS = (
    SYSROOT,
    Option(
        ("--mount",), "HOST[:GUEST][:ro]", "show the guest a folder or file of the host, at the same path or at GUEST, "
        "read-only with `:ro`", repeat=True, read=read_mount,
    ),
    Option(
        ("--env",), "NAME[=VALUE]", "set a variable of the guest's environment, or pass on the user's own",
        repeat=True, read=read_variable,
    ),
    Option(("--net",), "host", "let the guest use the host's network", read=read_network),
    Option(("--trust",), "", "show the guest all files that the user can see, and the user's whole environment"),
    Option(("--memory",), "SIZE", "the most memory the guest may map: 512M, 2G", read=read_size),
    Option(("--cpu-time",), "SECONDS", "end the guest after this much CPU time", read=read_count),
    Option(("--files",), "N", "the most files it may hold open", read=read_files),
    Option(("--processes",), "N", "the most processes it may have at a time", read=read_count),
    Option(("--stack",), "SIZE", "the size of its first stack (8M)", read=read_stack),
    TABLES,
    Option(("--quiet",), "", "do not name the calls that are not implemented when the guest ends"),
    DEBUG,
)  # fmt: skip

_NOTES = """
Without options the guest sees the current folder (writable, at the same path), its own program, the sysroot, a
private /tmp, a synthetic /proc and /dev, its own processes, and no network.

Its environment is a standard PATH, and of the user's own variables TERM, LANG, LC_*, TZ, COLUMNS, LINES, HOME, USER,
LOGNAME and PWD.

PROGRAM is a file of the host. With --sysroot, an absolute path that exists in there means that one, and a name
without a slash is looked up in the PATH of the guest.

The exit status is the guest's, 128 + n if signal n killed it; 126 if PROGRAM can't be run, 127 if it is not found, 2
for a wrong option, 70 for a defect of compat.
"""

RUN = Command(
    "run", "PROGRAM [ARGUMENTS…]", "Run a program made for another CPU or operating system.", GRANTS, guest=True,
    notes=_NOTES,
)  # fmt: skip

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PASSED = ("TERM", "LANG", "TZ", "COLUMNS", "LINES", "HOME", "USER", "LOGNAME", "PWD")


def guest_options(values: Values) -> Options:
    """The parsed options as the engine wants them."""
    return Options(
        sysroot=values["sysroot"],
        mounts=values["mount"],
        environment=dict(values["env"]),
        network=bool(values["net"]),
        trust=values["trust"],
        memory=values["memory"],
        cpu_time=values["cpu-time"],
        files=values["files"],
        processes=values["processes"],
        stack=values["stack"] or Options.stack,
    )


def guest_environment(options: Options, own: Mapping[str, str]) -> dict[str, str]:
    """The guest's variables; *own* are the user's."""
    if options.trust:
        passed = dict(own)
    else:
        passed = {name: value for name, value in own.items() if name in _PASSED or name.startswith("LC_")}
        passed["PATH"] = _PATH
    return {**passed, **options.environment}
