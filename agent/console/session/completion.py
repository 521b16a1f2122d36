"""TAB. One keyword fits, or one name of what is there: it and a space. Several: what they have in
common, then one after the other, as on VRP; Shift+TAB goes back; every other key takes what stands
there. None: a bell.

A pasted text may hold tabs and must stay what it is. At a blank, as before the first word, nothing
is done: `?` is for that. Behind a word that nothing completes, a tab with more after it is a space.
One that comes alone, as on a slow line, cannot be told from a key that was pressed: it is dropped,
and `lost` is where, since what follows is joined with that word and may be a password.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.console.terminal.drawing import DrawnLine
from agent.console.terminal.editor import Tab


class Completion:
    """TAB after TAB in one line. `offer` gives the words that a line, which may be pasted, may be
    completed with."""

    def __init__(self, line: DrawnLine, offer: Callable[[str, bool], list[str]]) -> None:
        self._line, self._offer = line, offer
        self._ring: list[str] = []
        self._at = 0
        self.lost: int | None = None  # the first column of this line where a tab was dropped
        self._left = ""  # the line as this left it; when it is another one, the ring is over

    def press(self, tab: Tab, pasted: bool = False) -> None:
        """`pasted`: more has come behind it."""
        if self._ring and tab.text == self._left:
            self._turn(tab)
            return
        words, word = self._offer(tab.text, pasted), tab.text[_start(tab.text) :]
        common = _common(words)
        self._ring = words if len(words) > 1 else []
        self._at = 0 if tab.back else -1  # the next one is the first, or the last
        if not words:
            self._line.bell()
            if word and pasted and self._line.at_end:
                self._line.insert(" ")
            elif word and self.lost is None:
                self.lost = len(tab.text)
        elif not self._ring:
            self._put(tab.text, common + ("" if self._line.at_space else " "))
        elif common.lower() == word.lower():
            self._turn(tab)
        else:
            self._put(tab.text, common)

    def reset(self) -> None:
        """The line is over."""
        self._ring, self.lost = [], None

    def _turn(self, tab: Tab) -> None:
        self._at = (self._at + (-1 if tab.back else 1)) % len(self._ring)
        self._put(tab.text, self._ring[self._at])

    def _put(self, text: str, word: str) -> None:
        """`word` in the place of the last word of `text`."""
        start = _start(text)
        self._left = text[:start] + word
        self._line.replace(start, word)


def _common(words: list[str]) -> str:
    """What all of them begin with, in any case: in their order, what the first and the last do."""
    first, last = (end(words, key=str.lower, default="") for end in (min, max))
    pairs = enumerate(zip(first.lower(), last.lower(), strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(first), len(last)))
    return first[:same]


def _start(text: str) -> int:
    return max(text.rfind(space) for space in " \t") + 1
