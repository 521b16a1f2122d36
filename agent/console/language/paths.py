"""A short way to what a line means: the steps of the grammar, remembered from line to line.

`grammar.match` compares each word of a line with all that may come. A configuration has thousands
of lines and some dozen kinds of them, so `Paths` remembers for each word behind which others what
may follow it, and asks the grammar for that once. What a line means is the same. There is no short
way for a word that is abbreviated, in quotation marks or wrong: then the caller asks the grammar.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.console.language.grammar import (
    Args,
    Branch,
    C,
    Match,
    Option,
    Slot,
    Value,
    Word,
    may_end,
    openings,
)
from hal.annotations import Generic

_LINES = 64  # many realms have some dozen lines in common, each among few others

Values = dict[int, Value]  # of one word, by the places of the parameters that take it


class Step(Generic[C]):
    """What may follow the words so far: keywords, or `slots` at their places among the options.

    `command` is that of a line that ends here; `said` has for each of its words the key, and the
    place of the parameter that has taken it. `secret`: a parameter that may follow is one.
    """

    __slots__ = ("_behind", "_options", "_words", "command", "known", "said", "secret", "slots")

    def __init__(self, options: list[Option[C]], branches: list[Branch[C]]) -> None:
        self._options = options
        self._behind: dict[tuple[int, ...], Step[C]] = {}
        self.known: dict[str, Step[C]] = {}  # behind keywords that were met already
        self.slots: list[tuple[int, Slot]] = []
        self._words: dict[str, list[int]] = {}
        for place, (terminal, _) in enumerate(options):
            if isinstance(terminal, Slot):
                self.slots.append((place, terminal))
            else:
                self._words.setdefault(terminal.text, []).append(place)
        self.secret = any(slot.kind.secret for _, slot in self.slots)
        ends = [branch for branch in branches if may_end(branch.rest)]
        self.command = ends[0].command if ends else None
        said = ends[0].said if ends else ()
        self.said = [(key, place) for key, place in said if isinstance(place, int)]

    def keyword(self, text: str) -> Step[C] | None:
        """Behind a keyword; None when it is none that may come here."""
        step = self.known.get(text)
        if step is None and text in self._words:
            step = self.known[text] = self._after(self._words[text])
        return step

    def behind(self, fits: tuple[int, ...]) -> Step[C]:
        """Behind a word that the parameters at these places take."""
        step = self._behind.get(fits)
        if step is None:
            step = self._behind[fits] = self._after(fits)
        return step

    def _after(self, fits: Iterable[int]) -> Step[C]:
        kept = []
        for place in fits:
            terminal, branch = self._options[place]
            key = terminal.text if isinstance(terminal, Word) else terminal.key
            kept.append(branch._replace(said=(*branch.said, (key, place))))
        return Step(openings(kept), kept)


class Paths(Generic[C]):
    """What was learnt of a table (`grammar.openings`). Equal texts share one object."""

    def __init__(self, table: list[Option[C]]) -> None:
        self._start = Step(table, [])
        self._texts: dict[str, str] = {}
        self._lines: dict[str, Match[C]] = {}  # of late, without a secret in them

    def match(self, line: str) -> Match[C] | None:
        """As `grammar.match`, or None: ask that."""
        found = self._lines.get(line) or self._match(line)
        if found and found.secret is None:
            if len(self._lines) >= _LINES:
                self._lines.clear()
            self._lines[line] = found
        return found

    def _match(self, line: str) -> Match[C] | None:
        if '"' in line:
            return None
        step, words = self._start, line.split()
        secret: int | None = None
        values: list[Values] = []
        for number, word in enumerate(words):
            if step.secret and secret is None:
                secret = len(line) - len(line.split(None, number)[-1])
            taken = _NONE
            following = step.known.get(word) or step.keyword(word.lower())
            if following is None:
                taken = self._read(step, word, is_last=number + 1 == len(words))
                if not taken:
                    return None
                following = step.behind(tuple(taken))
            step = following
            values.append(taken)
        if step.command is None:
            return None
        args = Args()
        for (key, place), taken in zip(step.said, values, strict=True):
            args[key] = taken[place] if taken else True
        return Match(step.command, args, secret)

    def _read(self, step: Step[C], word: str, is_last: bool) -> Values:
        """What a word is to each parameter that takes it; nothing where one takes more words."""
        taken: Values = {}
        for place, slot in step.slots:
            if slot.kind.rest and not is_last:
                return {}
            try:
                value = slot.kind.read(word)
            except ValueError:
                continue
            if isinstance(value, str) and not step.secret:
                value = self._texts.setdefault(value, value)
            taken[place] = value
        return taken


_NONE: Values = {}
