"""The border between hostile bytes and the two families of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import fail
from agent.scep.text import clean, excerpt


@contextmanager
def reading(code: str, data: bytes) -> Iterator[None]:
    """Unreadable bytes become the error of this code, with a reason and the beginning of them.

    The readers raise `BerError`; text and numbers inside raise the ValueError of which it is one.
    """
    try:
        yield
    except ValueError as error:
        raise fail(code, reason=clean(str(error)), page=excerpt(data)) from None
