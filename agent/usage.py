"""What a person is told who asks how a program is called. `agent/command_line.py` has the types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from textwrap import wrap

from agent.command_line import Command, Option

WIDTH = 26  # of the column of options
STATUSES = {  # exit status of the program
    "0": "done; of an application: issued, or PENDING (of `enroll`: issued)",
    "1": "an Error: was shown, and later lines were not run; of `enroll`: refused",
    "2": "nothing was done: wrong usage, no agent answers, or a question was not answered",
    "3": "of `enroll`: the CA has not decided yet",
    "130": "Ctrl+C; the agent goes on with what it was given",
    "141": "nobody reads the output any more",
}


def meant(word: str, known: Iterable[str]) -> str:
    """` (did you mean ...?)`, or nothing."""
    close = get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def synopsis(program: str, name: str, command: Command) -> str:
    """How a command is called, in one line."""
    options = [f"[{option.shown}]" for option in command.options()]
    return " ".join([program, name, *options, *(one.name for one in command.operands)])


def overview(program: str, commands: Mapping[str, Command]) -> str:
    """What the program can do."""
    told = {name: command.summary for name, command in commands.items() if command.told}
    return "\n".join(
        [
            f"usage: {program} COMMAND ...",
            "",
            *(f"  {name:9}{summary}" for name, summary in told.items()),
            "",
            f"`{program} COMMAND --help` explains a command.",
            "",
            "Exit status:",
            *(line for one in STATUSES.items() for line in _status(*one)),
            "",
        ]
    )


def _status(status: str, meaning: str) -> Iterable[str]:
    front, *more = wrap(meaning, 70)
    yield f"  {status:<5}{front}"
    yield from (" " * 7 + line for line in more)


def explained(program: str, name: str, command: Command) -> str:
    """What a command does, and each of its options."""
    rows = [*command.operands, *command.options()]
    lines = [*_wrapped(synopsis(program, name, command)), "", command.summary, ""]
    lines += [line for row in rows for line in _entry(row)]
    return "".join(f"{line}\n" for line in lines)


def _entry(option: Option) -> Iterable[str]:
    front, *more = wrap(option.meaning, 78 - WIDTH)
    shown = f"  {option.shown}"
    if len(shown) < WIDTH - 1:
        yield f"{shown:{WIDTH}}{front}"
    else:
        yield shown
        yield " " * WIDTH + front
    yield from (" " * WIDTH + line for line in more)


def _wrapped(line: str) -> list[str]:
    """A synopsis over lines; an option and its value are not parted."""
    lines, room = ["usage:"], 79
    for word in line.replace("] [", "]\0[").replace("] ", "]\0").split("\0"):
        if len(lines[-1]) + 1 + len(word) > room:
            lines.append("        ")
        lines[-1] += f" {word}"
    return lines
