"""Where the elements of a message lie, and the message with one of them exchanged.

Octet strings and bit strings that hold an element are looked into: extensions, envelopes and keys
lie in them. Shares no code with the reader that is tried, and takes what is broken as it is.
"""

from typing import NamedTuple

CONSTRUCTED = 0x20
DEEPEST, MOST = 40, 4000
_END = b"\0\0"
_STRINGS = {0x03: 1, 0x04: 0}  # tag -> octets before an element that lies inside


class Element(NamedTuple):
    """Offsets in the message; `parent` is the number of what holds it, -1 for the outermost."""

    parent: int
    start: int
    body: int
    body_end: int
    end: int

    @property
    def indefinite(self) -> bool:
        return self.end != self.body_end


def found_in(data: bytes) -> list[Element]:
    """The elements of a message in order, outer ones first; none when it is no BER."""
    found: list[Element] = []
    end = _element(data, 0, len(data), -1, found, 0)
    return found if end == len(data) else []


def tlv(head: bytes, content: bytes) -> bytes:
    """One element of definite length; `head` is its tag."""
    size = len(content)
    if size < 0x80:
        return head + bytes((size,)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return head + bytes((0x80 | len(octets),)) + octets + content


def exchanged(data: bytes, elements: list[Element], number: int, new: bytes) -> bytes:
    """The message with other octets for one element, the lengths of all around it right."""
    one = elements[number]
    while one.parent >= 0:
        outer = elements[one.parent]
        content = data[outer.body : one.start] + new + data[one.end : outer.body_end]
        if outer.indefinite:
            new = data[outer.start : outer.body] + content + _END
        else:
            new = tlv(data[outer.start : outer.start + 1], content)
        one = outer
    return data[: one.start] + new + data[one.end :]


def _element(
    data: bytes, at: int, limit: int, parent: int, found: list[Element], depth: int
) -> int | None:
    """Adds the element at an offset and all below it; where it ends, or None for none."""
    length, body = _header(data, at, limit)
    if body is None or depth > DEEPEST or len(found) > MOST:
        return None
    number, before = len(found), len(found)
    constructed = data[at] & CONSTRUCTED
    if length is None:
        found.append(Element(parent, at, body, body, body))
        end = _until_end(data, body, limit, number, found, depth)
        if end is not None:
            found[number] = Element(parent, at, body, end - len(_END), end)
        return end
    end = body + length
    found.append(Element(parent, at, body, end, end))
    inside = body if constructed else body + _STRINGS.get(data[at], length)
    if inside < end and not _row(data, inside, end, number, found, depth):
        if constructed:
            return None
        del found[before + 1 :]
    return end


def _row(data: bytes, at: int, end: int, parent: int, found: list[Element], depth: int) -> bool:
    """Elements one after the other, exactly up to the end."""
    while at < end:
        after = _element(data, at, end, parent, found, depth + 1)
        if after is None:
            return False
        at = after
    return at == end


def _until_end(
    data: bytes, at: int, limit: int, parent: int, found: list[Element], depth: int
) -> int | None:
    while data[at : at + 2] != _END:
        after = _element(data, at, limit, parent, found, depth + 1)
        if after is None:
            return None
        at = after
    return at + 2 if at + 2 <= limit else None


def _header(data: bytes, at: int, limit: int) -> tuple[int | None, int | None]:
    """Length (None: indefinite) and where the content begins (None: this is no element)."""
    if at + 2 > limit or not data[at] or data[at] & 0x1F == 0x1F:
        return None, None
    length, body = data[at + 1], at + 2
    if length == 0x80:
        return None, body if data[at] & CONSTRUCTED else None
    if length > 0x80:
        octets = length & 0x7F
        length = int.from_bytes(data[body : body + octets], "big")
        body += octets
    return length, body if body + length <= limit else None
