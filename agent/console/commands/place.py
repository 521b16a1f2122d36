"""Where an operator stands: a view, what that configures, and what may be typed there.

Other sessions configure the same device. What a view configures may go at any time, so it is asked
for again after each question and each task, and never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.appliance import Appliance
from agent.console.commands import names
from agent.console.commands.table import Command, header_of, table
from agent.console.language.grammar import AMBIGUOUS, GrammarError, Match, match
from agent.console.language.hints import NO_NAMES, Names, completions, is_text, next_words
from agent.console.language.views import REALM, SYSTEM, USER, View, prompt, record_of
from agent.errors import fail
from agent.settings import fold
from hal.annotations import Any, TypeVar

T = TypeVar("T")


class Place:
    """A view of a device, for somebody of a level."""

    def __init__(self, device: Appliance, level: int, kind: str) -> None:
        self.device, self.level = device, level
        self.view = View(kind)

    def enter(self, kind: str, name: str = "") -> None:
        self.view = View(kind, name)

    def leave(self) -> bool:
        """One view up; False: there is none above this one."""
        if self.view.kind == USER:
            return False
        self.enter(USER if self.view.kind == SYSTEM else SYSTEM)
        return True

    def record(self, kind: str) -> Any:
        """What the view configures: Settings, Realm or Entity; an error when it has gone."""
        name = self.view.name
        view = self.view if kind == self.view.kind else View(kind, name)
        found = record_of(self.device.settings, view)
        if found is None:
            gone = fail("realm-unknown", realm=name)
            raise gone if kind == REALM else fail("entity-unknown", name=name)
        return found

    def block(self, view: View | None = None) -> str:
        """The folded line that opens a view's block in a configuration; "" where none does."""
        view = view or self.view
        record = record_of(self.device.settings, view)
        return "" if record is None else fold(header_of(view.kind, record))

    def prompt(self) -> str:
        return prompt(self.device.settings, self.view)

    def understand(self, text: str) -> Match[Command]:
        """The command of a line, and the view that it belongs to is entered."""
        found, self.view = understand(self._here(), self.level, text)
        return found

    def help_on(self, text: str) -> list[tuple[str, str]]:
        """What may follow a line: words with their help; a GrammarError when nothing does."""
        return help_on(self._here(), self.level, text, self._names)

    def completed(self, text: str, pasted: bool = False) -> list[str]:
        """The keywords and names that TAB may complete. In what is `pasted` a tab must not make
        another name of one."""
        return completed(self._here(), self.level, text, NO_NAMES if pasted else self._names)

    def _names(self, kind: str) -> Iterable[str]:
        return names.there(self.device, kind)

    def is_typed_text(self, text: str) -> bool:
        """Whether a `?` behind this is no call for help."""
        return is_typed_text(self._here(), self.level, text)

    def _here(self) -> View:
        """The view, or the system view above it when what it configured has gone."""
        if record_of(self.device.settings, self.view) is None:
            self.enter(SYSTEM)
        return self.view


# -- what a line means in a view -------------------------------------------------------------------


def understand(view: View, level: int, text: str) -> tuple[Match[Command], View]:
    """What a line means, and in which view: this one, or the system view above it, as in VRP."""
    return _here_or_above(view, lambda here: (match(table(here.kind, level), text), here))


def help_on(view: View, level: int, text: str, there: Names = NO_NAMES) -> list[tuple[str, str]]:
    """What `?` lists: of this view, or where it knows nothing, of the system view above it."""
    return _here_or_above(view, lambda here: next_words(table(here.kind, level), text, there))


def completed(view: View, level: int, text: str, there: Names = NO_NAMES) -> list[str]:
    """The keywords and names that TAB may complete, in the same order of views."""
    try:
        return _here_or_above(view, lambda here: completions(table(here.kind, level), text, there))
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
