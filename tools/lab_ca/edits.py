"""Functions from a record to a record of the same kind, and how they follow one another."""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Edit = Callable[[Any], Any]


def same(record: T) -> T:
    return record


def then(first: Edit, second: Edit) -> Edit:
    """Both, in this order."""
    if first is same:
        return second
    return first if second is same else lambda record: second(first(record))
