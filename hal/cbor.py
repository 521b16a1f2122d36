"""Bounded and canonical CBOR: what the store, the job channel and device records are made of.

Fault model. The bytes may be rotten flash or an answer of a child that parsed a hostile CA. So
they are first walked without building anything: size, depth, number of items, and only the few
types that we write. Then cbor2 builds the value, and encoding it again must give the very same
bytes (RFC 8949 4.2.1): that leaves no room for duplicate keys, long integers, other key orders.
Whatever is wrong, the caller gets `CborError` and nothing else.

cbor2 5.4.6 has no limits of its own and 6.3.0 has; relying on neither makes both behave alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import cbor2

MAX_DEPTH = 8  # containers inside each other; our deepest record has 4
MAX_ITEMS = 10_000  # of one value, keys counted; a realm with 16 certificates has below 100
_INT = range(-(1 << 64), 1 << 64)  # what majors 0 and 1 hold; beyond it lie bignum tags
_SIMPLE = (20, 21, 22)  # false, true, null
_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = 2, 3, 4, 5, 6, 7  # majors, RFC 8949 3.1
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of a long argument; 28 to 31 are refused


class CborError(ValueError):
    """Not a value that we would have written, or larger than the reader allows."""


def dumps(value: object) -> bytes:
    """The canonical encoding of int (64 bit), bytes, str, list, dict with str keys, bool, None.

    Raises CborError for any other type and above MAX_DEPTH or MAX_ITEMS.
    """
    if _count(value, MAX_DEPTH) > MAX_ITEMS:
        raise CborError(f"more than {MAX_ITEMS} items")
    try:
        return cbor2.dumps(value, canonical=True)
    except Exception as error:  # cbor2 and UTF-8 fail with unrelated families
        raise CborError(f"cannot be encoded: {error}") from error


def join(entries: Mapping[str, bytes]) -> bytes:
    """The canonical map of keys and of values that are encoded already."""
    pairs = sorted((dumps(key), value) for key, value in entries.items())
    return _head(_MAP, len(pairs)) + b"".join(key + value for key, value in pairs)


def head_bytes(argument: int) -> int:
    """The bytes of the head of an item, for an argument of 32 bits."""
    if argument < min(_WIDTHS):
        return 1
    return 2 if argument < 1 << 8 else 3 if argument < 1 << 16 else 5


def string_bytes(length: int) -> int:
    """The bytes of a text or byte string of that length, with its head."""
    return head_bytes(length) + length


def loads(
    data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> object:
    """The value of one complete canonical item; a fresh object. Raises CborError."""
    if len(data) > max_bytes:
        raise CborError(f"{len(data)} bytes, at most {max_bytes} are allowed")
    _walk(data, max_depth, max_items)
    try:
        value: object = cbor2.loads(data)
        again = cbor2.dumps(value, canonical=True)
    except Exception as error:  # cbor2 and UTF-8 fail with unrelated families
        raise CborError(f"cannot be decoded: {error}") from error
    if again != data:
        raise CborError("not in canonical form")
    return value


def _head(major: int, argument: int) -> bytes:
    """The shortest head of an item (RFC 8949 3)."""
    if argument < min(_WIDTHS):
        return bytes([major << 5 | argument])
    info, width = next(row for row in _WIDTHS.items() if argument < 1 << 8 * row[1])
    return bytes([major << 5 | info]) + argument.to_bytes(width, "big")


def _count(value: object, depth: int) -> int:
    """How many items a value has; refuses types that we do not write, and cycles by their depth.

    Exact types: a subclass (an enum, a named tuple) would come back as something else.
    """
    kind = type(value)
    if isinstance(value, int) and kind in (int, bool):
        if value not in _INT:
            raise CborError("an integer of more than 64 bits")
        return 1
    if value is None or kind in (bytes, str):
        return 1
    if depth == 0:
        raise CborError(f"deeper than {MAX_DEPTH}")
    if isinstance(value, list) and kind is list:
        return 1 + sum(_count(item, depth - 1) for item in value)
    if isinstance(value, dict) and kind is dict:
        if any(type(key) is not str for key in value):
            raise CborError("a key that is not text")
        return 1 + sum(1 + _count(item, depth - 1) for item in value.values())
    raise CborError(f"{kind.__name__} is not a type of our records")


def _walk(data: bytes, max_depth: int, max_items: int) -> None:
    """Checks shape and limits without building anything."""
    open_levels = [[1, False]]  # items still to come, and whether every other one is a key
    at = items = 0
    while open_levels:
        level = open_levels[-1]
        if level[0] == 0:
            open_levels.pop()
            continue
        is_key = level[1] and level[0] % 2 == 0
        level[0] -= 1
        items += 1
        if items > max_items:
            raise CborError(f"more than {max_items} items")
        major, argument, at = _read_head(data, at)
        if is_key and major != _TEXT:
            raise CborError("a key that is not text")
        if major in (_BYTES, _TEXT):
            at += argument
        elif major in (_ARRAY, _MAP):
            if len(open_levels) > max_depth:
                raise CborError(f"deeper than {max_depth}")
            open_levels.append([argument * (2 if major == _MAP else 1), major == _MAP])
    if at != len(data):
        raise CborError("shorter than it says" if at > len(data) else "bytes after the end")


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument and where the content starts; only the majors and forms we write."""
    if at >= len(data):
        raise CborError("shorter than it says")
    major, argument = data[at] >> 5, data[at] & 31
    at += 1
    if major == _TAG or (major == _OTHER and argument not in _SIMPLE):
        raise CborError("a tag, a float or a simple value")
    if argument >= min(_WIDTHS):
        if argument not in _WIDTHS:
            raise CborError("an indefinite or reserved length")
        end = at + _WIDTHS[argument]
        argument, at = int.from_bytes(data[at:end], "big"), end
    return major, argument, at
