"""What a session holds: everything that can be reached from it, in bytes, but what it shares."""

import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

# Characters take up to 4 bytes: the line, its draft, ten lines of history, and room for the rest.
MOST_BYTES = 96 * 1024
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType)


def held(root: object, shared: tuple[object, ...]) -> int:
    """Bytes of `root` and of all that it refers to; not what is shared with other sessions."""
    seen = {id(one) for one in shared}
    todo, total = [root], 0
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, _SHARED):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        todo += _parts(one)
    return total


def _parts(one: object) -> list[object]:
    if isinstance(one, dict):
        return [*one.keys(), *one.values()]
    if isinstance(one, list | tuple | set | frozenset):
        return list(one)
    if isinstance(one, MethodType):
        return [one.__self__]
    found: list[object] = list(vars(one).values()) if hasattr(one, "__dict__") else []
    return found + [
        getattr(one, name)
        for kind in type(one).__mro__
        for name in getattr(kind, "__slots__", ())
        if hasattr(one, name)
    ]
