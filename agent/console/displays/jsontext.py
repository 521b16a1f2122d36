"""Values as JSON (RFC 8259), in the notation of the `json` module of the standard library.

That module would be loaded by the first display that asks for it: at a moment when there may be no
descriptor left to read it by, and into memory that the agent keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_WORDS: dict[object, str] = {None: "null", False: "false", True: "true"}
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b"}
_BEYOND = 0x10000  # from here on UTF-16 has two units, which an escape is made of


def json_text(value: object) -> str:
    """One line of ASCII for text, an integer, true, false, null, a list or tuple, or a map of texts
    to these. TypeError for anything else."""
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(json_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(_members(value))}}}"
    raise TypeError(f"{type(value).__name__} is nothing that a display shows")


def _members(value: Mapping[str, object]) -> Iterable[str]:
    return (f"{_string(key)}: {json_text(item)}" for key, item in value.items())


def _string(text: str) -> str:
    if not (text.isascii() and text.isprintable() and _SHORT.keys().isdisjoint(text)):
        text = "".join(map(_character, text))
    return f'"{text}"'


def _character(one: str) -> str:
    code = ord(one)
    if one in _SHORT:
        return _SHORT[one]
    if code >= _BEYOND:
        code -= _BEYOND
        return f"\\u{0xD800 | code >> 10:04x}\\u{0xDC00 | code & 0x3FF:04x}"
    return one if " " <= one <= "~" else f"\\u{code:04x}"
