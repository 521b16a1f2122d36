"""Text for people: what a peer chose made safe to show, and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent import limits
from agent.visible import cut, quoted


def clean(text: str, cap: int = limits.PEER_TEXT_CHARACTERS) -> str:
    """Prose of a peer as one line of at most `cap` characters: white space folded, what cannot be
    seen as an escape (`agent/visible.py`)."""
    return cut(quoted(" ".join(text[: 8 * cap].split())), cap)


def excerpt(data: bytes) -> str:
    """The beginning of a body that is not what it should be, or how much it is when not text."""
    start = data[: 8 * limits.PEER_TEXT_CHARACTERS].decode("utf-8", "replace")
    shown = clean(start)
    if not data:
        return "nothing in it"
    if not shown or "\ufffd" in shown or "\0" in start:
        return f"{len(data)} bytes that are no text"
    return shown


def utc(time_s: int) -> str:
    """`2026-11-23 09:30:00 UTC`."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_s)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
