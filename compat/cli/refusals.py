"""What the user reads when something goes wrong: one sentence and an exit status, never a traceback unasked."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable

from compat.errors import CompatError

__all__ = ["CANNOT_RUN", "INTERNAL", "NOT_FOUND", "USAGE", "Refusal", "flush", "native", "refusing", "say"]

USAGE = 2
INTERNAL, HOST = 70, 71  # EX_SOFTWARE and EX_OSERR of sysexits.h
CANNOT_RUN, NOT_FOUND = 126, 127  # as a shell has them (POSIX, Shell Command Language, 2.8.2)

_SHORTAGES = (
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EAGAIN,
    errno.EIO,
)


class Refusal(CompatError):
    """A sentence for the user, with the exit status that goes with it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def native() -> None:
    """Let this process meet signals and closed streams as any program does, which Python had changed.

    Python leaves SIGINT alone where it started ignored, as in the background of a shell script; so does this. Where
    standard streams are closed, a placeholder (close-on-exec, unlike any that was inherited) keeps files that compat
    opens from taking their place.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    spare = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    while spare <= 2:
        spare = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.close(spare)


def refusing(act: Callable[[], int], *, debug: bool) -> int:
    """The status that *act* returns, or that of its failure, which is told on stderr.

    With *debug*, the traceback precedes the sentence, unless all there is to know is in that.
    """
    try:
        status = act()
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except Refusal as error:
        return _tell(str(error), error.status, debug=False)
    except CompatError as error:
        return _tell(str(error), CANNOT_RUN, debug)
    except OSError as error:
        if error.errno in _SHORTAGES:
            return _tell(f"the host refuses: {error.strerror}", HOST, debug)
        return _tell(_defect(error), INTERNAL, debug)
    except MemoryError:
        return _tell("the host refuses: no memory is left", HOST, debug)
    except Exception as error:
        return _tell(_defect(error), INTERNAL, debug)


def _defect(error: Exception) -> str:
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return f"this is a defect of compat ({words}); please report it with what `--debug` prints before PROGRAM"


def _tell(sentence: str, status: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    say(sentence)
    return status


def say(sentence: str) -> None:
    """Print one line on stderr, if that is still open."""
    flush()
    line = "compat: " + " ".join(sentence.splitlines()) + "\n"
    try:
        os.write(2, line.encode(errors="backslashreplace"))
    except OSError:
        pass  # nobody listens


def flush() -> None:
    """Write out what was printed; where a stream is closed, or its reader gone, there is nobody to tell."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass
