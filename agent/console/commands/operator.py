"""The operator, as commands see who typed them: what is asked of somebody, told, and kept.

Two are operators. A person or a script at the console (`session/person.py`) is asked, waits for
tasks and reads what is said. The reader of a configuration's text (`configuration/loader.py`) is
nobody: its lines are taken as they are, and what acts is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.appliance import Appliance, Done, Progress, Seat
from agent.console.displays.document import Document
from agent.console.language.views import View
from agent.errors import AgentError
from hal.annotations import Any
from hal.named import NamedTuple
from hal.protocol import Protocol

GOES_ON = "The work goes on without this session."


class Task(Progress, Protocol):
    """A task that an operator waits for, from its beginning to `done`."""

    @property
    def over(self) -> bool: ...  # nobody waits any more
    def done(self, result: object) -> None: ...  # the result, or an AgentError


class NewKey(NamedTuple):
    """A key pair that is to be made."""

    name: str
    bits: int
    exportable: bool


class Keys(Protocol):
    """The key pairs that are there, who uses them, and who makes one."""

    def names(self) -> frozenset[str]: ...

    def user(self, name: str, asking: str) -> str | None:
        """The first realm that is configured with a key pair, or whose records need it.

        asking: the folded name of the realm that may be configured with it as soon as this returns.
        """

    def noted(self, wanted: NewKey) -> bool:
        """Whether a text wants it, which gets it made; False: the operator makes it now."""


class Operator(Protocol):
    """Whose command it is."""

    @property
    def device(self) -> Appliance: ...
    @property
    def level(self) -> int: ...
    @property
    def view(self) -> View: ...
    @property
    def terminal(self) -> bool: ...  # a person types; not a script, and not a program
    @property
    def wants_json(self) -> bool: ...  # the command speaks to a program
    @property
    def seat(self) -> Seat | None: ...  # as others see this operator
    @property
    def history(self) -> Sequence[str]: ...  # the lines that were typed
    @property
    def keys(self) -> Keys: ...

    def enter(self, kind: str, name: str = "") -> None: ...
    def leave(self) -> None: ...  # one view up, or out

    def record(self, kind: str) -> Any:
        """What the view configures: Settings, Realm or Entity; an error when it has gone."""

    def former(self) -> Any:
        """The record of the running configuration that the view's one will replace, or None."""

    def concealed(self, line: str) -> str: ...  # of a configuration, without its password

    # -- telling

    def line(self, text: str) -> None: ...
    def info(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...

    def remark(self, look: Callable[[], None]) -> None:
        """Calls what looks for something worth a remark, if somebody would read it."""

    def refuse(self, why: AgentError) -> None:
        """Raises it to whoever types; a configuration is taken whatever it says."""

    def show(self, document: Document, *, failed: bool = False) -> None:
        """A display; `failed`: the exit status of a script tells that something is to be done."""

    # -- asking and acting

    def ask(self, prompt: str, read: Callable[[str], None], *, hidden: bool = False) -> None:
        """Gives the next line to `read`; `hidden` without echo."""

    def question(self, text: str, answered: Callable[[bool], None]) -> None:
        """Asks `Warning: TEXT [Y/N]:`; on No the person reads that nothing was done."""

    def start(
        self,
        label: str,
        begin: Callable[[Task], int],
        then: Callable[[Any], None],
        left: str = GOES_ON,
    ) -> None:
        """Waits for the task that `begin` starts; then `then(result)`. `label` "": nothing is said.

        `left` says what Ctrl+C means: `then` is not called, whatever the device does.
        """

    def protect(
        self,
        label: str,
        begin: Callable[[Done[Any]], int],
        keep: Callable[[object], None],
        untried: Callable[[], None],
        /,
    ) -> None:
        """Starts the task of a password and gives its result to `keep`.

        When the device starts, no task can run: then `untried` is called.
        """

    def set_terminal(
        self,
        *,
        lines: int | None = None,
        columns: int | None = None,
        monitor: bool | None = None,
        program: bool | None = None,
    ) -> None:
        """Until the session ends: the lines of a page, 0 for no paging; the columns of a line;
        whether log lines are shown as they come; whether a program types: no pages, and questions
        of commands are answered Y.

        What a task asks, such as whether a CA is to be trusted, is still for a person.
        """
