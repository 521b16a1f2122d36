"""The command line of `scep-agent`; `scep-agent --help` shows what it takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from agent import limits
from agent.command_line import Command, Option, Options, UsageError, read
from hal.ports import FilesError
from hal.standard import fill, say
from platforms.board import default_board

PROGRAM = "scep-agent"
HELP = ("--help", "-h", "help")
INTERRUPTED, UNREAD = 130, 141  # exit status: as a shell tells SIGINT and SIGPIPE
SEEN = (
    "scep-agent: what stands on a command line can be seen by every user of this machine;\n"
    "  Next step: give lines with passwords as a script on standard input\n"
)
SOCKET = Option("--socket", "PATH", "The console socket, instead of the one of the board file.")
FILE = Option(
    "FILE",
    "",
    "A configuration as `display current-configuration` shows it; `-` is standard input. A line"
    " `pki rsa local-key-pair create NAME` makes a key pair that is missing.",
)


def run(options: Options) -> int:
    """The resident agent, in the foreground."""
    from agent import resident  # a console client need not load the agent

    return resident.run(
        board=options.get("--board", [""])[-1],
        state_dir=options.get("--state", [None])[-1],
        factory=options.get("--config", [""])[-1],
    )


def _run_options() -> tuple[Option, ...]:
    return (
        Option("--board", "FILE|sim", "The board file; `sim` is a simulated board in one folder."),
        Option("--state", "DIR", "The folder of flash, device key and device storage."),
        Option("--config", "FILE", "A configuration for a device on which none is saved."),
    )


def console(options: Options) -> int:
    """A prompt at the running agent, or a script."""
    from agent.doors import client

    path = _socket(options)
    if "-c" in options:
        if any("password" in line for line in options["-c"]):
            sys.stderr.write(SEEN)
        return client.run_script(path, map(os.fsencode, options["-c"]))
    if sys.stdin.isatty():
        from agent.doors import tty

        return tty.run(path)
    return client.run_script(path, client.standard_input())


def _console_options() -> tuple[Option, ...]:
    line = Option(
        "-c",
        "LINE",
        "Runs a line and ends; several run in order, up to the first error. Every user of the"
        " machine can see it: lines with passwords belong on standard input.",
    )
    return (SOCKET, line)


def apply(options: Options) -> int:
    """Makes a file the running and saved configuration."""
    from agent.doors import client

    return client.run_apply(
        _socket(options), options[FILE.name][0], "--dry-run" in options, "--merge" in options
    )


def _apply_options() -> tuple[Option, ...]:
    return (
        Option("--merge", "", "Keeps what the file does not name."),
        Option("--dry-run", "", "Tells what would change, and changes nothing."),
        SOCKET,
    )


def enroll(options: Options) -> int:
    """From nothing to a certificate: configures, saves, applies, waits."""
    from agent.doors import enroll as door

    return door.run(_socket(options), options)


def _enroll_options() -> tuple[Option, ...]:
    from agent.doors import enroll as door

    return (*door.OPTIONS, SOCKET)


def _socket(options: Options) -> str:
    path: str = options.get(SOCKET.name, [default_board().console.socket])[-1]
    return path


def worker(_options: Options) -> int:
    """Only the agent starts a worker, with sockets that a shell cannot give."""
    return _misused("the worker is started by the agent")


COMMANDS = {
    "run": Command(run, _run_options),
    "console": Command(console, _console_options),
    "apply": Command(apply, _apply_options, operands=(FILE,)),
    "enroll": Command(enroll, _enroll_options),
    "worker": Command(worker, told=False),
}


def _misused(message: str, name: str = "") -> int:
    """Says what is wrong and how it is called; exit status 2."""
    more = f" {name} --help" if name else " --help"
    sys.stderr.write(f"{PROGRAM}: {message}\n  Next step: see `{PROGRAM}{more}`\n")
    return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The `scep-agent` command; its exit status."""
    fill()
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{PROGRAM}: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        return UNREAD
    except FilesError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 1


def _run(words: list[str]) -> int:
    name = words[0] if words else ""
    command = COMMANDS.get(name)
    if command is None or any(word in HELP for word in words[1:]):
        return _explain(name)
    try:
        return command.run(read(command, words[1:]))
    except UsageError as error:
        return _misused(f"{error}{_meant(error.unknown, name)}", name)


def _explain(name: str) -> int:
    """Help, whoever asks for it, and whoever needs it."""
    from agent import usage  # an agent that runs needs it never

    if name == "--version":
        say(f"{PROGRAM} {limits.VERSION}\n".encode())
    elif name in COMMANDS:
        say(usage.explained(PROGRAM, name, COMMANDS[name]).encode())
    elif name in HELP:
        say(usage.overview(PROGRAM, COMMANDS).encode())
    elif not name:
        sys.stderr.write(usage.overview(PROGRAM, COMMANDS))
        return 2
    else:
        told = [known for known, command in COMMANDS.items() if command.told]
        close = usage.meant(name, told)
        return _misused(f"there is no command `{name}`{close}. Commands: {', '.join(told)}")
    return 0


def _meant(option: str, name: str) -> str:
    from agent import usage

    return usage.meant(option, [known.name for known in COMMANDS[name].options()])


if __name__ == "__main__":
    sys.exit(main())
