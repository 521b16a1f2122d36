"""Bounded, canonical CBOR: what we write comes back, everything else is a CborError."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal import cbor
from hal.cbor import MAX_DEPTH, MAX_ITEMS, CborError, dumps, join, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.binary(max_size=300),
    TEXT,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=30), st.dictionaries(TEXT, inner, max_size=30)
    ),
    max_leaves=20,
).filter(lambda value: depth(value) <= MAX_DEPTH)


def depth(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


def nested(levels: int) -> object:
    value: object = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_round_trip(value: object) -> None:
    data = dumps(value)
    again = loads(data, max_bytes=len(data))
    assert again == value
    assert dumps(again) == data


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_of_ours_or_an_error(data: bytes) -> None:
    try:
        value = loads(data, max_bytes=100)
    except CborError:
        return
    assert dumps(value) == data


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_any_damage_is_a_value_of_ours_or_an_error(value: object, data: st.DataObject) -> None:
    encoded = bytearray(dumps(value))
    position = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[position // 8] ^= 1 << position % 8
    try:
        again = loads(bytes(encoded), max_bytes=1 << 20)
    except CborError:
        return
    assert dumps(again) == encoded


@pytest.mark.parametrize(
    ("hexadecimal", "why"),
    [
        ("", "shorter"),
        ("1818ff", "after the end"),
        ("0000", "after the end"),
        ("18", "canonical|shorter"),
        ("1801", "canonical"),
        ("190018", "canonical"),
        ("1b00000000ffffffff", "canonical"),
        ("5801aa", "canonical"),
        ("9801f6", "canonical"),
        ("43aabb", "shorter"),
        ("82f6", "shorter"),
        ("a16161", "shorter"),
        ("5bffffffffffffffff", "shorter"),
        ("3800", "canonical"),
        ("7801", "canonical|shorter"),
        ("9bffffffffffffffff", "shorter"),
        ("bbffffffffffffffff", "shorter"),
        ("1c", "reserved"),
        ("5f41aaff", "indefinite"),
        ("9fff", "indefinite"),
        ("bfff", "indefinite"),
        ("ff", "simple"),
        ("a2616101616102", "canonical"),
        ("a2616201616102", "canonical"),
        ("a262616101616202", "canonical"),
        ("a10102", "not text"),
        ("a1416101", "not text"),
        ("a1806101", "not text"),
        ("c0", "tag"),
        ("c249010000000000000000", "tag"),
        ("d81c80", "tag"),
        ("f93c00", "float"),
        ("fa3f800000", "float"),
        ("fb3ff0000000000000", "float"),
        ("f7", "simple"),
        ("e0", "simple"),
        ("f820", "simple"),
        ("f814", "simple"),
        ("62c328", "decoded"),
        ("63eda080", "decoded"),
    ],
)
def test_refused(hexadecimal: str, why: str) -> None:
    with pytest.raises(CborError, match=why):
        loads(bytes.fromhex(hexadecimal), max_bytes=100)


@pytest.mark.parametrize(
    "value",
    [1.0, (1,), {1: 2}, {None: 1}, 1 << 64, -(1 << 64) - 1, "\ud800", {"\ud800": 1}, {1, 2},
     bytearray(b"a"), object(), [[1.5]], {"a": {"b": struct.Struct("B")}}],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_not_a_type_of_ours(value: object) -> None:
    with pytest.raises(CborError):
        dumps(value)


def test_subclasses_are_refused() -> None:
    class Number(int):
        pass

    class Text(str):
        __slots__ = ()

    for value in (Number(1), Text("a"), {Text("a"): 1}):
        with pytest.raises(CborError):
            dumps(value)


def test_limits_of_size_depth_and_items() -> None:
    assert loads(b"\x41a", max_bytes=2) == b"a"
    with pytest.raises(CborError, match="at most 1"):
        loads(b"\x41a", max_bytes=1)
    assert loads(dumps(nested(MAX_DEPTH)), max_bytes=99) == nested(MAX_DEPTH)
    for deep in (
        lambda: dumps(nested(MAX_DEPTH + 1)),
        lambda: loads(b"\x81" * 9 + b"\0", max_bytes=99),
    ):
        with pytest.raises(CborError, match="deeper"):
            deep()
    assert loads(b"\x81" * 9 + b"\0", max_bytes=99, max_depth=9) == nested(9)
    with pytest.raises(CborError, match="deeper"):
        loads(b"\x81" * 100_000 + b"\0", max_bytes=1 << 20)
    dumps([0] * (MAX_ITEMS - 1))
    with pytest.raises(CborError, match="items"):
        dumps([0] * MAX_ITEMS)
    assert loads(b"\x83\0\0\0", max_bytes=99, max_items=4) == [0, 0, 0]
    with pytest.raises(CborError, match="items"):
        loads(b"\x83\0\0\0", max_bytes=99, max_items=3)
    with pytest.raises(CborError, match="items"):
        loads(b"\xa2\x61a\0\x61b\0", max_bytes=99, max_items=4)


def test_a_list_that_promises_more_than_there_is_room_for_is_never_begun() -> None:
    for head in ("9a7fffffff", "ba7fffffff", "829a7fffffff"):
        with pytest.raises(CborError, match="shorter"):
            loads(bytes.fromhex(head) + bytes(100), max_bytes=200, max_items=1 << 62)


def test_items_of_all_levels_count_together() -> None:
    """Ten lists of a thousand zeros each are 10,011 items; nine of them are within the limit."""
    many, few = [[0] * 1000] * 10, [[0] * 1000] * 9
    assert loads(dumps(few), max_bytes=1 << 20) == few
    with pytest.raises(CborError, match="items"):
        dumps(many)
    data = b"\x8a" + 10 * (b"\x99\x03\xe8" + bytes(1000))
    assert loads(data, max_bytes=1 << 20, max_items=10_011) == many
    with pytest.raises(CborError, match="items"):
        loads(data, max_bytes=1 << 20, max_items=10_010)
    assert len(dumps([[0] * 8, *[0] * 9990])) == 9999 + 3
    with pytest.raises(CborError, match="items"):
        dumps([[0] * 9, *[0] * 9990])


def test_a_cycle_ends() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(CborError, match="deeper"):
        dumps(value)


def test_the_same_object_twice_is_written_twice() -> None:
    inner = [1]
    assert dumps([inner, inner]) == bytes.fromhex("8281018101")


def test_examples_of_the_standard() -> None:
    """RFC 8949 appendix A, and the key order of 4.2.1."""
    for value, hexadecimal in [
        (0, "00"), (23, "17"), (24, "1818"), (1000000, "1a000f4240"),
        (18446744073709551615, "1bffffffffffffffff"), (-1, "20"), (-1000, "3903e7"),
        (-18446744073709551616, "3bffffffffffffffff"), (False, "f4"), (None, "f6"),
        (b"\1\2\3\4", "4401020304"), ("ü", "62c3bc"), ([1, [2, 3]], "8201820203"),
        ({"b": 1, "aa": 2, "a": 3}, "a36161036162016261610 2".replace(" ", "")),
    ]:  # fmt: skip
        assert dumps(value).hex() == hexadecimal


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, SCALARS, max_size=40))
def test_join_writes_the_map_of_encoded_values(value: dict[str, object]) -> None:
    assert join({key: dumps(item) for key, item in value.items()}) == dumps(value)


def test_join_of_many() -> None:
    for number in (0, 1, 23, 24, 255, 256, 4999):
        value = {f"{key:05}": key for key in range(number)}
        assert cbor.join({key: dumps(item) for key, item in value.items()}) == dumps(value)
    assert join({f"{key}": b"\0" for key in range(70_000)})[:5] == bytes.fromhex("ba00011170")
