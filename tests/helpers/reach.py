"""The marks that a test earns by what its code can reach, so that nobody has to think of them.

A test reaches what it names, what its fixtures name, and what the functions and classes of the
tests among these name in turn. Values that a test only gets as parameters are not followed.
"""

import inspect
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

# What starts processes -> the mark of a test that reaches it or a subclass of it.
STARTERS = {
    "tests.helpers.board.Agent": "lab",
    "tests.helpers.labca.LabCa": "lab",
    "tests.helpers.daemon.Daemon": "peers",
    "tests.helpers.jscep.JscepCa": "peers",
}


def earned(functions: Iterable[Callable[..., Any]]) -> set[str]:
    """The marks of a test that is made of these functions: its own and those of its fixtures."""
    return {mark for function in functions for mark in _marks(function)}


@cache
def _marks(function: Callable[..., Any]) -> frozenset[str]:
    seen, waiting = {function}, [function]
    while waiting:
        new = _below(waiting.pop()) - seen
        seen |= new
        waiting += new
    return frozenset(STARTERS[name] for name in map(_name, seen) if name in STARTERS)


@cache
def _below(thing: Any) -> frozenset[Any]:
    """The functions and classes of the tests that one of them names; a starter is the end."""
    if _name(thing) in STARTERS:
        return frozenset()
    return frozenset(one for one in _named(thing) if _name(one).startswith("tests."))


def _name(thing: Any) -> str:
    """The path of a function or a class; empty for a value."""
    name = getattr(thing, "__qualname__", "")
    return f"{getattr(thing, '__module__', '')}.{name}" if name else ""


def _named(thing: Any) -> Iterator[Any]:
    """What a class or a function of the tests names: bases and members, or globals."""
    if isinstance(thing, type):
        yield from (*thing.__bases__, *vars(thing).values())
        return
    thing = inspect.unwrap(getattr(thing, "fget", getattr(thing, "__func__", thing)))
    names = _names(thing.__code__) if isinstance(thing, types.FunctionType) else set()
    for value in map(thing.__globals__.get, names) if names else ():
        yield value
        if isinstance(value, types.ModuleType):  # `netns.NetNs`: both are names of the code
            yield from map(vars(value).get, names)


def _names(code: types.CodeType) -> set[str]:
    """The names in a piece of code and in the functions inside it."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
