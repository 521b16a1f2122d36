"""Text for people: what a peer chose made safe to show, and times."""

from __future__ import annotations

import re

from agent import limits
from agent.visible import cut, quoted
from hal import calendar

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
# What is not shown to people; whatever is cut off ends with the page.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(title|style|script)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"<[^<>]*(?:>|\Z)")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "#39": "'", "nbsp": " "}
_ENTITY = re.compile(f"&({'|'.join(_ENTITIES)});")


def clean(text: str, cap: int = limits.PEER_TEXT_CHARACTERS) -> str:
    """Prose of a peer as one line of at most `cap` characters: white space folded, what cannot be
    seen as an escape (`agent/visible.py`)."""
    return cut(quoted(" ".join(text[: 8 * cap].split())), cap)


def excerpt(data: bytes) -> str:
    """The beginning of a body that is not what it should be, or how much it is when not text. Of a
    page for people its title and its text, without tags."""
    start = data[: 8 * limits.PEER_TEXT_CHARACTERS].decode("utf-8", "replace")
    shown = clean(_untagged(start) if start.lstrip().startswith("<") else start)
    if not data:
        return "nothing in it"
    if not shown or "\ufffd" in shown or "\0" in start:
        return f"{len(data)} bytes that are no text"
    return shown


def _untagged(page: str) -> str:
    title = _TITLE.search(page)
    text = _TAG.sub(" ", _HIDDEN.sub(" ", page))
    parts = [title[1].strip() if title else "", text.strip()]
    joined = ": ".join(filter(None, parts))
    return _ENTITY.sub(lambda found: _ENTITIES[found[1]], joined) or page


def gmt(time_s: int) -> str:
    """`Nov 23 09:30:00 2026 GMT`, as openssl prints it."""
    when = calendar.moment(time_s)
    clock = f"{when.hour:02}:{when.minute:02}:{when.second:02}"
    return f"{_MONTHS[when.month - 1]} {when.day:2} {clock} {when.year} GMT"


def utc(time_s: int) -> str:
    """`2026-11-23 09:30:00 UTC`."""
    return f"{calendar.text(time_s)} UTC"
