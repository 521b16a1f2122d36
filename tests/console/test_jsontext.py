"""JSON as the standard library writes it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.displays.jsontext import json_text

TEXT = st.text(st.characters(), max_size=30)  # lone surrogates too
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXT, inner, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_it_is_what_the_library_writes(value: object) -> None:
    assert json_text(value) == json.dumps(value)


def test_each_character_of_the_first_planes() -> None:
    for start in range(0, 0x20000, 0x1000):
        text = "".join(map(chr, range(start, start + 0x1000)))
        assert json_text(text) == json.dumps(text)


def test_a_tuple_is_a_list() -> None:
    assert json_text({"a": ("b", 1)}) == '{"a": ["b", 1]}'


@pytest.mark.parametrize(
    "value", [1.5, b"a", {1}, object(), [b"a"], {"a": 1.5}], ids=lambda value: type(value).__name__
)
def test_nothing_else_is_shown(value: object) -> None:
    with pytest.raises(TypeError, match="nothing that a display shows"):
        json_text(value)
