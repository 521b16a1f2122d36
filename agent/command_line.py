"""The command line of a program with sub-commands, as tables say what it takes."""

from __future__ import annotations

import getopt
from collections.abc import Callable, Sequence

from hal.annotations import Any
from hal.named import NamedTuple

Options = dict[str, list[Any]]  # an option, or the name of an operand, to what was given


class Option(NamedTuple):
    """An option as it is typed, the word that follows it, and its meaning; or an operand."""

    name: str
    value: str
    meaning: str

    @property
    def shown(self) -> str:
        return f"{self.name} {self.value}".rstrip()


class Command(NamedTuple):
    """A sub-command. Its first line of documentation says what it does.

    `options` is called when the command is typed, or explained. Operands must follow. A command
    that is not `told` is started by programs alone.
    """

    run: Callable[[Options], int]
    options: Callable[[], tuple[Option, ...]] = tuple
    operands: tuple[Option, ...] = ()
    told: bool = True

    @property
    def summary(self) -> str:
        return (self.run.__doc__ or "").splitlines()[0]


class UsageError(Exception):
    """What is wrong with a command line, and the option that nobody knows, or ""."""

    def __init__(self, what: str, unknown: str = "") -> None:
        super().__init__(what)
        self.unknown = unknown


def read(command: Command, words: Sequence[str]) -> Options:
    """The options and operands of a command; UsageError."""
    short = ""
    names: list[str] = []
    for option in command.options():
        if option.name.startswith("--"):
            names.append(option.name[2:] + ("=" if option.value else ""))
        else:
            short += option.name[1:] + (":" if option.value else "")
    try:
        found, rest = getopt.gnu_getopt(list(words), short, names)
    except getopt.GetoptError as error:
        raise UsageError(str(error), f"--{error.opt}") from None
    wanted = command.operands
    if len(rest) < len(wanted):
        raise UsageError(f"{wanted[len(rest)].name} is missing")
    if len(rest) > len(wanted):
        raise UsageError(f"`{rest[len(wanted)]}` is not understood")
    options: Options = {one.name: [word] for one, word in zip(wanted, rest, strict=True)}
    for name, value in found:
        options.setdefault(name, []).append(value)
    return options
