"""VRP notation: from the text of a command row to matching, help, completion and caret errors.

`enrollment-url [ esc ] URL [ interval M ] [ times N ] [ ra ]` is both the documentation of a
command and its parser. Lower-case words are keywords, upper-case words are parameters that the row
gives a type to; `{ a | b }` is one of them, `[ a ]` none or one, a `*` behind either any subset in
any order, each at most once.

A notation is compiled into a sequence of items. `steps` says which words may come next and what
remains to be matched after each of them: that one function is the parser, the help, the completion
and the source of the tests. Many rows are matched side by side; a row drops out at the first word
that it does not accept.

Fault model. A line comes from a person, a script or a noisy serial line: any characters, any
length up to the caller's cap. Whatever it holds, the answer is a match or a `GrammarError`; the
work is bounded by words times rows. An error text never repeats a word of the line, since the word
may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from hal.annotations import Any, Generic, TypeVar
from hal.named import NamedTuple

UNRECOGNIZED = "Unrecognized command"
INCOMPLETE = "Incomplete command"
AMBIGUOUS = "Ambiguous command"
WRONG = "Wrong parameter"
TOO_MANY = "Too many parameters"

Value = str | int | bool | tuple[str, ...]


class Args(dict[str, Value]):
    """What a line said: a keyword is its own key, a parameter has the key of the notation."""

    def text(self, key: str) -> str:
        return str(self[key])

    def number(self, key: str, default: int) -> int:
        value = self.get(key, default)
        return value if isinstance(value, int) else default

    def chosen(self, words: Iterable[str]) -> tuple[str, ...]:
        """Those of the keywords that were typed, in the order of the table, not of the line."""
        return tuple(word for word in words if word in self)


class Parameter(NamedTuple):
    """A type: `label` as help shows it; `read` gives the value or a ValueError with the reason.

    `example` is a word that it takes. `low` and `high` are the ends of its range, in its own unit:
    a number, characters or digits; without a range both are None. A `secret` is masked in the
    history. `rest` takes the remainder of the line, spaces included. `names` is the kind of things
    that are there and whose name it takes, or "".
    """

    label: str
    help: str
    read: Callable[[str], Value]
    secret: bool = False
    rest: bool = False
    example: str = "abc"
    low: int | None = None
    high: int | None = None
    names: str = ""


class Word(NamedTuple):
    """A keyword, lower case."""

    text: str
    help: str


class Slot(NamedTuple):
    """A parameter at its place in a notation."""

    key: str
    kind: Parameter


class Group(NamedTuple):
    """`{ }`, or `[ ]` when optional; with `many` the other branches may follow."""

    branches: tuple[Sequence, ...]
    optional: bool
    many: bool = False


Terminal = Word | Slot
Item = Word | Slot | Group
Sequence = tuple[Item, ...]


class GrammarError(Exception):
    """One of the five parser errors: kind, column of the caret in the line, reason if known.

    `secret` is the column from which the line must not be shown, or None. `begun`: the commands
    that fit up to there.
    """

    def __init__(self, kind: str, column: int, reason: str = "", secret: int | None = None) -> None:
        super().__init__(f"{kind} found at '^' position")
        self.kind, self.column, self.reason, self.secret = kind, column, reason, secret
        self.begun: list[Any] = []


class Token(NamedTuple):
    """A word of a line: its text without quotation marks, and where it starts."""

    text: str
    column: int
    quoted: bool


C = TypeVar("C")


class Branch(NamedTuple, Generic[C]):
    """A row that still fits the words so far: what may follow, and what was said."""

    command: C
    rest: Sequence
    said: tuple[tuple[str, Value], ...] = ()


class Match(NamedTuple, Generic[C]):
    """A whole line understood. `secret` as in GrammarError."""

    command: C
    args: Args
    secret: int | None


Option = tuple[Terminal, Branch[C]]


# -- notation --------------------------------------------------------------------------------------


def compile_notation(
    notation: str, parameters: Mapping[str, Parameter], words: Mapping[str, str]
) -> Sequence:
    """The sequence of a notation; a parameter or a help text that is missing is a KeyError."""
    symbols = notation.split()
    symbols.reverse()  # so that the next one is popped from the end
    sequence = _read_sequence(symbols, parameters, words)
    if symbols:
        raise ValueError(f"unbalanced notation: {notation}")
    return sequence


def _read_sequence(
    symbols: list[str], parameters: Mapping[str, Parameter], words: Mapping[str, str]
) -> Sequence:
    items: list[Item] = []
    while symbols and symbols[-1] not in ("|", "}", "]"):
        symbol = symbols.pop()
        if symbol in ("{", "["):
            items.append(_read_group(symbol, symbols, parameters, words))
        elif symbol.isupper():
            items.append(Slot(symbol, parameters[symbol]))
        else:
            items.append(Word(symbol, words[symbol]))
    return tuple(items)


def _read_group(
    opening: str,
    symbols: list[str],
    parameters: Mapping[str, Parameter],
    words: Mapping[str, str],
) -> Group:
    closing = "}" if opening == "{" else "]"
    branches = [_read_sequence(symbols, parameters, words)]
    while symbols and symbols[-1] == "|":
        symbols.pop()
        branches.append(_read_sequence(symbols, parameters, words))
    if not symbols or symbols.pop() != closing:
        raise ValueError(f"a group lacks its {closing}")
    many = bool(symbols) and symbols[-1] == "*"
    if many:
        symbols.pop()
    return Group(tuple(branches), opening == "[", many)


def steps(sequence: Sequence) -> Iterator[tuple[Terminal, Sequence]]:
    """Every word or parameter that may come next, each with the sequence that remains after it."""
    for position, item in enumerate(sequence):
        rest = sequence[position + 1 :]
        if not isinstance(item, Group):
            yield item, rest
            return
        for chosen, branch in enumerate(item.branches):
            others = item.branches[:chosen] + item.branches[chosen + 1 :]
            again: Sequence = (Group(others, True, True),) if item.many and others else ()
            for terminal, tail in steps(branch):
                yield terminal, tail + again + rest
        if not item.optional:
            return


def may_end(sequence: Sequence) -> bool:
    """Whether the line may end here."""
    return all(isinstance(item, Group) and item.optional for item in sequence)


# -- lines -----------------------------------------------------------------------------------------

# A quotation mark opens only at the start of a word, so that `12"` needs no escape.
_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"(?=\s|$)|(?P<plain>\S+)')


def tokens(line: str) -> list[Token]:
    """The words of a line. Spaces separate; a word in quotation marks may hold them."""
    found = []
    for match in _TOKEN.finditer(line):
        quoted = match["quoted"]
        text = match["plain"] if quoted is None else quoted
        found.append(Token(text, match.start(), quoted is not None))
    return found


def quote(value: str) -> str:
    """A value as a line must hold it to be read back."""
    return f'"{value}"' if not value or " " in value else value


def match(table: list[Option[C]], line: str) -> Match[C]:
    """The command that a line means. `table` is made by `openings`."""
    matcher = Matcher(table, line)
    while matcher.words:
        matcher.advance()
    finished = [branch for branch in matcher.branches if may_end(branch.rest)]
    if not finished:
        raise GrammarError(INCOMPLETE, len(line.rstrip()) + 1, "", matcher.secret)
    return Match(finished[0].command, Args(finished[0].said), matcher.secret)


def openings(branches: Iterable[Branch[C]]) -> list[Option[C]]:
    """What may come next over many rows; of whole rows, the table that a view is made of."""
    return [
        (terminal, branch._replace(rest=rest))
        for branch in branches
        for terminal, rest in steps(branch.rest)
    ]


class Matcher(Generic[C]):
    """Walks a line through a table, one word at a time."""

    __slots__ = ("branches", "line", "options", "secret", "words")

    def __init__(self, table: list[Option[C]], line: str) -> None:
        self.line = line
        self.options = table
        self.branches: list[Branch[C]] = []
        self.words = tokens(line)
        self.words.reverse()  # the next one is popped from the end
        self.secret: int | None = None

    def advance(self) -> None:
        """Takes the next word, or raises what is wrong with it."""
        word = self.words.pop()
        if self.awaits_secret():
            self.secret = word.column if self.secret is None else self.secret
        kept = self._keywords(word) or self._values(word) or self._prefixes(word)
        if not kept:
            error = self._refusal(word)
            error.begun = [branch.command for branch in self.branches]
            raise error
        self.branches = kept
        self.options = openings(kept)

    def awaits_secret(self) -> bool:
        return any(
            isinstance(terminal, Slot) and terminal.kind.secret for terminal, _ in self.options
        )

    def _keywords(self, word: Token) -> list[Branch[C]]:
        """An exact keyword wins over a parameter: `json` is the keyword, `"json"` the name."""
        if word.quoted:
            return []
        text = word.text.lower()
        return [
            branch._replace(said=(*branch.said, (text, True)))
            for terminal, branch in self.options
            if isinstance(terminal, Word) and terminal.text == text
        ]

    def _values(self, word: Token) -> list[Branch[C]]:
        """A parameter wins over a prefix, so that a new keyword never captures an old name."""
        kept = []
        for terminal, branch in self.options:
            if isinstance(terminal, Slot):
                try:
                    value = terminal.kind.read(self._text(word, terminal.kind))
                except ValueError:
                    continue
                kept.append(branch._replace(said=(*branch.said, (terminal.key, value))))
                if terminal.kind.rest:
                    self.words.clear()
        return kept

    def _text(self, word: Token, kind: Parameter) -> str:
        """What a parameter reads: the word, or the line from there on."""
        alone = not kind.rest or (word.quoted and not self.words)
        return word.text if alone else self.line[word.column :].rstrip()

    def _prefixes(self, word: Token) -> list[Branch[C]]:
        if word.quoted:
            return []
        text = word.text.lower()
        found: dict[str, list[Branch[C]]] = {}
        for terminal, branch in self.options:
            if isinstance(terminal, Word) and terminal.text.startswith(text):
                said = (*branch.said, (terminal.text, True))
                found.setdefault(terminal.text, []).append(branch._replace(said=said))
        if len(found) > 1:
            choice = "`, `".join(sorted(found))
            reason = f"it may be `{choice}`: type more letters of one"
            raise GrammarError(AMBIGUOUS, word.column, reason, self.secret)
        return next(iter(found.values()), [])

    def _refusal(self, word: Token) -> GrammarError:
        kinds = [terminal.kind for terminal, _ in self.options if isinstance(terminal, Slot)]
        if not self.options:
            return GrammarError(TOO_MANY, word.column, "", self.secret)
        if not kinds:
            return GrammarError(UNRECOGNIZED, word.column, "", self.secret)
        return GrammarError(WRONG, word.column, self._reason(word, kinds), self.secret)

    def _reason(self, word: Token, kinds: list[Parameter]) -> str:
        """Why the parameters refused the word: only said when there is one answer."""
        if word.text.startswith('"') and not word.quoted:
            return "a quotation mark opens a text and none closes it"
        reasons = set()
        for kind in kinds:
            try:
                kind.read(self._text(word, kind))
            except ValueError as error:
                reasons.add(str(error))
        return reasons.pop() if len(reasons) == 1 else ""
