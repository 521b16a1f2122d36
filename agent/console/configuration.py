"""Reading a configuration's text. It never stops at a bad line: one line less is not no device.

Fault model. The text was saved by an older release, or by hand, or for another device: words that
are unknown now, key pairs and entities that are gone. Every other line takes effect, and each bad
one is given back with its reason, so that it can be shown and kept.
"""

from agent.console.appliance import Appliance
from agent.console.commands.rows import SECRET_LEVEL, SYSTEM
from agent.console.grammar import GrammarError
from agent.console.session import Session
from agent.console.views import masked, masked_error
from agent.errors import AgentError, fail

BadLine = tuple[int, str, str]  # its number from 1, its text without passwords, what is wrong


def load_configuration(device: Appliance, text: str) -> list[BadLine]:
    """Runs the lines of a configuration against the settings of a device; gives the bad ones.

    Nothing is asked, started, undone or saved, and `device.changed` is not called. A sealed
    password is taken unopened; one in plain is a bad line.
    """
    session = Session(device, _discard, None, level=SECRET_LEVEL, terminal=False, loading=True)
    bad: list[BadLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        reason = _load_line(session, line)
        if reason:
            bad.append((number, *reason))
    return bad


def _load_line(session: Session, line: str) -> tuple[str, str] | None:
    if not line.startswith(" "):
        session.enter(SYSTEM)  # the children of a refused block fall on nothing
    if not line.strip():
        return None
    secret = None
    try:
        found = session.understand(line)
        secret = found.secret
        if not found.command.loads:
            raise fail("load-action")
        session.execute(found)
    except GrammarError as error:
        return masked_error(line, error), f"{error}: {error.reason}" if error.reason else str(error)
    except AgentError as error:
        return masked(line, secret), error.what
    finally:
        session.flush()
    return None


def _discard(_data: bytes) -> None:
    """Nobody reads what a command says while it is loaded."""
