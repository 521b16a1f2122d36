"""Names of `typing` for the type checker: at run time they cost nothing and stand in no way."""

import subprocess
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hal import annotations
from hal.annotations import Any, Final, Generic, Literal, NoReturn, TypeGuard, TypeVar
from hal.named import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
C = TypeVar("C")
T = TypeVar("T", bound=tuple[object, ...])
Done = Callable[[C | int], None]
Item = Mapping[str, Any]
Target = int | Literal["none"]
Guard = TypeGuard[int]


class Pair(NamedTuple, Generic[C]):
    left: C
    right: int = 2


class Step(Generic[C]):
    __slots__ = ("known",)

    def __init__(self, known: C) -> None:
        self.known = known


def test_each_name_is_one_of_typing() -> None:
    names = [name for name in vars(annotations) if name[0].isupper() and name != "TYPE_CHECKING"]
    assert {"Any", "Generic", "TypeVar"} <= set(names) <= set(typing.__all__)


def test_a_generic_class_is_what_it_is_without_it() -> None:
    assert Pair("a") == ("a", 2)
    assert Pair(left=1, right=3)._replace(left=2) == (2, 3)
    assert Step(1).known == 1
    for one in (Pair(1), Step(1)):
        assert not hasattr(one, "__dict__")
    with pytest.raises(AttributeError):
        Step(1).other = 1


def test_they_may_stand_in_types() -> None:
    assert Item.__args__[0] is str
    assert isinstance(1, Target)
    assert Final is NoReturn is Guard  # one class for all


def test_an_alias_with_a_variable_takes_a_type() -> None:
    assert Done[str].__args__ == (str, None)
    assert Callable[[T], int][bytes].__args__ == (bytes, int)
    assert (int | C) is (C | int) is C


def test_nothing_of_typing_is_loaded() -> None:
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; import hal.annotations, hal.named"
    code += "; import hal.protocol; print('typing' in sys.modules)"
    words = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
