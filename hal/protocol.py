"""`Protocol` of the standard library, without what only a type checker reads.

A method of a protocol is never called; still each has a function, its code, names and strings, and
each class the tables of `abc`. The agent has some 20 protocols of 170 methods, which would lie in
memory for ten years. Here the body of a protocol is dropped at run time: what is left is its name.

To the type checker this is `typing.Protocol` itself. So a class that implements a protocol names it
in an annotation or inherits nothing from it, and `isinstance` cannot ask for one.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol as Protocol
else:

    class _Dropped(type):
        """Makes classes without the names of their bodies."""

        def __new__(meta, name, bases, names):
            """The class with its module and its docstring."""
            kept = ("__module__", "__qualname__", "__doc__")
            return super().__new__(meta, name, bases, {key: names.get(key) for key in kept})

    class Protocol(metaclass=_Dropped):
        """The base of a protocol."""
