"""Our codec beside a library: the same bytes, and nothing that the two read in different ways."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.cbor import CborError, dumps, loads
from tests.hal.test_cbor import VALUES


def is_ours(value: object, data: bytes) -> bool:
    """Whether the library's value is one that we would have written as these bytes."""
    try:
        return dumps(value) == data
    except CborError:
        return False


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_the_same_bytes(value: object) -> None:
    data = dumps(value)
    assert data == cbor2.dumps(value, canonical=True)
    assert cbor2.loads(data) == value


def agree(data: bytes) -> None:
    """These bytes are refused, or read as the library reads them."""
    try:
        value = loads(data, max_bytes=1 << 20)
    except CborError:
        try:
            theirs = cbor2.loads(data)
        except Exception:  # of unrelated families
            return
        assert not is_ours(theirs, data)
    else:
        assert cbor2.loads(data) == value


@settings(max_examples=400, deadline=None)
@given(st.binary(min_size=1, max_size=12))
def test_any_bytes(data: bytes) -> None:
    agree(data)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_any_damage(value: object, data: st.DataObject) -> None:
    encoded = bytearray(dumps(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    agree(bytes(encoded))


def test_types_of_the_library_are_refused() -> None:
    with pytest.raises(CborError):
        dumps(cbor2.CBORTag(1, 1))
