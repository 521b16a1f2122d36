"""Bounded and canonical CBOR: what the store, the job channel and device records are made of.

Fault model. The bytes may be rotten flash or an answer of a child that parsed a hostile CA. So
only the few types are read that we write, each in its one canonical encoding (RFC 8949 4.2.1):
shortest heads, keys in the order of their bytes, none twice. Size, depth and number of items have
limits, and a container that promises more items than there are bytes is refused before one of them
is made. Whatever is wrong, the caller gets `CborError` and nothing else.

A library reads more than this (tags, floats, dates, cycles), and is 0.9 MiB of an idle agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hal.annotations import Any

MAX_DEPTH = 8  # containers inside each other; our deepest record has 4
MAX_ITEMS = 10_000  # of one value, keys counted; a realm with 16 certificates has below 100
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)  # RFC 8949 3.1
_SIMPLE = {20: False, 21: True, 22: None}
_ENCODED = {value: bytes([_OTHER << 5 | number]) for number, value in _SIMPLE.items()}
_INLINE = 24  # an argument below it stands in the first byte
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of a long argument; 28 to 31 are refused
_LEAST = {24: _INLINE, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}  # what needs them


class CborError(ValueError):
    """Not a value that we would have written, or larger than the reader allows."""


# -- writing ---------------------------------------------------------------------------------------


def dumps(value: object) -> bytes:
    """The canonical encoding of int (64 bit), bytes, str, list, dict with str keys, bool, None.

    Raises CborError for any other type and above MAX_DEPTH or MAX_ITEMS.
    """
    items: list[bytes] = []
    _write(value, MAX_DEPTH, items)
    _limit(len(items), MAX_ITEMS)  # of a list that is open, later ones were not there yet
    return b"".join(items)


def join(entries: Mapping[str, bytes]) -> bytes:
    """The canonical map of keys and of values that are encoded already."""
    pairs = sorted((_text(key), value) for key, value in entries.items())
    return _head(_MAP, len(pairs)) + b"".join(key + value for key, value in pairs)


def head_bytes(argument: int) -> int:
    """The bytes of the head of an item, for an argument of 32 bits."""
    if argument < _INLINE:
        return 1
    return 2 if argument < 1 << 8 else 3 if argument < 1 << 16 else 5


def string_bytes(length: int) -> int:
    """The bytes of a text or byte string of that length, with its head."""
    return head_bytes(length) + length


def _write(value: object, depth: int, items: list[bytes]) -> None:
    """Appends each item of a value; a container is one with its head alone.

    By exact types: a subclass (an enum, a named tuple) would come back as something else.
    """
    write = _WRITE.get(type(value))
    if write is None:
        raise CborError(f"{type(value).__name__} is not a type of our records")
    write(value, depth, items)


def _write_simple(value: bool | None, _depth: int, items: list[bytes]) -> None:
    items.append(_ENCODED[value])


def _write_int(value: int, _depth: int, items: list[bytes]) -> None:
    items.append(_head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value))


def _write_bytes(value: bytes, _depth: int, items: list[bytes]) -> None:
    items.append(_head(_BYTES, len(value)) + value)


def _write_text(value: str, _depth: int, items: list[bytes]) -> None:
    items.append(_text(value))


def _write_list(value: list[object], depth: int, items: list[bytes]) -> None:
    _open(_head(_ARRAY, len(value)), len(value), depth, items)
    for item in value:
        _write(item, depth - 1, items)


def _write_map(value: dict[object, object], depth: int, items: list[bytes]) -> None:
    _open(_head(_MAP, len(value)), 2 * len(value), depth, items)
    for encoded, key in sorted((_key(key), key) for key in value):
        items.append(encoded)
        _write(value[key], depth - 1, items)


_WRITE: dict[type, Callable[[Any, int, list[bytes]], None]] = {
    str: _write_text,
    bytes: _write_bytes,
    int: _write_int,
    bool: _write_simple,
    type(None): _write_simple,
    list: _write_list,
    dict: _write_map,
}


def _open(head: bytes, count: int, depth: int, items: list[bytes]) -> None:
    """The head of a container, behind which so many items come."""
    if depth == 0:
        raise CborError(f"deeper than {MAX_DEPTH}")
    items.append(head)
    _limit(len(items) + count, MAX_ITEMS)


def _key(key: object) -> bytes:
    if type(key) is not str:
        raise CborError("a key that is not text")
    return _text(key)


def _text(value: str) -> bytes:
    try:
        content = value.encode()
    except UnicodeEncodeError as error:
        raise CborError(f"cannot be encoded: {error}") from error
    return _head(_TEXT, len(content)) + content


def _head(major: int, argument: int) -> bytes:
    """The shortest head of an item (RFC 8949 3)."""
    if argument < _INLINE:
        return bytes((major << 5 | argument,))
    for info, width in _WIDTHS.items():
        if argument < 1 << 8 * width:
            return bytes((major << 5 | info,)) + argument.to_bytes(width, "big")
    raise CborError("an integer of more than 64 bits")


def _limit(count: int, most: int) -> None:
    if count > most:
        raise CborError(f"more than {most} items")


# -- reading ---------------------------------------------------------------------------------------


def loads(
    data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> object:
    """The value of one complete canonical item; a fresh object. Raises CborError."""
    if len(data) > max_bytes:
        raise CborError(f"{len(data)} bytes, at most {max_bytes} are allowed")
    reader = _Reader(data, max_depth, max_items)
    try:
        value = reader.item(max_depth)
    except UnicodeDecodeError as error:
        raise CborError(f"cannot be decoded: {error}") from error
    if reader.at != len(data):
        raise CborError("bytes after the end")
    return value


class _Reader:
    """The bytes of a value, and where in them the next item begins."""

    __slots__ = ("_data", "_items", "_max_depth", "_max_items", "at")

    def __init__(self, data: bytes, max_depth: int, max_items: int) -> None:
        self._data, self._max_depth, self._max_items = data, max_depth, max_items
        self._items, self.at = 1, 0

    def item(self, depth: int) -> object:
        """The next item; `depth` containers may still be inside each other."""
        major, argument = self._head()
        if major == _BYTES:
            return self._content(argument)
        if major == _TEXT:
            return self._content(argument).decode()
        if major == _UNSIGNED:
            return argument
        if major == _NEGATIVE:
            return -1 - argument
        if major == _OTHER:
            return _SIMPLE[argument]
        if depth == 0:
            raise CborError(f"deeper than {self._max_depth}")
        return self._list(argument, depth) if major == _ARRAY else self._map(argument, depth)

    def _list(self, count: int, depth: int) -> list[object]:
        self._promised(count)
        return [self.item(depth - 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[str, object]:
        self._promised(2 * count)
        found: dict[str, object] = {}
        before = b""
        for _ in range(count):
            start = self.at
            major, length = self._head()
            if major != _TEXT:
                raise CborError("a key that is not text")
            key = self._content(length).decode()
            encoded = self._data[start : self.at]
            if encoded <= before:
                raise CborError("keys that are not in canonical form")
            before = encoded
            found[key] = self.item(depth - 1)
        return found

    def _promised(self, count: int) -> None:
        """That many items follow: each has one byte at least."""
        if count > len(self._data) - self.at:
            raise CborError("shorter than it says")
        self._items += count
        _limit(self._items, self._max_items)

    def _content(self, length: int) -> bytes:
        start, self.at = self.at, self.at + length
        if self.at > len(self._data):
            raise CborError("shorter than it says")
        return self._data[start : self.at]

    def _head(self) -> tuple[int, int]:
        """Major type and argument of the next item; only the majors and forms that we write."""
        data, at = self._data, self.at
        if at >= len(data):
            raise CborError("shorter than it says")
        major, argument = data[at] >> 5, data[at] & 31
        self.at = at + 1
        if major == _TAG or (major == _OTHER and argument not in _SIMPLE):
            raise CborError("a tag, a float or a simple value")
        if argument >= _INLINE:
            argument = self._argument(argument)
        return major, argument

    def _argument(self, info: int) -> int:
        if info not in _WIDTHS:
            raise CborError("an indefinite or reserved length")
        argument = int.from_bytes(self._content(_WIDTHS[info]), "big")
        if argument < _LEAST[info]:
            raise CborError("a length or a number that is not in canonical form")
        return argument
