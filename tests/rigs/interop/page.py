"""docs/interop.md from the tables and the outcomes of their tests. Pure."""

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator

from tests.rigs.interop.files import KINDS
from tests.rigs.interop.outcomes import FAILED, PASSED, SKIPPED, Outcomes, verdict
from tests.rigs.interop.quirks import ALLOWED, QUIRKS, Quirk
from tests.rigs.interop.readers import ENCODINGS, READERS, finds
from tests.rigs.interop.servers import CLIENTS, COLUMNS, SERVERS, Cell, Client, Server

WORDS = {PASSED: "yes", FAILED: "**no**", SKIPPED: "skipped"}
NONE = "-"
RUN = "Run on "

HEAD = """\
# Interoperability

Made by `make interop`, which runs every test that is named for it.
{run}

## Servers

`-` is what a server does not offer; the reasons stand below the table, and the agent says so.
"As recorded" is the lab CA with the switches that make it answer as that server was seen, read in
its source or reported to: it proves that the agent finishes with such answers, and nothing about a
release of that server. "By itself": with `auto-enroll`, while nobody types, at first and at its
renewal point.

Every realm has an entity, a key pair, `fingerprint`, `password` and `enrollment-url` (with `ra`
behind an RA); what a server needs besides stands with it. "Its RA names": the purpose in the
extendedKeyUsage of the RA's certificates, as they were met in this run. One without the purpose of
an RA (`none`, `any`) is pinned with `enrollment-url ... ra fingerprint`, or allowed with
`compatibility ra-any-purpose`, which also lets every customer of that CA who has such a certificate
stand in for the RA: pin it where you can.
"""

DETAILS = """\
### {name}

Here it is {how}{command}

{realm}
"""

CLIENTS_HEAD = """\
## Clients of the lab CA

Clients that are not ours, against the CA that most of our tests talk to.
"""

QUIRKS_HEAD = """\
## Quirks

What servers are known to do, and what the agent does then. A name in the last column is a
`--quirk` of the lab CA that shows it. `tests/rigs/interop/quirks.py` names the tests of each row;
each switch has one more in `tests/whole/test_quirks_agent.py`, and a proof that the lab CA does
what it says in `tests/lab_ca/test_quirks_*.py`.
"""

FILES_HEAD = """\
## Files and bytes

Every encoding, for every reader. `tests/scep/test_encodings.py` tries each cell.
"""

KINDS_HEAD = """\
Kinds of what strangers send. `tests/rigs/interop/files.py` names the tests of each row.
"""


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(columns: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [row(columns), row("---" for _ in columns), *map(row, rows)]
    return "\n".join(lines) + "\n"


def shown(cell: Cell, outcomes: Outcomes) -> str:
    found = verdict(cell.proofs, outcomes) if cell.proofs else PASSED
    return NONE if cell.why_not and found != FAILED else WORDS[found]


def servers(outcomes: Outcomes) -> str:
    def cells(server: Server) -> Iterator[str]:
        yield server.name
        yield "as recorded" if server.recorded else "itself"
        yield from (shown(server.cells[column], outcomes) for column in COLUMNS)
        yield server.ra_purpose or NONE

    return table(("server", "here", *COLUMNS, "its RA names"), map(cells, SERVERS))


def command(arguments: tuple[str, ...]) -> str:
    """The lab CA that stands in for a server, as it is typed; an option stays with its value."""
    text = shlex.join(("python", "-m", "tools.lab_ca", "--dir", "DIR", *arguments))
    units = text.replace(" --", "\n--").splitlines()
    together = " ".join(unit.replace(" ", "\0") for unit in units)
    lines = textwrap.wrap(together, 88, break_on_hyphens=False, break_long_words=False)
    return textwrap.indent(" \\\n    ".join(lines).replace("\0", " "), "    ")


def details(server: Server) -> str:
    """How to get it, what to type, why not."""
    told = f":\n\n{command(server.recorded)}" if server.recorded else "."
    lines = textwrap.indent("\n".join(server.realm), "    ")
    realm = f"Its realm needs besides:\n\n{lines}" if lines else "Its realm needs nothing else."
    if server.ra_realm:
        front = textwrap.indent("\n".join(server.ra_realm), "    ")
        realm += (
            "\n\nWith its RA in front, whose certificate is the operator's to make and has no"
            f" purpose here:\n\n{front}"
        )
    text = DETAILS.format(name=server.name, how=server.how, command=told, realm=realm)
    reasons = [(c, server.cells[c].why_not) for c in COLUMNS if server.cells[c].why_not]
    return text + ("\n" if reasons else "") + "".join(f"* {c}: {why}\n" for c, why in reasons)


def clients(outcomes: Outcomes) -> str:
    def cells(client: Client) -> tuple[str, ...]:
        return client.name, shown(client.cell, outcomes), client.does, client.needs

    return table(("client", "works", "what was seen", "what it needs"), map(cells, CLIENTS))


def quirks() -> str:
    def cells(quirk: Quirk) -> tuple[str, ...]:
        not_done = f"{'not done' if quirk.does else '**not done**'}: {quirk.why_not}"
        done = [quirk.does] if quirk.does else []
        told = "; ".join([*done, not_done] if quirk.why_not else done)
        return str(quirk.number), quirk.quirk, told, ", ".join(quirk.switches)

    columns = ("", "what servers do", "what the agent does", "`--quirk`")
    return table(columns, map(cells, QUIRKS))


def encodings() -> str:
    """The table of encodings and readers, each cell as it is found now."""

    def cells(encoding: str) -> Iterator[str]:
        yield encoding
        yield from (WORDS[PASSED if finds(encoding, reader) else FAILED] for reader in READERS)

    return table(("", *READERS), map(cells, ENCODINGS))


def kinds() -> str:
    rows = ((kind.kind, kind.inputs, kind.gets) for kind in KINDS)
    return table(("kind", "what was tried", "what it gets"), rows)


def text(outcomes: Outcomes, run: str) -> str:
    """The page; `run`: when, with which versions, which figures."""
    parts = [HEAD.format(run=RUN + run), servers(outcomes), *map(details, SERVERS)]
    allowed = ", ".join(ALLOWED)
    parts += [CLIENTS_HEAD, clients(outcomes), QUIRKS_HEAD, quirks()]
    parts.append(f"Switches for what the standards allow, and no server's whim: {allowed}.\n")
    parts += [FILES_HEAD, encodings(), KINDS_HEAD, kinds()]
    return "\n".join(parts)


def skeleton(page: str) -> str:
    """A page without what a run brings: it must be the same as that of the tables."""
    lines = (line for line in page.splitlines() if not line.startswith(RUN))
    outcome = "|".join(re.escape(word) for word in WORDS.values())
    return re.sub(rf"(?<=\| )({outcome})(?= \|)", "?", "\n".join(lines))
