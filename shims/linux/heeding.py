"""Heeding the questions of other processes of the run; shims/linux/inquiries.py asks and answers."""

from __future__ import annotations

import signal

from compat.host import ASKING
from shims.linux.state import LinuxProcess

__all__ = ["heed_questions"]


def heed_questions(process: LinuxProcess) -> None:
    """Answer from now on, between two calls of guest code or while all of it waits."""

    def heed(number: int, frame: object) -> None:
        from shims.linux.inquiries import answer  # few processes are ever asked

        if process.asking or (process.engine is not None and process.engine.at_rest()):
            answer(process)
            return
        gather = process.gather

        def answer_first() -> None:
            process.gather = gather
            answer(process)
            gather()

        process.gather = answer_first
        if process.engine is None:
            process.attention = True
            return
        process.engine.listen()
        process.engine.attend()  # it may be about to wait, and have looked for news already

    if ASKING:
        try:
            signal.signal(ASKING, heed)
        except ValueError:
            pass  # not in the host's first thread: nobody is answered
