"""Keys in memory and values on the part: found, replaced, read with their own CRC."""

import binascii
import random

from hal.fakes.flash import READ_ERROR, FakeFlash
from hal.log_records import Place, entry_bytes
from hal.log_values import UNREADABLE, Values


def part(**values: bytes) -> tuple[FakeFlash, Values]:
    """Values one after the other on a part, behind some bytes of something else."""
    flash, at = FakeFlash(256, 4), 100
    state = Values(flash)
    for key, value in values.items():
        flash.program(at, value)
        state.put({key: Place(at, len(value), binascii.crc32(value))})
        at += len(value)
    return flash, state


def test_a_value_is_read_from_the_part() -> None:
    _flash, values = part(b=b"second", a=b"first", empty=b"")
    assert [(key, values.read(key)) for key in values] == [
        ("a", b"first"),
        ("b", b"second"),
        ("empty", b""),
    ]
    assert dict(values) == {"a": 5, "b": 6, "empty": 0}
    assert values.read("c") is None
    assert "c" not in values
    assert 1 not in values
    assert values.get("c") is None


def test_a_value_that_is_held_is_not_read() -> None:
    flash, values = part(a=b"first")
    values.put({"a": b"held", "b": b"too"})
    flash.close()
    assert [values.read(key) for key in "ab"] == [b"held", b"too"]
    values.put({"a": None})
    assert (values.read("a"), list(values)) == (None, ["b"])


def test_a_value_that_is_not_as_it_was_is_lost_once_and_its_key_stays() -> None:
    flash, values = part(a=b"first", b=b"second")
    lost: list[tuple[str, str]] = []
    values.on_lost = lambda key, why: lost.append((key, why))
    flash.flip(flash.image().index(b"first"), 1)
    assert values.read("a") == UNREADABLE
    flash.flip(flash.image().index(b"irst") - 1, 1)
    assert values.read("a") == UNREADABLE, "who was told so need not ask again"
    assert (values.read("b"), dict(values)) == (b"second", {"a": 0, "b": 6})
    flash.spoil(0, READ_ERROR)
    assert values.read("b") == UNREADABLE
    assert lost == [("a", "it is not as it was written"), ("b", f"{READ_ERROR} in block 0")]
    values.put({"a": b"anew"})
    assert values.read("a") == b"anew"


def test_a_value_that_nobody_hears_of_is_lost_all_the_same() -> None:
    flash, values = part(a=b"first")
    flash.flip(100, 1)
    assert values.read("a") == UNREADABLE


def test_keys_are_sorted_and_their_bytes_are_counted() -> None:
    chosen, model = random.Random(5), dict[str, bytes]()
    values = Values(FakeFlash(256, 4))
    for _ in range(300):
        keys = chosen.sample([f"room/{number}" for number in range(40)] + ["a", "z", "\u00e4"], 5)
        changes: dict[str, Place | bytes | None] = {}
        for key in keys:
            value = chosen.randbytes(chosen.randrange(40))
            changes[key] = chosen.choice([value, None])
        values.put(changes)
        model = {
            key: value for key, value in {**model, **changes}.items() if isinstance(value, bytes)
        }
        assert list(values) == values.beginning("") == sorted(model)
        assert values.beginning("room/3") == [key for key in sorted(model) if key[:6] == "room/3"]
        assert {key: values.read(key) for key in values} == model
        assert len(values) == len(model)
        sizes = (entry_bytes(key, len(value)) for key, value in model.items())
        assert values.used_bytes == sum(sizes)


def test_another_state_is_taken_whole() -> None:
    flash, values = part(a=b"first")
    other = Values(flash)
    other.put({"b": b"held"})
    values.take(other)
    assert (dict(values), values.used_bytes) == (dict(other), other.used_bytes)
    assert values.read("b") == b"held"
