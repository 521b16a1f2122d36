"""Commands about the saved configuration: writing it, showing it, comparing it, forgetting it."""

from typing import TYPE_CHECKING

from agent.console.commands import access
from agent.console.commands.rows import DISPLAY_LEVEL, SECRET_LEVEL, Row
from agent.console.displays import board, saved
from agent.console.language.blocks import difference, settings_of
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, USER
from agent.errors import fail

if TYPE_CHECKING:
    from agent.console.session.session import Session


def save(session: "Session", _args: Args) -> None:
    configuration = session.device.configuration
    lost, closed = configuration.lost(), configuration.closed()
    if lost:
        access.refuse_to_open(session)

    def answered(yes: bool) -> None:
        if yes:
            configuration.save()
            session.info("The configuration was saved.")

    more = f" It replaces for ever what is left: {lost}." if lost else ""
    if lost and closed:
        more += " The serial lines, which let nobody in now, are open to all then."
    session.question(
        f"The current configuration will be written to the device.{more} Continue?", answered
    )


def reset(session: "Session", args: Args) -> None:
    if "unapplied" in args:
        _reset_unapplied(session)
        return

    def answered(yes: bool) -> None:
        if yes:
            session.device.configuration.reset()
            session.info("No configuration is saved now. The running one is not touched.")

    if not session.device.configuration.lost():
        _saved_lines(session)
    session.question(
        "The saved configuration will be erased: the next start is that of a new device. Continue?",
        answered,
    )


def _reset_unapplied(session: "Session") -> None:
    settings = session.device.settings
    count = len(settings.unapplied)

    def answered(yes: bool) -> None:
        if yes:
            settings.unapplied.clear()
            session.info("They are forgotten for good once you type `save`.")

    if count:
        session.question(f"Lines that do not apply: {count}. Forget them?", answered)
    else:
        session.info("All of the configuration applies.")


def show_saved(session: "Session", _args: Args) -> None:
    session.show(board.configuration(_saved_lines(session)))


def show_unapplied(session: "Session", _args: Args) -> None:
    session.show(saved.unapplied(session.device.settings.unapplied))


def compare(session: "Session", _args: Args) -> None:
    running = session.device.configuration.running().splitlines()
    changes = difference(_saved_lines(session), running)
    session.show(saved.changes([session.concealed(change) for change in changes]))


def _saved_lines(session: "Session") -> list[str]:
    """What can be read of it; AgentError when that is nothing."""
    configuration = session.device.configuration
    text, lost = configuration.saved(), configuration.lost()
    if lost and not list(settings_of((text or "").splitlines())):
        raise fail("saved-lost", what=lost)
    if text is None:
        raise fail("nothing-saved")
    if lost:
        session.warn(f"This is what is left of it: {lost}.")
    return text.splitlines()


_WORDS = {"unapplied": "Lines of it that do not apply now, and why"}

ROWS = (
    Row("save", (USER,), save),
    Row(
        "reset saved-configuration [ unapplied ]", (USER,), reset, words=_WORDS, level=SECRET_LEVEL
    ),
    Row(
        "display saved-configuration",
        EVERYWHERE,
        show_saved,
        level=DISPLAY_LEVEL,
        shows=board.CONFIGURATION,
    ),
    Row(
        "display saved-configuration unapplied",
        EVERYWHERE,
        show_unapplied,
        words=_WORDS,
        level=DISPLAY_LEVEL,
        shows=saved.UNAPPLIED,
    ),
    Row("compare configuration", (USER,), compare, level=DISPLAY_LEVEL, shows=saved.CHANGE),
)
