"""The types of the console's parameters: what each accepts, and why it refuses.

A reader takes the text of a word and gives the value that is stored, or raises ValueError with a
reason that fits behind `Cause: `. A reason never repeats the text: it may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from agent import limits
from agent.console.language.grammar import Parameter, Value
from hal.calendar import day_s

DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}  # by their hexadecimal digits

# The character set of VRP's subject fields.
_SUBJECT = re.compile(r"[A-Za-z0-9'=()+,\-./: ]+")
# Printable ASCII without some. A set up to \U0010ffff takes `re` twenty times as long to compile,
# at each start.
_NAME = re.compile(r"((?![?/\\\"'~*:<>|])[!-~])+")
_HOST_NAME = re.compile(r"((?![?<>\[\]\"])[!-~])+")
_PLAIN_TEXT = re.compile(r"((?![?\"])[ -~])+")


def ranged(
    unit: str, low: int, high: int, help_text: str, read: Callable[[str], Value]
) -> Parameter:
    """`UNIT<low-high>`: a range that help shows, the manual prints and the tests try out."""
    label = f"{unit}<{low}>" if low == high else f"{unit}<{low}-{high}>"
    return Parameter(label, help_text, read, low=low, high=high)


def text(help_text: str, low: int, high: int, accept: re.Pattern[str], reason: str) -> Parameter:
    """`STRING<low-high>` of the characters that `accept` takes; `reason` names them."""

    def read(word: str) -> str:
        check_length(word, low, high)
        if not accept.fullmatch(word):
            raise ValueError(reason)
        return word

    return ranged("STRING", low, high, help_text, read)


def integer(
    help_text: str, low: int, high: int, *, even: bool = False, default: int | None = None
) -> Parameter:
    """`INTEGER<low-high>`; when it must be even an odd one is lowered by one, as VRP does.

    `default` is for help: what holds when the word is left out.
    """

    def read(word: str) -> int:
        # isdigit() also takes digits of other scripts, and int() takes an underscore.
        if not (word.isascii() and word.isdigit() and len(word) <= 10):
            raise ValueError("it is a number in decimal digits")
        if not low <= int(word) <= high:
            raise ValueError(f"the range is {low} to {high}")
        return int(word) & ~1 if even else int(word)

    shown = help_text if default is None else f"{help_text} (default {default})"
    return ranged("INTEGER", low, high, shown, read)._replace(example=str(low))


def hexadecimal(help_text: str, digits: int) -> Parameter:
    """`HEX<digits>`, lower case when stored; colons and spaces between digits are dropped."""

    def read(rest: str) -> str:
        value = re.sub(r"[:\s]", "", rest).lower()
        if not re.fullmatch(r"[0-9a-f]*", value):
            raise ValueError("only hexadecimal digits, colons and spaces belong here")
        if len(value) != digits:
            other = DIGESTS.get(len(value))
            hint = f"; so many are a digest by `{other}`" if other else ""
            raise ValueError(f"this digest has {digits} hexadecimal digits, not {len(value)}{hint}")
        return value

    kind = ranged("HEX", digits, digits, help_text, read)
    return kind._replace(rest=True, example=("0123456789abcdef" * digits)[:digits])


def fingerprints(help_text: str, digits: int) -> Parameter:
    """One digest of `hexadecimal` or two, behind one another: a tuple of them, each once."""
    alone = hexadecimal(help_text, digits)

    def read(rest: str) -> tuple[str, ...]:
        value = re.sub(r"[:\s]", "", rest)
        if len(value) != 2 * digits:
            return (str(alone.read(value)),)
        return tuple(dict.fromkeys(str(alone.read(h)) for h in (value[:digits], value[digits:])))

    return alone._replace(label=f"{alone.label} [ {alone.label} ]", read=read)


def _read_serial(word: str) -> str:
    """The serial number of a certificate as records hold it: no colons, no leading zeros."""
    digits = re.sub(":", "", word).lower()
    check_length(digits, 1, limits.SERIAL_DIGITS)
    if not re.fullmatch(r"[0-9a-f]+", digits):
        raise ValueError("a serial number is hexadecimal digits, with colons or without")
    return f"{int(digits, 16):x}"


def check_length(word: str, low: int, high: int) -> None:
    if not low <= len(word) <= high:
        raise ValueError(f"{low} to {high} characters are possible, not {len(word)}")


def name(help_text: str, bound: int = limits.NAME_CHARACTERS) -> Parameter:
    """The name of a realm, an entity or a key pair, which becomes a part of file names; or a
    whole file name."""
    kind = text(
        help_text, 1, bound, _NAME, "a name has no space and none of ? / \\ \" ' ~ * : < > |"
    )

    def read(word: str) -> str:
        if word.startswith("."):
            raise ValueError("a name does not begin with a full stop")
        return str(kind.read(word))

    return kind._replace(read=read)


def subject(help_text: str, high: int) -> Parameter:
    """A field of the subject name."""
    return text(
        help_text, 1, high, _SUBJECT, "letters, digits, space and ' = ( ) + , - . / : are possible"
    )


def _read_configuration_file(word: str) -> str:
    """So no command writes a configuration over a certificate or a key."""
    found = str(FILE.read(word))
    if not found.endswith(".cfg"):
        raise ValueError("the name of a file with a configuration ends in .cfg")
    return found


def _read_units(word: str) -> tuple[str, ...]:
    check_length(word, 1, limits.UNITS_CHARACTERS)
    units = tuple(unit.strip() for unit in word.split(","))
    if not all(1 <= len(unit) <= limits.UNIT_CHARACTERS for unit in units):
        raise ValueError(f"each unit has 1 to {limits.UNIT_CHARACTERS} characters")
    if not all(_SUBJECT.fullmatch(unit) for unit in units):
        raise ValueError("letters, digits, space and ' = ( ) + - . / : are possible in a unit")
    return units


def _read_address(word: str) -> str:
    """An IP address in its canonical text."""
    family = AF_INET6 if ":" in word else AF_INET
    try:
        return inet_ntop(family, inet_pton(family, word))
    except (OSError, ValueError):
        raise ValueError("it is neither an IPv4 nor an IPv6 address") from None


def _read_time(word: str) -> int:
    """Seconds since midnight."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})", word, re.ASCII)
    parts = [int(part) for part in found.groups()] if found else [24, 0, 0]
    if parts[0] > 23 or parts[1] > 59 or parts[2] > 59:
        raise ValueError("a time is HH:MM:SS, from 00:00:00 to 23:59:59")
    return parts[0] * 3600 + parts[1] * 60 + parts[2]


def _read_offset(word: str) -> int:
    ahead_s = _read_time(word)
    if ahead_s > limits.ZONE_OFFSET_S:
        raise ValueError("no zone is further than 14:00:00 from UTC")
    return ahead_s


def _read_date(word: str) -> int:
    """Unix time of the day's beginning."""
    found = re.fullmatch(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})", word, re.ASCII)
    year, month, day = (int(part) for part in found.groups()) if found else (0, 0, 0)
    begin_s = day_s(year, month, day) if 2000 <= year <= 2099 else None
    if begin_s is None:
        raise ValueError("a date is YYYY-MM-DD, from 2000-01-01 to 2099-12-31")
    return begin_s


UNITS = ranged(
    "STRING", 1, limits.UNITS_CHARACTERS, "Organization units, separated by commas", _read_units
)._replace(example="noc,core")
ADDRESS = Parameter("X.X.X.X or X:X::X", "IPv4 or IPv6 address", _read_address, example="192.0.2.1")
MODULUS = integer("Size of the key in bits", *limits.KEY_BITS, even=True)
SYSNAME = text(
    "Name of the device", 1, limits.NAME_CHARACTERS, _HOST_NAME, 'no space and none of ? < > [ ] "'
)
TIME = Parameter("HH:MM:SS", "Time of the day", _read_time, example="14:05:00")
OFFSET = Parameter("HH:MM:SS", "How far from UTC", _read_offset, example="01:00:00")
DATE = Parameter("YYYY-MM-DD", "Day", _read_date, example="2026-11-23")
SERIAL = ranged(
    "HEX", 1, limits.SERIAL_DIGITS, "Serial number of a certificate", _read_serial
)._replace(example="2a")
FILE = name("Name of a file in device storage", limits.FILE_CHARACTERS)
CONFIGURATION_FILE = FILE._replace(
    read=_read_configuration_file, example="old.cfg", low=None, high=None
)
VPN_INSTANCE = text(
    "Name of a VPN instance (a VRF device)",
    1,
    limits.VPN_INSTANCE_CHARACTERS,
    _HOST_NAME,
    'no space and none of ? < > [ ] "',
)
ZONE = text(
    "Name of the time zone",
    1,
    limits.ZONE_CHARACTERS,
    _HOST_NAME,
    'no space and none of ? < > [ ] "',
)
CA_ID = text(
    "Name of the CA at its server",
    1,
    limits.CA_ID_CHARACTERS,
    _PLAIN_TEXT,
    'printable ASCII without ? and " is possible',
)
FILTER = text(
    "Text to look for", 1, limits.LINE_CHARACTERS, re.compile(".+"), "a line break is no text"
)._replace(rest=True)
