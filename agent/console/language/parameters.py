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

HASH = "$scrypt$"  # opens the hash of a password
SEAL = "%^%#"  # opens and closes a sealed password
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}  # by their hexadecimal digits
MASK = "******"

# The character set of VRP's subject fields; alternative names take `@` and `_` and no comma.
_SUBJECT = re.compile(r"[A-Za-z0-9'=()+,\-./: ]+")
_ALTERNATIVE = re.compile(r"[A-Za-z0-9'=()+\-./: @_]+")
# Printable ASCII without some. A set up to \U0010ffff takes `re` twenty times as long to compile,
# at each start.
_NAME = re.compile(r"((?![?/\\\"'~*:<>|])[!-~])+")
_HOST_NAME = re.compile(r"((?![?<>\[\]\"])[!-~])+")
_PLAIN_TEXT = re.compile(r"((?![?\"])[ -~])+")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*([0-9]+(/[0-9]+)*(\.[0-9]+)?)?")
_INTERFACE_TYPE = re.compile(r"[A-Za-z][A-Za-z\-]*")
_INTERFACE_NUMBER = re.compile(r"[0-9]+(/[0-9]+)*(\.[0-9]+)?")
_SEALED = re.compile(r"%\^%#[A-Za-z0-9+/]+={0,2}%\^%#")
_HASH = re.compile(
    r"\$scrypt\$ln=[0-9]{1,2},r=[0-9]{1,2},p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
)
_URL = re.compile(
    r"(?P<scheme>https?)://(\[(?P<six>[0-9A-Fa-f:.]+)\]|((?![/:?#@\[\]])[!-~])+)"
    r"(:(?P<port>[0-9]{1,5}))?([/?][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_ESCAPE = re.compile(r"(\\?)(\\x3[fF])")


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


def alternative(help_text: str, high: int) -> Parameter:
    """A subject alternative name."""
    return text(
        help_text,
        1,
        high,
        _ALTERNATIVE,
        "letters, digits, space and ' = ( ) + - . / : @ _ are possible",
    )


def _read_units(word: str) -> tuple[str, ...]:
    check_length(word, 1, limits.UNITS_CHARACTERS)
    units = tuple(unit.strip() for unit in word.split(","))
    if not all(1 <= len(unit) <= limits.UNIT_CHARACTERS for unit in units):
        raise ValueError(f"each unit has 1 to {limits.UNIT_CHARACTERS} characters")
    if not all(_SUBJECT.fullmatch(unit) for unit in units):
        raise ValueError("letters, digits, space and ' = ( ) + - . / : are possible in a unit")
    return units


def _read_country(word: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", word):
        raise ValueError("a country is the two letters of ISO 3166")
    return word


def _read_email(word: str) -> str:
    read = alternative("", limits.EMAIL_CHARACTERS).read
    local, at, domain = str(read(word)).partition("@")
    if not (local and at and domain) or "@" in domain:
        raise ValueError("a mail address has one @ between a mailbox and a domain")
    return word


def _read_address(word: str) -> str:
    """An IP address in its canonical text."""
    family = AF_INET6 if ":" in word else AF_INET
    try:
        return inet_ntop(family, inet_pton(family, word))
    except (OSError, ValueError):
        raise ValueError("it is neither an IPv4 nor an IPv6 address") from None


def _url(help_text: str, *schemes: str) -> Parameter:
    def read(word: str) -> str:
        return _read_url(word, schemes)

    kind = ranged("STRING", len("http://a"), limits.URL_CHARACTERS, help_text, read)
    return kind._replace(example="http://ca/scep")


def _read_url(word: str, schemes: tuple[str, ...]) -> str:
    check_length(word, 1, limits.URL_CHARACTERS)
    found = _URL.fullmatch(word)
    if not found or found["scheme"].lower() not in schemes:
        raise ValueError("a URL is `http://HOST/PATH` or `http://HOST:PORT/PATH`, without spaces")
    if found["port"] and not 1 <= int(found["port"]) <= 65535:
        raise ValueError("a port is 1 to 65535")
    if found["six"]:
        _read_address(found["six"])
    if "?" in word:
        raise ValueError(r"a question mark is written `\x3f`, behind the keyword `esc`")
    return word


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


def unescape_url(word: str) -> str:
    r"""The URL that was typed with `esc`: `\x3f` means `?`, `\\x3f` the four characters."""
    return _ESCAPE.sub(lambda found: found[2] if found[1] else "?", word)


def escape_url(url: str) -> str:
    """The reverse of `unescape_url`."""
    return re.sub(r"\\x3[fF]", r"\\\g<0>", url).replace("?", "\\x3f")


def shown_url(url: str, escaped: bool) -> str:
    """A URL as a configuration holds it: with `esc` when it was typed so."""
    return f"esc {escape_url(url)}" if escaped else url


def is_sealed(word: str) -> bool:
    """Whether a password has the form that this product prints."""
    return _SEALED.fullmatch(word) is not None and len(word) <= limits.SEALED_PASSWORD_CHARACTERS


def _read_password(word: str) -> str:
    """A password in plain, or the sealed form that this product prints."""
    if not (word.startswith(SEAL) and word.endswith(SEAL)):
        return _read_plain(word)
    if not is_sealed(word):
        raise ValueError(
            f"what begins and ends with {SEAL} must be a sealed password of this device"
        )
    return word


def is_hash(word: str) -> bool:
    """Whether a password has the form in which a login password is stored."""
    return _HASH.fullmatch(word) is not None


def without_hash(line: str) -> str:
    """A line of a configuration for those who might guess at home what a hash was made of."""
    return _HASH.sub(MASK, line)


def _read_hashed(word: str) -> str:
    """A login password in plain, or its hash as this product prints it."""
    if not word.startswith(HASH):
        return _read_plain(word)
    if not is_hash(word):
        raise ValueError(f"what begins with {HASH} must be the whole hash of a password")
    return word


def _read_plain(word: str) -> str:
    if word.startswith(SEAL):
        raise ValueError(f"a password in plain does not begin with {SEAL}")
    if not word.isprintable() or not 1 <= len(word.encode()) <= limits.PASSWORD_BYTES:
        raise ValueError(f"a password has 1 to {limits.PASSWORD_BYTES} bytes of printable text")
    if word == MASK:
        raise ValueError("this is how a password is shown, not a password")
    return word


def _secret(
    help_text: str, read: Callable[[str], Value], stored: tuple[int, int] | None = None
) -> Parameter:
    """A password of so many bytes, or of so many characters in the form that is stored."""
    kind = ranged("STRING", 1, limits.PASSWORD_BYTES, help_text, read)
    form = "/<{}-{}>".format(*stored) if stored else ""
    return kind._replace(label=kind.label + form, secret=True)


def _interface(help_text: str, accept: re.Pattern[str], reason: str, example: str) -> Parameter:
    kind = text(help_text, 1, limits.INTERFACE_CHARACTERS, accept, reason)
    return kind._replace(example=example)


UNITS = ranged(
    "STRING", 1, limits.UNITS_CHARACTERS, "Organization units, separated by commas", _read_units
)._replace(example="noc,core")
COUNTRY = ranged("STRING", 2, 2, "Country code of ISO 3166", _read_country)._replace(example="CN")
EMAIL = ranged("STRING", len("a@b"), limits.EMAIL_CHARACTERS, "Mail address", _read_email)._replace(
    example="n@example.com"
)
ADDRESS = Parameter("X.X.X.X or X:X::X", "IPv4 or IPv6 address", _read_address, example="192.0.2.1")
URL = _url(
    r"http://HOST/PATH of the CA or RA; behind esc, \x3f is a ?",
    "http",
    "https",
)
CDP = _url("http://HOST/PATH of the revocation list", "http")
PASSWORD = _secret(
    "Password in plain, or sealed as this device shows it",
    _read_password,
    stored=(len(SEAL) * 2 + 1, limits.SEALED_PASSWORD_CHARACTERS),
)
HASHED = _secret(
    "Password in plain, or its hash as a device shows it", _read_hashed, stored=(88, 90)
)
PLAIN = _secret("Password in plain", _read_plain)
MODULUS = integer("Size of the key in bits", *limits.KEY_BITS, even=True)
INTERFACE = _interface("Name of an interface", _INTERFACE, "it is no name of an interface", "eth0")
INTERFACE_TYPE = _interface(
    "Type of an interface", _INTERFACE_TYPE, "it is no name of an interface", "GigabitEthernet"
)
INTERFACE_NUMBER = _interface(
    "Number of an interface", _INTERFACE_NUMBER, "it is no interface number", "0/0/1"
)._replace(label="NUMBER[/NUMBER]")
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
