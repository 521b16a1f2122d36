"""The commands of `scep-agent`.

scep-agent run [--board FILE|sim] [--state DIR] [--config FILE]
scep-agent console [--socket PATH] [-c LINE]...
scep-agent apply FILE [--merge] [--dry-run] [--socket PATH]   make FILE the running configuration
scep-agent worker                                        started by the agent only
"""

from __future__ import annotations

import getopt
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from hal.named import NamedTuple
from platforms.board import default_board

SEEN = (
    "scep-agent: what stands on a command line can be seen by every user of this machine;\n"
    "  Next step: give lines with passwords as a script on standard input\n"
)

FILE = "FILE"

Options = dict[str, list[Any]]  # an option, or the name of an operand, to what was given


def usage(message: str) -> int:
    """Says how it is called; exit status 2."""
    sys.stderr.write(f"scep-agent: {message}\n\n{__doc__}")
    return 2


def run(options: Options) -> int:
    """The resident agent, in the foreground, until SIGTERM or SIGINT."""
    from agent import resident  # a console client need not load the agent

    return resident.run(
        board=options.get("--board", [""])[-1],
        state_dir=options.get("--state", [None])[-1],
        factory=options.get("--config", [""])[-1],
    )


def console(options: Options) -> int:
    """A prompt, or a script from -c or standard input, at the running agent."""
    from agent.doors import client

    path = _socket(options)
    if "-c" in options:
        if any("password" in line for line in options["-c"]):
            sys.stderr.write(SEEN)
        return client.run_script(path, map(os.fsencode, options["-c"]))
    if sys.stdin.isatty():
        return client.run_terminal(path)
    return client.run_script(path, client.standard_input())


def apply(options: Options) -> int:
    """Makes the running and saved configuration equal to a file; tells the difference."""
    from agent.doors import client

    return client.run_apply(
        _socket(options), options[FILE][0], "--dry-run" in options, "--merge" in options
    )


def _socket(options: Options) -> str:
    path: str = options.get("--socket", [default_board().console.socket])[-1]
    return path


def worker(_options: Options) -> int:
    """Only the agent starts a worker, with sockets that a shell cannot give."""
    return usage("the worker is started by the agent")


class Command(NamedTuple):
    """A sub-command: its options as getopt takes them, and the words that must follow."""

    run: Callable[[Options], int]
    short: str = ""
    long: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()


COMMANDS = {
    "run": Command(run, long=("board=", "state=", "config=")),
    "console": Command(console, short="c:", long=("socket=",)),
    "apply": Command(apply, long=("dry-run", "merge", "socket="), operands=(FILE,)),
    "worker": Command(worker),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The `scep-agent` command; its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        return usage(f"one of {', '.join(COMMANDS)} is wanted")
    command = COMMANDS[words[0]]
    try:
        found, rest = getopt.gnu_getopt(words[1:], command.short, command.long)
    except getopt.GetoptError as error:
        return usage(str(error))
    if len(rest) < len(command.operands):
        return usage(f"{command.operands[len(rest)]} is missing")
    if len(rest) > len(command.operands):
        return usage(f"`{rest[len(command.operands)]}` is not understood")
    options: Options = {name: [word] for name, word in zip(command.operands, rest, strict=True)}
    for name, value in found:
        options.setdefault(name, []).append(value)
    return command.run(options)


if __name__ == "__main__":
    sys.exit(main())
