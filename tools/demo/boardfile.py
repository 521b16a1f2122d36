"""The board file of the demo: where a real board's serial line is, and which CA it shall use.

Not the agent's board file, which lies on the board.
"""

import tomllib
from collections.abc import Callable
from typing import NamedTuple

from tools.demo.failure import DemoError
from tools.demo.procedure import DIGESTS, Plan
from tools.demo.typist import Answer

BAUD = 115_200

EXAMPLE = """\
# The agent already runs on the board and has its console on this line.
[serial]
port = "/dev/ttyUSB0"
baud = 115200

# As the board reaches it. Without a fingerprint the board shows the CA's, and you are asked.
[ca]
url = "http://ca.lab.example/scep"
fingerprint = "6f1c0f6b8f3f1d3c2a9e57b1d0c4a8e26f1c0f6b8f3f1d3c2a9e57b1d0c4a8e2"
challenge = "the password of this device"

# May be left out. Instead of the interface: address = "192.0.2.7"
[source]
interface = "GigabitEthernet 0/0/1"
"""


class BoardLine(NamedTuple):
    """A real board: its serial line and the plan for its CA."""

    port: str
    baud: int
    plan: Plan


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is wanted")
    if not value.isprintable():
        raise ValueError("a control character would be a key that is pressed")
    return value


def _url(value: object) -> str:
    url = _text(value)
    if " " in url or "?" in url:
        raise ValueError("no space, and no `?`, which is the help key of the console")
    return url


def _baud(value: object) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError("a number of bits per second is wanted")
    return value


def _fingerprint(value: object) -> str:
    digits = _text(value).replace(":", "").replace(" ", "").lower()
    if len(digits) not in DIGESTS or set(digits) - set("0123456789abcdef"):
        raise ValueError("32, 40 or 64 hexadecimal digits are wanted")
    return digits


FIELDS: dict[str, dict[str, Callable[[object], str | int]]] = {
    "serial": {"port": _text, "baud": _baud},
    "ca": {"url": _url, "fingerprint": _fingerprint, "challenge": _text},
    "source": {"interface": _text, "address": _text},
}
NEEDED = (("serial", "port"), ("ca", "url"))


def load(path: str, confirm: Answer) -> BoardLine:
    """Reads a board file. Raises DemoError that names the file and the field."""
    try:
        with open(path, "rb") as file:
            tables = tomllib.load(file)
    except (OSError, ValueError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise DemoError(f"the board file {path} cannot be read: {error}") from error
    try:
        return _board(_fields(tables), confirm)
    except ValueError as error:
        raise DemoError(f"{path}: {error}\n  Next step: --help shows an example") from error


def _fields(tables: dict[str, object]) -> dict[tuple[str, str], str | int]:
    found: dict[tuple[str, str], str | int] = {}
    for section, table in tables.items():
        if section not in FIELDS or not isinstance(table, dict):
            raise ValueError(f"[{section}] is not understood")
        for name, value in table.items():
            if name not in FIELDS[section]:
                raise ValueError(f"[{section}] {name} is not understood")
            try:
                found[section, name] = FIELDS[section][name](value)
            except ValueError as error:
                raise ValueError(f"[{section}] {name}: {error}") from error
    return found


def _board(found: dict[tuple[str, str], str | int], confirm: Answer) -> BoardLine:
    for section, name in NEEDED:
        if (section, name) not in found:
            raise ValueError(f"[{section}] {name} is missing")
    interface, address = found.get(("source", "interface")), found.get(("source", "address"))
    if interface and address:
        raise ValueError("[source] is an interface or an address, not both")
    plan = Plan(
        url=str(found["ca", "url"]),
        fingerprint=str(found.get(("ca", "fingerprint"), "")),
        challenge=str(found.get(("ca", "challenge"), "")),
        source=f"interface {interface}" if interface else str(address or ""),
        confirm=confirm,
    )
    return BoardLine(str(found["serial", "port"]), int(found.get(("serial", "baud"), BAUD)), plan)
