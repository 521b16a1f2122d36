r"""URLs as they are typed: in plain, or behind `esc` with `\x3f` for the `?` that a prompt takes.

What was typed behind `esc` is unescaped first and judged then. Behind the host a `\` may stand; it
leaves as %5C (`agent/scep/transport.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agent import limits
from agent.console.language.grammar import Parameter
from agent.console.language.parameters import ADDRESS, check_length, ranged

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|[A-Za-z0-9\-._~%!$&'()*+,;=]+)"  # RFC 3986 3.2.2
    r"(:(?P<port>[0-9]{1,5}))?([/?][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_ESCAPE = re.compile(r"(\\?)(\\x3[fF])")


def unescape(word: str) -> str:
    r"""The URL that was typed with `esc`: `\x3f` means `?`, `\\x3f` the four characters."""
    return _ESCAPE.sub(lambda found: found[2] if found[1] else "?", word)


def escape(url: str) -> str:
    """The reverse of `unescape`."""
    return re.sub(r"\\x3[fF]", r"\\\g<0>", url).replace("?", "\\x3f")


def shown(url: str, escaped: bool) -> str:
    """A URL as a configuration holds it: with `esc` when it was typed so."""
    return f"esc {escape(url)}" if escaped else url


def _judge(url: str, schemes: tuple[str, ...]) -> str:
    found = _URL.fullmatch(url)
    if not found or found["scheme"].lower() not in schemes:
        raise ValueError("a URL is `http://HOST/PATH` or `http://HOST:PORT/PATH`, without spaces")
    if found["port"] and not 1 <= int(found["port"]) <= 65535:
        raise ValueError("a port is 1 to 65535")
    if found["six"]:
        ADDRESS.read(found["six"])
    return url


def _types(help_text: str, *schemes: str) -> tuple[Parameter, Parameter]:
    """A URL in plain, and behind `esc`; the length is that of the word, which is shown again."""

    def plain(word: str) -> str:
        check_length(word, 1, limits.URL_CHARACTERS)
        url = _judge(word, schemes)
        if "?" in url:
            raise ValueError(r"a question mark is written `\x3f`, behind the keyword `esc`")
        return url

    def escaped(word: str) -> str:
        check_length(word, 1, limits.URL_CHARACTERS)
        return _judge(unescape(word), schemes)

    def kind(read: Callable[[str], str]) -> Parameter:
        shown = help_text + r"; behind esc, \x3f is a ?"
        found = ranged("STRING", len("http://a"), limits.URL_CHARACTERS, shown, read)
        return found._replace(example="http://ca/scep")

    return kind(plain), kind(escaped)


URL, ESCAPED_URL = _types("http://HOST/PATH of the CA or RA", "http", "https")
FILE, ESCAPED_FILE = _types("http://HOST/PATH of a file", "http", "https")
CDP, ESCAPED_CDP = _types("http://HOST/PATH of the revocation list", "http")
