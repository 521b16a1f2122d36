"""Reading a configuration's text. It never stops at a bad line: one line less is not no device.

Fault model. The text was saved by an older release, or by hand, or for another device: words that
are unknown now, key pairs and entities that are gone. Every other line takes effect, and each bad
one is given back with its block and its reason, so that it can be shown, kept and tried again.
"""

from collections.abc import Callable
from typing import Any

from agent import limits
from agent.appliance import Appliance, Done
from agent.console.commands.rows import SECRET_LEVEL, SYSTEM
from agent.console.language.blocks import is_comment
from agent.console.language.grammar import GrammarError
from agent.console.language.parameters import MASK
from agent.console.language.views import masked, masked_error, suspected
from agent.console.session.session import Session
from agent.errors import AgentError, fail
from agent.settings import Settings, Unapplied, fold
from hal.named import NamedTuple

IN_REFUSED = "the line that opens its block does not apply"


class BadLine(NamedTuple):
    """A line that does not apply: its number from 1, and what is kept of it."""

    number: int
    line: Unapplied


class Secrets:
    """The passwords in plain of a text, by the lines that hold them.

    Sealing takes a task and a text is read without waiting. So it is read once to find `tasks`,
    and once more when their results are in `ready`. `running` are the settings of the device.
    """

    def __init__(self, running: Settings) -> None:
        self.running = running
        self.line = 0
        self.tasks: dict[int, Callable[[Done[Any]], int]] = {}
        self.ready: dict[int, object] = {}

    def take(self, begin: Callable[[Done[Any]], int], keep: Callable[[object], None]) -> None:
        """A password of the line that is read: `keep` gets what `begin` came to, or a mask."""
        self.tasks[self.line] = begin
        keep(self.ready.get(self.line, MASK))


def load_configuration(
    device: Appliance, text: str, secrets: Secrets | None = None
) -> list[BadLine]:
    """Runs the lines of a configuration against the settings of a device; gives the bad ones.

    Nothing is asked, started, undone or saved, and `device.changed` is not called. Without
    `secrets` a sealed password is taken unopened, and one in plain is a bad line.
    """
    lines = text.splitlines()
    bad = _read(device, lines, secrets)
    # What a line refers to may come behind it: then the second time will do.
    return _read(device, lines, secrets) if bad or secrets else bad


def _read(device: Appliance, lines: list[str], secrets: Secrets | None) -> list[BadLine]:
    session = Session(device, _discard, None, level=SECRET_LEVEL, terminal=False, loading=True)
    session.secrets = secrets
    bad: list[BadLine] = []
    refused = ""
    for number, line in enumerate(lines, 1):
        if not line.startswith(" "):
            session.enter(SYSTEM)
            refused = ""
        if not line.strip() or is_comment(line):
            continue
        if secrets:
            secrets.line = number
            if len(bad) >= limits.APPLY_BAD_LINES:
                break
        found = _refused(line, refused) if refused else _load_line(session, line)
        if found:
            bad.append(BadLine(number, found))
            refused = refused if line.startswith(" ") else fold(found.text)
    return bad


def _load_line(session: Session, line: str) -> Unapplied | None:
    block = session.block()
    secret = None
    try:
        if len(line) > limits.LINE_CHARACTERS:
            line = suspected(line[: limits.LINE_CHARACTERS], None)
            raise fail("line-too-long", cap=limits.LINE_CHARACTERS)
        found = session.understand(line)
        secret = found.secret
        if not found.command.loads:
            raise fail("load-action")
        session.execute(found)
    except GrammarError as error:
        why = f"{error.kind}: {error.reason}" if error.reason else error.kind
        return Unapplied(block, masked_error(line, error).strip(), why)
    except AgentError as error:
        return Unapplied(block, masked(line, secret).strip(), error.what)
    finally:
        session.flush()
    return None


def _refused(line: str, block: str) -> Unapplied:
    """A child of a block that nobody can open must not fall upon the system view."""
    return Unapplied(block, suspected(line, None).strip(), IN_REFUSED)


def _discard(_data: bytes) -> None:
    """Nobody reads what a command says while it is loaded."""
