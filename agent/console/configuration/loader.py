"""Reading a configuration's text. It never stops at a bad line: one line less is not no device.

Fault model. The text was saved by an older release, or by hand, or for another device: words that
are unknown now, entities that are gone. Every other line takes effect, and each bad
one is given back with its block and its reason, so that it can be shown, kept and tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent import limits
from agent.appliance import Appliance, Done
from agent.console.commands.keyuse import KeysOfText
from agent.console.commands.lines import masked, masked_error, suspected
from agent.console.commands.place import Place
from agent.console.commands.rows import SECRET_LEVEL
from agent.console.commands.table import Command, table
from agent.console.configuration.needs import Needs
from agent.console.language.blocks import is_comment
from agent.console.language.grammar import GrammarError, Match
from agent.console.language.paths import Paths
from agent.console.language.views import SYSTEM, View, record_of
from agent.errors import AgentError, fail
from agent.pieces import Pieces, at_once
from agent.settings import Unapplied, fold
from hal.annotations import Any, NoReturn
from hal.named import NamedTuple

PIECE_LINES = 16
IN_REFUSED = "the line that opens its block does not apply"


class BadLine(NamedTuple):
    """A line that does not apply: its number from 1, and what is kept of it."""

    number: int
    line: Unapplied


class Loader:
    """The operator of a text (`agent.console.commands.operator.Operator`): nobody.

    Nothing is told, asked, started or undone. Without `needs` no task can run: a sealed password
    is taken unopened, one in plain is refused, and no line makes a key pair. `paths`, by kinds of
    view, outlive it.
    """

    level = SECRET_LEVEL
    terminal = wants_json = False
    seat = None
    history = ()

    def __init__(
        self,
        device: Appliance,
        needs: Needs | None,
        paths: dict[str, Paths[Command]] | None = None,
    ) -> None:
        self.device, self._needs = device, needs
        self._paths = {} if paths is None else paths
        self._place = Place(device, self.level, SYSTEM)
        self.keys = KeysOfText(device, needs.keys if needs else None)
        self.enter, self.record = self._place.enter, self._place.record

    def load(self, line: str) -> Unapplied | None:
        """Runs a line; what is kept of one that does not apply."""
        view, secret = self._place.view, None
        try:
            if len(line) > limits.LINE_CHARACTERS:
                line = suspected(line[: limits.LINE_CHARACTERS], None)
                raise fail("line-too-long", cap=limits.LINE_CHARACTERS)
            found = self._understand(line)
            secret = found.secret
            if not found.command.loads:
                self._act()
            found.command.check(self, found.args)
            found.command.handler(self, found.args)
        except GrammarError as error:
            why = f"{error.kind}: {error.reason}" if error.reason else error.kind
            return Unapplied(self._place.block(view), masked_error(line, error).strip(), why)
        except AgentError as error:
            return Unapplied(self._place.block(view), masked(line, secret).strip(), error.what)
        return None

    def _understand(self, line: str) -> Match[Command]:
        kind = self._place.view.kind
        if kind not in self._paths:
            self._paths[kind] = Paths(table(kind, self.level))
        return self._paths[kind].match(line) or self._place.understand(line)

    # -- what a setting may ask of its operator ----------------------------------------------------

    @property
    def view(self) -> View:
        return self._place.view

    def leave(self) -> None:
        self._place.leave()

    def former(self) -> Any:
        settings = self._needs.running if self._needs else self.device.settings
        return record_of(settings, self.view)

    def protect(
        self,
        _label: str,
        begin: Callable[[Done[Any]], int],
        keep: Callable[[object], None],
        untried: Callable[[], None],
    ) -> None:
        if self._needs:
            self._needs.take(begin, keep)
        else:
            untried()

    def _pass(self, _said: object) -> None:
        """Nobody reads it, and a text is taken whatever it says."""

    line = info = warn = remark = refuse = _pass

    def _act(self, *_arguments: object, **_options: object) -> NoReturn:
        raise fail("load-action")

    ask = question = start = show = set_terminal = concealed = _act


def load_configuration(
    device: Appliance, text: str, needs: Needs | None = None, first: int = 1
) -> list[BadLine]:
    """Runs the lines of a configuration against the settings of a device; gives the bad ones.

    Nothing is asked, started, undone or saved, and `device.changed` is not called. `first` is the
    number of the first line.
    """
    return at_once(loading(device, text.splitlines, needs, first))


def loading(
    device: Appliance,
    lines: Callable[[], Iterable[str]],
    needs: Needs | None = None,
    first: int = 1,
) -> Pieces[list[BadLine]]:
    """The same in pieces of some lines. `lines` gives them each time that it is called, and they
    need not be a list."""
    paths: dict[str, Paths[Command]] = {}
    bad = yield from _read(Loader(device, needs, paths), enumerate(lines(), first), needs)
    # What a line refers to may come behind it: then the second time will do.
    if bad or needs:
        bad = yield from _read(Loader(device, needs, paths), enumerate(lines(), first), needs)
    return bad


def _read(
    loader: Loader, lines: Iterable[tuple[int, str]], needs: Needs | None
) -> Pieces[list[BadLine]]:
    bad: list[BadLine] = []
    refused = ""
    for number, line in lines:
        if number % PIECE_LINES == 0:
            yield
        if not line.startswith(" "):
            loader.enter(SYSTEM)
            refused = ""
        if not line.strip() or is_comment(line):
            continue
        if needs:
            needs.line = number
            if len(bad) >= limits.APPLY_BAD_LINES:
                break
        found = _refused(line, refused) if refused else loader.load(line)
        if found:
            bad.append(BadLine(number, found))
            refused = refused if line.startswith(" ") else fold(found.text)
    return bad


def _refused(line: str, block: str) -> Unapplied:
    """A child of a block that nobody can open must not fall upon the system view."""
    return Unapplied(block, suspected(line, None).strip(), IN_REFUSED)
