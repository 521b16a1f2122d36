"""Names of `typing` that only a type checker reads, without `typing`.

That module is 0.6 MiB of an idle agent, with what it loads itself. At run time these names stand
for one empty class, which may be a base and takes any subscript; and a type variable for whatever
an alias that holds it is given.

To the type checker they are those of `typing`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import Final as Final
    from typing import Generic as Generic
    from typing import Literal as Literal
    from typing import NoReturn as NoReturn
    from typing import TypeGuard as TypeGuard
    from typing import TypeVar as TypeVar
else:

    class _Unread:
        """Stands for a type."""

        __slots__ = ()

        def __class_getitem__(cls, _parameters):
            return cls

    class TypeVar:
        """What `types.GenericAlias` takes for a type variable, alone or in a union."""

        __slots__ = ()

        def __init__(self, _name, **_bound):
            pass

        def __or__(self, _other):
            return self

        __ror__ = __or__

        def __typing_subst__(self, given):
            return given

    Any = Final = Generic = Literal = NoReturn = TypeGuard = _Unread
