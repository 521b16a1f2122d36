"""`NamedTuple` of the standard library, without what it repeats in every class.

`typing.NamedTuple` compiles a constructor for each class and gives it six functions, their cells,
names and docstrings of its own: 5.8 KiB before the first instance. The agent has some 130 of them,
and the 0.5 MiB more than they need are there for ten years. Here the classes share one function
each, at 2 KiB a class; a construction by position costs the same, one by name twice as much.

To the type checker this is `typing.NamedTuple` itself. What is not here is what nobody uses:
`rename`, the functional syntax, and the check that no field begins with an underscore.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from _collections import _tuplegetter

    _ROOT = "NamedTuple"

    class _Fields(type):
        """Makes the annotated names of a direct subclass its fields; others inherit theirs."""

        def __new__(meta, name, bases, names):
            """The class; it has no `__dict__`, as every named tuple."""
            names.setdefault("__slots__", ())
            made = super().__new__(meta, name, bases, names)
            if not bases or bases[0].__name__ != _ROOT:
                return made
            fields = tuple(made.__annotations__)
            made._fields = made.__match_args__ = fields
            made._field_defaults = {field: names[field] for field in fields if field in names}
            for place, field in enumerate(fields):
                setattr(made, field, _tuplegetter(place, None))
            return made

    class _Shared(tuple):
        """The methods of `collections.namedtuple`, for classes of any fields."""

        __slots__ = ()

        def __new__(cls, *values, **named):
            """TypeError: a field is missing, given twice, or not one of this class."""
            fields = cls._fields
            if named or len(values) < len(fields):
                given = {**cls._field_defaults, **named}
                left = fields[len(values) :]
                try:
                    values += tuple([given[field] for field in left])
                except KeyError as missing:
                    raise TypeError(f"{cls.__name__}() misses {missing}") from None
                if not named.keys() <= set(left):
                    wrong = ", ".join(sorted(named.keys() - set(left)))
                    raise TypeError(f"{cls.__name__}() does not take {wrong}")
            if len(values) > len(fields):
                raise TypeError(f"{cls.__name__}() takes {len(fields)} values, not {len(values)}")
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _replace(self, **named):
            return type(self)(**{**self._asdict(), **named})

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    class NamedTuple(_Shared, metaclass=_Fields):
        """The base of a class whose annotated names are the fields of a tuple."""
