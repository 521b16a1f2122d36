"""docs/scep-agent.1: the man page, from the commands of the program and of the console."""

from collections.abc import Iterator

from agent import __main__ as program
from agent import limits
from agent.console.commands.table import ROWS
from tools.cmdref.sentences import SENTENCES

ABOUT = """.PP
.B scep-agent
keeps the certificates of a router or board alive: it applies for them at a SCEP server (RFC 8894),
stores them so that a power cut loses nothing, and puts them where IKE, TLS and 802.1X read them.
It is configured on a console with the PKI commands of Huawei's VRP."""
# The options and operands of the commands, as the usage text writes them.
OPTIONS = {
    "--board FILE": "The board file; `sim` is a simulated board, all of it in one folder.",
    "--state DIR": "The folder of flash, device key and device storage, instead of the board's.",
    "--config FILE": "A configuration for a device on which none is saved.",
    "--socket PATH": "The console socket, instead of the one that the board file names.",
    "-c LINE": "Runs a line and ends; several run in order, up to the first error. Every user of"
    " the machine can see it: lines with passwords belong on standard input.",
    "--merge": "What FILE does not name stays as it is.",
    "--dry-run": "Only shows what `apply` would change.",
    "FILE": "A configuration as `display current-configuration` shows it; `-` is standard input.",
}
STATUS = {
    "0": "done; of an application: issued, or PENDING",
    "1": "an Error: was said, and what follows was not run",
    "2": "wrong usage, or no agent answers",
}
FILES = {
    "/etc/scep-agent/board.toml": "the board file: the wiring of this board",
    "/var/lib/scep-agent/": "flash, device key and device storage",
    "/run/scep-agent/": "the console socket, and device memory for consumers",
}


def page() -> str:
    """The roff text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH SCEP-AGENT 1 "" "scep-agent {limits.VERSION}" "User Commands"'
    yield ".SH NAME\nscep-agent \\- keep the certificates of a network device alive"
    yield ".SH SYNOPSIS"
    calls = [line for line in (program.__doc__ or "").splitlines() if line.startswith("scep-agent")]
    for call in calls:
        yield f".B {_safe(call.split('  ')[0])}\n.br"
    yield f".SH DESCRIPTION\n{ABOUT}"
    yield ".SH COMMANDS"
    for name, command in program.COMMANDS.items():
        yield from _entry(name, (command.run.__doc__ or "").splitlines()[0])
    yield ".SH OPTIONS"
    for option, meaning in OPTIONS.items():
        yield from _entry(option, meaning)
    yield ".SH CONSOLE\nThe views, levels and values are in docs/commands.md; ? helps at any place."
    for row in ROWS:
        yield from _entry(row.notation, SENTENCES[row.notation])
    yield ".SH EXIT STATUS"
    for status, meaning in STATUS.items():
        yield from _entry(status, meaning)
    yield ".SH FILES"
    for path, meaning in FILES.items():
        yield from _entry(path, meaning)


def _entry(term: str, text: str) -> Iterator[str]:
    yield f".TP\n.B {_safe(term)}\n{_safe(text)}"


def _safe(text: str) -> str:
    """Text in which nothing is a request or an escape of roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
