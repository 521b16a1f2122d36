"""The named tuples of the agent beside those of the standard library: one contract."""

import pickle
import re
import typing
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from hal import named

ROOMS = ("agent", "hal", "platforms")
C = TypeVar("C")


class Standard(typing.NamedTuple):
    """A point as the standard library makes it."""

    x: int
    y: int = 2
    label: str = "here"

    @property
    def sum(self) -> int:
        return self.x + self.y


class Ours(named.NamedTuple):
    """The same point."""

    x: int
    y: int = 2
    label: str = "here"

    @property
    def sum(self) -> int:
        return self.x + self.y


class Heir(Ours):
    """It has the fields of its base, and a method more."""

    def twice(self) -> int:
        return 2 * self.x


class Box(named.NamedTuple, Generic[C]):
    content: C
    lid: bool = True


@pytest.fixture(params=[Standard, Ours], ids=["typing", "hal"])
def point(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_values_come_by_place_by_name_and_by_default(point: Any) -> None:
    assert point(1) == point(1, 2) == point(x=1) == point(1, label="here") == (1, 2, "here")
    made = point(7, label="there")
    assert (made.x, made.y, made.label, made.sum) == (7, 2, "there", 9)


@pytest.mark.parametrize(
    ("values", "names"),
    [((), {}), ((), {"y": 1}), ((1, 2, "a", 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1})],
    ids=["nothing", "one is missing", "too many", "given twice", "unknown"],
)
def test_what_does_not_fit_is_a_type_error(point: Any, values: Any, names: Any) -> None:
    with pytest.raises(TypeError):
        point(*values, **names)


def test_replace_makes_another(point: Any) -> None:
    first = point(1)
    assert first._replace(y=5) == (1, 5, "here")
    assert first.y == 2
    assert type(first._replace(y=5)) is point
    with pytest.raises((TypeError, ValueError)):
        first._replace(z=1)


def test_its_fields_can_be_listed(point: Any) -> None:
    assert point._fields == point.__match_args__ == ("x", "y", "label")
    assert point._field_defaults == {"y": 2, "label": "here"}
    assert point(1)._asdict() == {"x": 1, "y": 2, "label": "here"}
    assert point._make([1, 2, "here"]) == point(1)
    assert repr(point(1)) == f"{point.__name__}(x=1, y=2, label='here')"


def test_it_is_a_tuple_and_nothing_else(point: Any) -> None:
    made = point(1)
    assert isinstance(made, tuple)
    assert hash(made) == hash((1, 2, "here"))
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(AttributeError):
        made.x = 3
    with pytest.raises(AttributeError):
        made.z = 3
    x, y, label = made
    assert (x, y, label) == made
    match made:
        case point(first, label=text):
            assert (first, text) == (1, "here")
        case _:
            pytest.fail("the pattern does not fit")


def test_a_derived_class_has_the_fields_of_its_base() -> None:
    made = Heir(3)._replace(y=9)
    assert (type(made), made.twice(), made) == (Heir, 6, (3, 9, "here"))
    with pytest.raises(AttributeError):
        made.other = 1  # type: ignore[attr-defined]


def test_a_generic_one() -> None:
    assert Box[int](1) == Box(1) == (1, True)


def test_the_product_has_no_other() -> None:
    """Each class of `typing.NamedTuple` would cost the agent 3.8 KiB more."""
    root = Path(__file__).parents[2]
    other = re.compile(r"^from (typing|collections) import .*\b(NamedTuple|namedtuple)\b", re.M)
    wrong = [
        str(path.relative_to(root))
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
        if other.search(path.read_text())
    ]
    assert wrong == []
