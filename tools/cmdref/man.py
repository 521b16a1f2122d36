"""docs/scep-agent.1: the man page, from the commands of the program and of the console."""

from collections.abc import Iterator

from agent import __main__ as program
from agent import limits, usage
from agent.console.commands.table import ROWS
from tools.cmdref.sentences import SENTENCES

ABOUT = """.PP
.B scep-agent
keeps the certificates of a router or board alive: it applies for them at a SCEP server (RFC 8894),
stores them so that a power cut loses nothing, and puts them where IKE, TLS and 802.1X read them.
It is configured on a console with the PKI commands of Huawei's VRP."""
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
    told = {name: one for name, one in program.COMMANDS.items() if one.told}
    for name, command in told.items():
        yield f".B {safe(usage.synopsis(program.PROGRAM, name, command))}\n.br"
    yield f".SH DESCRIPTION\n{ABOUT}"
    yield ".SH COMMANDS"
    for name, command in told.items():
        yield f".SS {name}\n{safe(command.summary)}"
        for option in (*command.operands, *command.options()):
            yield from _entry(option.shown, option.meaning)
    yield ".SH CONSOLE\nThe views, levels and values are in docs/commands.md; ? helps at any place."
    for row in ROWS:
        yield from _entry(row.notation, SENTENCES[row.notation])
    yield ".SH EXIT STATUS"
    for status, meaning in usage.STATUSES.items():
        yield from _entry(status, meaning)
    yield ".SH FILES"
    for path, meaning in FILES.items():
        yield from _entry(path, meaning)


def _entry(term: str, text: str) -> Iterator[str]:
    yield f".TP\n.B {safe(term)}\n{safe(text)}"


def safe(text: str) -> str:
    """Text in which nothing is a request or an escape of roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
