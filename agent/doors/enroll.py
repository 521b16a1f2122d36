"""`scep-agent enroll`: one line from nothing to a certificate and a saved configuration.

It is a client of the console like any other. It looks what is there, has the agent compare what is
wanted with it (a merge that only tells the difference), types the lines and says which, and waits.

Fault model. The realm is configured otherwise: nothing is typed, and the difference is told. The
agent goes away, a line is refused, or somebody types Ctrl+C: what was typed before stays, and the
same command goes on from there. Nobody reads what is said any more (`| head`): it goes on all the
same. Ctrl+C or the end of input at a question: nothing was done.
"""

from __future__ import annotations

import json
import select
import sys
from contextlib import suppress

from agent import limits
from agent.command_line import Option, Options, UsageError
from agent.console.language import urls
from agent.console.language.grammar import quote
from agent.doors import client
from agent.doors.wire import DRY_MERGE, SCRIPT
from hal.annotations import Any
from hal.files import read_text
from hal.named import NamedTuple
from hal.ports import HalError
from hal.standard import say

ISSUED, REFUSED, NOT_ASKED, WAITS = 0, 1, 2, 3  # exit status
UNDER_WAY_S = 300  # at most, for an application that the realm has begun by itself
UNDER_WAY = (  # of the states that `display pki enrollment` shows: it goes on by itself, soon
    *("getting the CA certificates", "CA to be confirmed", "sent", "asking for a lost answer"),
    *("polling", "shorter certificate to be confirmed"),
)
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}  # by hexadecimal digits
SECRET, HIDDEN = "password cipher ", "******"


class Setting(NamedTuple):
    """An option that is a line of the entity or of the realm: its words and then its value."""

    option: Option
    words: str


ENTITY = (
    Setting(Option("--common-name", "NAME", "The subject's common name."), "common-name"),
    Setting(Option("--country", "CODE", "Two letters."), "country"),
    Setting(Option("--state", "NAME", "State or province."), "state"),
    Setting(Option("--locality", "NAME", "Town."), "locality"),
    Setting(Option("--organization", "NAME", "Organization."), "organization"),
    Setting(Option("--unit", "NAME[,NAME]", "Organization units."), "organization-unit"),
    Setting(Option("--email", "ADDRESS", "An alternative name."), "email"),
    Setting(Option("--fqdn", "NAME", "An alternative name: the host's."), "fqdn"),
    Setting(Option("--ip-address", "ADDRESS", "An alternative name."), "ip-address"),
)
REALM = (
    Setting(Option("--ca-id", "NAME", "The CA's name, where the server has several."), "ca id"),
    Setting(
        Option("--key-usage", "WORDS", "One or more of ike, ssl-client, ssl-server."), "key-usage"
    ),
    Setting(Option("--source-address", "ADDRESS", "Where requests come from."), "source"),
    Setting(Option("--source-interface", "NAME", "The same, by interface."), "source interface"),
)
URL = Option("--url", "URL", "The SCEP server.")
FINGERPRINT = Option(
    "--fingerprint", "HEX", "Fingerprint of the CA certificate: SHA-256, SHA-1 or MD5."
)
ROOT = Option(
    "--root-fingerprint", "HEX", "Fingerprint of a root above that CA, which consumers may need."
)
RA = Option("--ra", "", "A registration authority answers in the CA's place.")
PASSWORD_FILE = Option("--password-file", "FILE", "The challenge password; `-`: standard input.")
REALM_NAME = Option(
    "--realm", "NAME", "Name of the realm, its entity and its key pair; default `default`."
)
KEY_SIZE = Option("--key-size", "BITS", "Size of a key pair that is made; default 2048.")
AUTO = Option(
    "--auto",
    "PERCENT",
    "Apply and renew without an operator, when so much of the life has elapsed.",
)
OPTIONS = (
    *(URL, FINGERPRINT, *(row.option for row in ENTITY), PASSWORD_FILE, AUTO, ROOT, RA),
    *(REALM_NAME, KEY_SIZE, *(row.option for row in REALM)),
)
WANTED = (URL, FINGERPRINT, ENTITY[0].option)  # asked for at a terminal


class Lines(NamedTuple):
    """What is typed: two blocks of a configuration, each from the line that opens its view."""

    entity: list[str]
    realm: list[str]

    def text(self) -> str:
        """As `apply` reads it."""
        blocks = ([block[0], *(f" {line}" for line in block[1:])] for block in self)
        return "".join(f"{line}\n" for block in blocks for line in block)


def run(path: str, options: Options) -> int:
    """Exit status: 0 issued, 1 refused, 2 not asked (no agent, a wrong option), 3 pending.

    Raises KeyboardInterrupt once it has said what stays.
    """
    _ask(options)
    name = _last(options, REALM_NAME) or "default"
    lines = _lines(options, name)
    try:
        return _enrol(Console(path), name, lines, _last(options, KEY_SIZE))
    except EndedError as error:
        return error.status
    except KeyboardInterrupt:
        _say("\nInfo: What was typed stays, and work goes on; the same command goes on from there.")
        raise


def _enrol(console: Console, name: str, lines: Lines, bits: str | None) -> int:
    status, told = console.compare(lines.text())
    changes = [line for line in told.splitlines() if line[:1] in ("+", "-")]
    if status:
        _say(told.rstrip("\n"))
        return REFUSED
    if any(line.startswith("-") for line in changes):
        _say("\n".join(line for line in told.splitlines() if line[:1] in ("+", "-", " ")))
        _say(f"Error: Realm {name}, or its entity, is configured otherwise.")
        _say(" Cause: the lines behind - are there, and the lines behind + are wanted.")
        _say(" Next step: change them at the console, or choose another name with --realm.")
        return REFUSED
    typed: list[str] = []
    if name not in console.names("display pki rsa local-key-pair public json", "name"):
        typed.append(f"pki rsa local-key-pair create {name} modulus {bits or '2048'}")
    if changes:
        typed += [*lines.entity, "quit", *lines.realm, "quit"]
    if typed or not console.has_saved(lines.entity[0]):
        typed = ["system-view", *typed, "return", "save", "y"]
    if typed and console.type(*typed):
        return REFUSED
    return _apply(console, name)


def _apply(console: Console, name: str) -> int:
    """Applies if the realm has no certificate and no request; waits for what is under way."""
    state = console.state(name)
    if state == "issued":
        _say(f"Info: Realm {name} has a certificate; nothing was applied for.")
        return ISSUED
    if state not in UNDER_WAY:
        console.type("system-view", f"pki enroll-certificate realm {name}")
        state = console.state(name)
    for _second in range(UNDER_WAY_S):
        if state not in UNDER_WAY:
            break
        select.select([], [], [], 1)
        state = console.state(name)
    if state == "pending":
        _say(f"Info: The CA has not decided yet. `display pki enrollment realm {name}` tells more.")
    return {"issued": ISSUED, "pending": WAITS}.get(state, REFUSED)


# -- what is wanted --------------------------------------------------------------------------------


def _ask(options: Options) -> None:
    """Asks a person for what was left out; UsageError where nobody sits."""
    missing = [option for option in WANTED if option.name not in options]
    if missing and not sys.stdin.isatty():
        raise UsageError(f"{missing[0].name} is missing")
    try:
        for option in missing:
            options[option.name] = [_answer(option.meaning)]
        if missing and PASSWORD_FILE.name not in options:
            from getpass import getpass

            options[_TYPED] = [getpass("Challenge password (nothing: none): ")]
    except (EOFError, UnicodeDecodeError):
        sys.stderr.write("\n")  # leaves the line of the question
        left = next((one for one in missing if one.name not in options), PASSWORD_FILE)
        raise UsageError(f"{left.name} is missing: the question was not answered") from None


_TYPED = "a password that was typed"  # its place among the options


def _answer(meaning: str) -> str:
    while not (said := input(f"{meaning.rstrip('.')}: ").strip()):
        _say("Ctrl+C ends.")
    return said


def _lines(options: Options, name: str) -> Lines:
    quoted = quote(name)
    entity = [f"pki entity {quoted}", *_set(ENTITY, options)]
    realm = [f"pki realm {quoted}", *_set(REALM, options), f"entity {quoted}"]
    url = str(_last(options, URL))
    esc = f"esc {urls.escape(url)}" if "?" in url else url
    realm.append(f"enrollment-url {esc}" + (" ra" if RA.name in options else ""))
    realm.append(_fingerprint(FINGERPRINT, str(_last(options, FINGERPRINT))))
    realm += [_fingerprint(ROOT, root) for root in options.get(ROOT.name, [])]
    if password := _password(options):
        realm.append(f"{SECRET}{quote(password)}")
    realm.append(f"rsa local-key-pair {quoted}")
    if percent := _last(options, AUTO):
        realm.append(f"auto-enroll {percent} updated-effective")
    for line in (*entity, *realm):
        if not line.isprintable():
            raise UsageError("a value holds a character that cannot be typed")
    return Lines(entity, realm)


def _set(rows: tuple[Setting, ...], options: Options) -> list[str]:
    """The lines of the settings that were given; several words are several words of the line."""
    return [
        f"{row.words} {value if row.option.value == 'WORDS' else quote(value)}"
        for row in rows
        if (value := _last(options, row.option)) is not None
    ]


def _fingerprint(option: Option, given: str) -> str:
    digits = given.replace(":", "").replace(" ", "")
    if len(digits) not in DIGESTS:
        wanted = " or ".join(f"{count} ({name})" for count, name in DIGESTS.items())
        raise UsageError(f"{option.name} has {len(digits)} hexadecimal digits; wanted: {wanted}")
    return f"{option.name[2:]} {DIGESTS[len(digits)]} {digits}"


def _password(options: Options) -> str | None:
    name = _last(options, PASSWORD_FILE)
    if name is None:
        return _last_text(options, _TYPED)
    if name == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return read_text(name, limits.LINE_CHARACTERS).rstrip("\r\n")
    except HalError as error:
        raise UsageError(f"{PASSWORD_FILE.name}: {error}") from None


def _last(options: Options, option: Option) -> str | None:
    return _last_text(options, option.name)


def _last_text(options: Options, name: str) -> str | None:
    given: str | None = options.get(name, [None])[-1]
    return given


def _say(text: str) -> None:
    _write(f"{text}\n".encode())


def _write(text: bytes) -> None:
    with suppress(BrokenPipeError):
        say(text)


# -- the console -----------------------------------------------------------------------------------


class EndedError(Exception):
    """The agent does not answer, or not as it should; why was said."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Console:
    """The running agent, as a client of its socket meets it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def compare(self, text: str) -> tuple[int, str]:
        """What merging a text would change: exit status, and what was said."""
        return self._said(DRY_MERGE, text)

    def type(self, *lines: str) -> int:
        """Shows lines, types them, and shows what comes back; the exit status."""
        for line in lines:
            secret = line.startswith(SECRET)
            _say(f"> {SECRET + HIDDEN if secret else line}")
        text = "".join(f"{line}\n" for line in lines)
        return self._alive(client.exchange(self._path, SCRIPT, [text.encode()], _write))

    def has_saved(self, header: str) -> bool:
        """Whether the next start will have a block; one that was typed may not be saved yet."""
        _status, text = self._said(SCRIPT, "display saved-configuration\n")
        return header.casefold() in map(str.casefold, text.splitlines())

    def names(self, display: str, field: str) -> list[Any]:
        """One field of all items of a display."""
        return [item[field] for item in self._items(display)]

    def state(self, realm: str) -> str:
        """Where a realm stands, as `display pki enrollment` says it."""
        (item,) = self._items(f"display pki enrollment realm {quote(realm)} json")
        return str(item["state"])

    def _items(self, display: str) -> list[dict[str, Any]]:
        status, text = self._said(SCRIPT, f"{display}\n")
        if status:  # somebody else has removed the realm
            _say(text.rstrip("\n"))
            raise EndedError(REFUSED)
        found: list[dict[str, Any]] = json.loads(text)["items"]
        return found

    def _said(self, kind: str, text: str) -> tuple[int, str]:
        said = bytearray()
        status = client.exchange(self._path, kind, [text.encode()], said.extend)
        return self._alive(status), said.decode()

    def _alive(self, status: int) -> int:
        if status == client.NO_AGENT:
            raise EndedError(NOT_ASKED)
        return status
