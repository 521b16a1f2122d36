"""The tables of a TOML file, for an agent that keeps nothing of the library for it.

A child reads them: `tomllib`, with `typing`, `datetime` and their like, is 0.9 MiB of memory. What
comes back is our own CBOR. A value that has no place there (a date, a float, a number of more than
64 bits) is None: no table of ours has one.
"""

from __future__ import annotations

from hal import cbor
from hal.annotations import Any
from hal.apart import apart

_NUMBERS = range(-(1 << 64), 1 << 64)  # that CBOR has


class TomlError(ValueError):
    """It is no TOML, or more than a file of ours holds."""


def tables(text: str) -> dict[str, Any]:
    """The tables of a text. Raises TomlError, and OSError where there is no room for a child."""
    answer = apart(lambda: _answer(text))
    if not answer:
        raise TomlError("its reader has ended")
    found: Any = cbor.loads(answer, max_bytes=len(answer))
    if "error" in found:
        raise TomlError(found["error"])
    return dict(found["tables"])


def _answer(text: str) -> bytes:
    import tomllib

    try:
        return cbor.dumps({"tables": _plain(tomllib.loads(text))})
    except (ValueError, RecursionError) as error:
        return cbor.dumps({"error": str(error)})


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    plain = isinstance(value, str) or (isinstance(value, int) and value in _NUMBERS)
    return value if plain else None
