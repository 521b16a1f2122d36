"""What may come next in a line: for `?`, and for TAB. Reads the same tables as the parser.

What TAB completes is what Enter would understand of the same word cut short, and what `?` lists is
what the word may become. A line that fits nowhere is a GrammarError, as when it is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent import limits
from agent.console.language.grammar import (
    TOO_MANY,
    UNRECOGNIZED,
    GrammarError,
    Matcher,
    Option,
    Slot,
    Token,
    Word,
    may_end,
)
from hal.annotations import TypeVar

ENTER = "<cr>"  # how help writes that the line may end here

C = TypeVar("C")
Names = Callable[[str], Iterable[str]]  # of a kind of things, those that are there


NO_NAMES: Names = lambda _kind: ()  # noqa: E731


def next_words(table: list[Option[C]], line: str, names: Names = NO_NAMES) -> list[tuple[str, str]]:
    """What `?` shows at the end of `line`: (word or range, help), parameters first, then the names
    that they may take, `<cr>` last.

    After a space all that may come; glued to a word what completes it. Raises GrammarError when
    the words before do not fit, or when nothing does.
    """
    matcher, part, glued = _reached(table, line)
    prefix = part.text.lower()
    found: dict[str, str] = {}
    for terminal, _ in matcher.options:
        if isinstance(terminal, Word) and terminal.text.startswith(prefix) and not part.quoted:
            found[terminal.text] = terminal.help
    keywords = sorted(found.items())
    known = _listed(_named(matcher, part, names))
    if glued and keywords:
        return known + keywords
    slots = [terminal for terminal, _ in matcher.options if isinstance(terminal, Slot)]
    labels = list(dict.fromkeys((slot.kind.label, slot.kind.help) for slot in slots))
    shown = labels + known + keywords
    if not glued and any(may_end(branch.rest) for branch in matcher.branches):
        shown.append((ENTER, ""))
    if not shown:
        kind = UNRECOGNIZED if matcher.options else TOO_MANY
        raise GrammarError(kind, part.column, "", matcher.secret)
    return shown


def completions(table: list[Option[C]], line: str, names: Names = NO_NAMES) -> list[str]:
    """The keywords and names that the last word of `line` begins; none after a space, or in
    quotation marks. A whole name is itself, whatever else begins with it.

    Raises GrammarError as `next_words` does.
    """
    if not line or line[-1].isspace():
        return []
    shown = next_words(table, line)
    matcher, part, _glued = _reached(table, line)
    prefix = part.text.lower()
    known = _named(matcher, part, names)
    whole = [name for name in known if name.lower() == prefix]
    return [word for word, _ in shown if not part.quoted and word.startswith(prefix)] + (
        whole or known
    )


def _reached(table: list[Option[C]], line: str) -> tuple[Matcher[C], Token, bool]:
    """Where the last word of a line stands, that word, and whether the line ends in it."""
    matcher = Matcher(table, line)
    ends_in_word = bool(line) and not line[-1].isspace()
    while len(matcher.words) > (1 if ends_in_word else 0):
        matcher.advance()
    glued = ends_in_word and bool(matcher.words)  # a parameter may have taken the rest of the line
    return matcher, matcher.words.pop() if glued else Token("", len(line), False), glued


def _named(matcher: Matcher[C], part: Token, names: Names) -> list[str]:
    """What is there and may stand here: names that the word begins."""
    if part.quoted:
        return []
    kinds = {
        terminal.kind.names
        for terminal, _ in matcher.options
        if isinstance(terminal, Slot) and terminal.kind.names
    }
    prefix = part.text.lower()
    found = (name for kind in kinds for name in names(kind))
    return sorted({name for name in found if name.lower().startswith(prefix)})


def _listed(found: list[str]) -> list[tuple[str, str]]:
    """Names for a person: as many as leave room for the rest of the help, and how many more."""
    shown = [(name, "") for name in found[: limits.NAMES_LISTED]]
    more = len(found) - len(shown)
    return [*shown, ("...", f"{more} more: type their first letters")] if more else shown


def is_text(table: list[Option[C]], line: str) -> bool:
    """Whether what comes next is text, and `?` no call for help.

    So it is behind a quotation mark that is still open, and in a secret that was begun, which
    must not lose a character because somebody was shown help instead.
    """
    matcher = Matcher(table, line)
    if any(word.text.startswith('"') and not word.quoted for word in matcher.words):
        return True
    if not line or line[-1].isspace():
        return False
    try:
        while len(matcher.words) > 1:
            matcher.advance()
    except GrammarError:
        return False
    return bool(matcher.words) and matcher.awaits_secret()
