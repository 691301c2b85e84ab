"""Reading a command line by a table of options. The standard argparse costs as much time as a whole Python start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from compat.cli.refusals import USAGE, Refusal
from compat.data import dataclass
from compat.errors import CompatError

__all__ = ["Command", "Option", "Values", "parse", "usage"]

Values = dict[str, Any]
"""Option name without dashes → its value: False or True for a switch, a list where it may be repeated. "help" is
always among them, and if it is True the other words were not looked at."""


@dataclass(frozen=True)
class Option:
    """*names* as typed, the last one the long one; *metavar* is empty for a switch; *read* turns the text into the
    value and raises ValueError with the words for "is not …"."""

    names: tuple[str, ...]
    metavar: str
    words: str
    repeat: bool = False
    read: Callable[[str], object] = str

    @property
    def key(self) -> str:
        return self.names[-1].lstrip("-")


@dataclass(frozen=True)
class Command:
    """*rest* names what follows the options. With *guest*, options end at the first word that is none, and what
    follows belongs to the guest."""

    name: str
    rest: str
    words: str
    options: tuple[Option, ...]
    guest: bool = False
    notes: str = ""


_HELP = Option(("-h", "--help"), "", "show this")


def parse(command: Command, words: Sequence[str]) -> tuple[Values, list[str]]:
    """The options among *words*, all of them with a value or a default, and the other words.

    Raises Refusal with the exit status of a wrong usage.
    """
    named = {name: option for option in command.options for name in option.names}
    values: Values = {option.key: _default(option) for option in command.options} | {"help": False}
    rest: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "--":
            break
        if word in ("-h", "--help"):
            values["help"] = True
            break
        if word == "-" or not word.startswith("-"):
            rest.append(word)
            if command.guest:
                break
            continue
        name, equals, text = word.partition("=") if word.startswith("--") else (word, "", "")
        option = named.get(name) or _only(command, named, name)
        _take(values, command, option, name, text if equals else None, pending)
    return values, rest + pending


def _default(option: Option) -> object:
    if option.repeat:
        return []
    return None if option.metavar else False


def _only(command: Command, named: dict[str, Option], name: str) -> Option:
    """The one option that *name* is the beginning of."""
    found = [option for known, option in named.items() if known.startswith(name) and len(name) > 2]
    if len(found) == 1:
        return found[0]
    if found:
        raise _wrong(command, f"several options begin with {name}: {', '.join(option.names[-1] for option in found)}")
    raise _wrong(command, f"there is no option {name}{_meant(named, name)}")


def _meant(named: dict[str, Option], name: str) -> str:
    """The question for the option whose name is nearest to *name*, if any is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, [known for known in named if known.startswith("--")], 1)
    return f"; did you mean {near[0]}?" if near else ""


def _take(values: Values, command: Command, option: Option, name: str, text: str | None, pending: list[str]) -> None:
    if not option.metavar:
        if text is not None:
            raise _wrong(command, f"{name} takes no value")
        values[option.key] = True
        return
    if text is None:
        if not pending:
            raise _wrong(command, f"{name} needs a value: {option.metavar}")
        text = pending.pop(0)
    try:
        value = option.read(text)
    except ValueError as error:
        raise _wrong(command, f"{name}: {text!r} is not {error}") from None
    except CompatError as error:
        raise _wrong(command, str(error)) from None
    if option.repeat:
        values[option.key].append(value)
    else:
        values[option.key] = value


def _wrong(command: Command, sentence: str) -> Refusal:
    join = " See" if sentence.endswith("?") else "; see"
    return Refusal(f"{command.name}: {sentence}{join} `compat {command.name} --help`", USAGE)


def usage(command: Command, width: int = 100) -> str:
    """The text of `--help`."""
    from textwrap import fill

    lines = [f"usage: compat {command.name} [options] {command.rest}", "", fill(command.words, width), "", "options:"]
    for option in (*command.options, _HELP):
        head = "  " + ", ".join(option.names) + (f" {option.metavar}" if option.metavar else "")
        if len(head) > 24:
            lines.append(head)
            head = ""
        lines.append(fill(option.words, width, initial_indent=head.ljust(26), subsequent_indent=" " * 26))
    for paragraph in filter(None, command.notes.strip().split("\n\n")):
        lines += ["", fill(paragraph, width)]
    return "\n".join(lines) + "\n"
