"""What a line means in a view, and what of it may be shown: by the command table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from agent.console.commands.rows import SECRET_LEVEL
from agent.console.commands.table import Command, table
from agent.console.language.grammar import (
    AMBIGUOUS,
    INCOMPLETE,
    TOO_MANY,
    UNRECOGNIZED,
    WRONG,
    GrammarError,
    Match,
    match,
)
from agent.console.language.hints import completions, is_text, next_words
from agent.console.language.parameters import MASK, is_sealed
from agent.console.language.views import AAA, CONSOLE, ENTITY, REALM, SYSTEM, USER, View

# What a line that nobody understands may hold a password behind: `password` and `cipher`, cut short
# or misspelt, or joined with what follows them.
_SUSPECT = re.compile(r"\b(pa|pas\w*|cip?|ciph\w*)\s+(?=\S)|(password|cipher)(?=\S)", re.IGNORECASE)
_ABBREVIATED = re.compile("pa|ci", re.IGNORECASE)  # how they begin when they are cut short
T = TypeVar("T")

_ENTRANCES = {
    USER: "return",
    SYSTEM: "system-view",
    REALM: "pki realm NAME",
    ENTITY: "pki entity NAME",
    CONSOLE: "user-interface console 0",
    AAA: "aaa",
}


def understand(view: View, level: int, text: str) -> tuple[Match[Command], View]:
    """What a line means, and in which view: this one, or the system view above it, as in VRP."""
    return _here_or_above(view, lambda here: (match(table(here.kind, level), text), here))


def help_on(view: View, level: int, text: str) -> list[tuple[str, str]]:
    """What `?` lists: of this view, or where it knows nothing, of the system view above it."""
    return _here_or_above(view, lambda here: next_words(table(here.kind, level), text))


def completed(view: View, level: int, text: str) -> list[str]:
    """The keywords that TAB may complete, in the same order of views."""
    try:
        return _here_or_above(view, lambda here: completions(table(here.kind, level), text))
    except GrammarError:
        return []


def is_typed_text(view: View, level: int, text: str) -> bool:
    """Whether a `?` behind `text` is a character of it."""
    above = (View(SYSTEM),) if view.is_below_system else ()
    return any(is_text(table(here.kind, level), text) for here in (view, *above))


def _here_or_above(view: View, look: Callable[[View], T]) -> T:
    """Asks a view, then the system view if it stands above.

    When neither knows it, the error of the view that understood more of it is raised.
    """
    try:
        return look(view)
    except GrammarError as error:
        if not view.is_below_system or error.kind == AMBIGUOUS:
            raise
        try:
            return look(View(SYSTEM))
        except GrammarError as other:
            raise (other if other.column > error.column else error) from None


def where_else(level: int, text: str, error: GrammarError) -> str:
    """How to get to the view whose command an unrecognized line is; "" when there is none."""
    if error.kind != UNRECOGNIZED or text[: error.column].strip():
        return ""
    for kind, entrance in _ENTRANCES.items():
        try:
            match(table(kind, level), text)
        except GrammarError:
            continue
        return f"this is a command of the {kind} view: type `{entrance}` first"
    return ""


def level_needed(level: int, text: str, error: GrammarError) -> int | None:
    """The level of a command that only higher ones may type; None when there is none."""
    if error.kind not in (UNRECOGNIZED, TOO_MANY):
        return None
    for enough in range(level, SECRET_LEVEL + 1):
        for kind in _ENTRANCES:
            try:
                match(table(kind, enough), text)
            except GrammarError as other:
                if other.kind not in (INCOMPLETE, WRONG):
                    continue
            return enough if enough > level else None
    return None


# -- what may be shown ----------------------------------------------------------------------------


def _secret_in(kind: str, text: str) -> int | None:
    """The column from which a line holds a secret, read as a command of some view."""
    try:
        return match(table(kind, SECRET_LEVEL), text).secret
    except GrammarError as error:
        return error.secret


def _secret_column(text: str, secret: int | None) -> int | None:
    columns = [secret, *(_secret_in(kind, text) for kind in _ENTRANCES)]
    return min((column for column in columns if column is not None), default=None)


def masked(text: str, secret: int | None, joined: int | None = None) -> str:
    """A line as it may be kept and shown: without the password from column `secret` on.

    From column `joined` on, words may have been joined: a password is no word of its own then.
    """
    if joined is not None and _ABBREVIATED.search(text, joined):
        return text[:joined] + MASK
    if secret is None or is_sealed(text[secret:].strip()):
        return text
    return text[:secret] + MASK


def concealed(text: str) -> str:
    """A line of a configuration without its password, sealed or not."""
    column = _secret_column(text, None)
    return text if column is None else text[:column] + MASK


def masked_error(text: str, error: GrammarError, joined: int | None = None) -> str:
    """The same as `masked` of a line that was not understood, which may hold a password too.

    It may be a command of another view, or of a higher level than that of the session. Its words
    may have been `joined` from some column on.
    """
    shown = suspected(text, error.secret)
    return shown if joined is None or len(shown) <= joined else shown[:joined] + MASK


def suspected(text: str, secret: int | None) -> str:
    """The same of any line, whatever view and level it may be for."""
    column = _secret_column(text, secret)
    if column is not None:
        return masked(text, column)
    suspect = _SUSPECT.search(text)
    return text[: suspect.end()] + MASK if suspect else text
