"""`undo` before a whole line, as tools write it: the line must be one that is configured.

A value that has changed since then is another one, and stays. The error shows both.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.console.commands.operator import Operator
from agent.console.commands.rows import Row
from agent.console.commands.words import WORDS
from agent.console.language.grammar import (
    Args,
    Branch,
    Value,
    compile_notation,
    match,
    openings,
    quote,
)
from agent.errors import AgentError, fail


def refuse_another(operator: Operator, row: Row, undone: Args) -> None:
    """AgentError `undo-unset`, `undo-other` or `undo-secret` unless a line of the row is undone.

    A password that is left out is any password.
    """
    said = Args((key, value) for key, value in undone.items() if key != "undo")
    record = operator.record(operator.view.kind)
    lines = list(row.render(record) if row.render else ()) or [row.default]
    words = compile_notation(row.notation, row.parameters, {**WORDS, **row.words})
    options = openings([Branch(row, words)])
    present = [match(options, line).args for line in lines if line]
    if not any(_is_said(row, args, said) for args in present):
        raise _refusal(row, present, said)


def _is_said(row: Row, present: Args, said: Args) -> bool:
    known, named = _plain(present), _plain(said)
    for key, kind in row.parameters.items():
        if kind.secret and key not in named:
            known.pop(key, None)
    return known == named


def _plain(args: Args) -> dict[str, Value]:
    """What was said, an interface in one spelling."""
    found = dict(args)
    if "TYPE" in found and "NUMBER" in found:
        found["INTERFACE"] = f"{found.pop('TYPE')}{found.pop('NUMBER')}"
    return found


def _refusal(row: Row, present: list[Args], said: Args) -> AgentError:
    words = _words(said)
    head = len((row.undo or "").partition(" [")[0].split())
    what = " ".join(words[:head])
    if not present:
        return fail("undo-unset", words=what)
    if any(kind.secret and key in said for key, kind in row.parameters.items()):
        return fail("undo-secret", words=what)
    nearest = max(map(_words, present), key=lambda other: _alike(other, words))
    if nearest[:head] != words[:head]:
        return fail("undo-unset", words=what)
    return fail(
        "undo-other",
        words=what,
        present=" ".join(nearest[head:]) or what,
        said=" ".join(words[head:]) or what,
    )


def _alike(one: list[str], other: list[str]) -> int:
    """With how many equal words they begin."""
    pairs = zip(one, other, strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _words(args: Mapping[str, Value]) -> list[str]:
    """The words of a line, in the order in which they were said."""
    return [key if value is True else _text(value) for key, value in args.items()]


def _text(value: Value) -> str:
    return quote(",".join(value) if isinstance(value, tuple) else str(value))
