"""Lines that nobody understands here, and what of a line may be shown: by the command table."""

from __future__ import annotations

import re

from agent.console.commands.rows import SECRET_LEVEL
from agent.console.commands.table import table
from agent.console.language.grammar import (
    INCOMPLETE,
    TOO_MANY,
    UNRECOGNIZED,
    WRONG,
    GrammarError,
    match,
)
from agent.console.language.passwords import MASK, is_sealed
from agent.console.language.views import AAA, CONSOLE, ENTITY, REALM, SYSTEM, USER
from agent.settings import fold

# What a line that nobody understands may hold a password behind: `password` and `cipher`, cut short
# or misspelt, or joined with what follows them.
_SUSPECT = re.compile(r"\b(pa|pas\w*|cip?|ciph\w*)\s+(?=\S)|(password|cipher)(?=\S)", re.IGNORECASE)
_ABBREVIATED = re.compile("pa|ci", re.IGNORECASE)  # how they begin when they are cut short

BEFORE_SECRETS = ("password", "cipher", "irreversible-cipher")

_ENTRANCES = {
    USER: "return",
    SYSTEM: "system-view",
    REALM: "pki realm NAME",
    ENTITY: "pki entity NAME",
    CONSOLE: "user-interface console 0",
    AAA: "aaa",
}


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


def in_order(level: int, text: str, error: GrammarError) -> str:
    """The notation of a command, one of whose optional words stands behind another that must follow
    it; "" when it is none."""
    words = fold(text[error.column :]).split()
    before = fold(text[: error.column]).split()
    for command in error.begun:
        notation = command.row.notation_at(level) or ""
        left = [one for one in notation.split() if one.islower() and one not in before]
        if words and any(one.startswith(words[0]) for one in left):
            return f"the words of this command have an order: {notation}"
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


def _may_hold_one(text: str) -> bool:
    """Whether a word stands there, perhaps cut short, behind which any secret stands: a thousand
    realms have ten thousand lines without one, and to read each in all views takes a minute."""
    words = (word.strip('"') for word in fold(text).split())
    return any(word and known.startswith(word) for word in words for known in BEFORE_SECRETS)


def _secret_column(text: str, secret: int | None) -> int | None:
    if not _may_hold_one(text):
        return secret
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
