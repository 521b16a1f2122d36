"""The commands of `scep-agent`.

scep-agent run [--board FILE|sim] [--state DIR] [--config FILE]
scep-agent console [--socket PATH] [-c LINE]...
scep-agent worker                                        started by the agent only
"""

import getopt
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from platforms.board import default_board

SEEN = (
    "scep-agent: what stands on a command line can be seen by every user of this machine;\n"
    "  Next step: give lines with passwords as a script on standard input\n"
)

Options = dict[str, list[Any]]


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
    from agent import client

    paths = options.get("--socket") or [default_board().console.socket]
    if "-c" in options:
        if any("password" in line for line in options["-c"]):
            sys.stderr.write(SEEN)
        return client.run_script(paths[-1], map(os.fsencode, options["-c"]))
    if sys.stdin.isatty():
        return client.run_terminal(paths[-1])
    return client.run_script(paths[-1], client.standard_input())


def worker(_options: Options) -> int:
    """Only the agent starts a worker, with sockets that a shell cannot give."""
    return usage("the worker is started by the agent")


COMMANDS: dict[str, tuple[Callable[[Options], int], str, list[str]]] = {
    "run": (run, "", ["board=", "state=", "config="]),
    "console": (console, "c:", ["socket="]),
    "worker": (worker, "", []),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The `scep-agent` command; its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        return usage(f"one of {', '.join(COMMANDS)} is wanted")
    command, short, long = COMMANDS[words[0]]
    try:
        found, rest = getopt.gnu_getopt(words[1:], short, long)
    except getopt.GetoptError as error:
        return usage(str(error))
    if rest:
        return usage(f"`{rest[0]}` is not understood")
    options: Options = {}
    for name, value in found:
        options.setdefault(name, []).append(value)
    return command(options)


if __name__ == "__main__":
    sys.exit(main())
