"""Commands about the terminal itself: its pages, its history, the log."""

from typing import TYPE_CHECKING

from agent import limits
from agent.console.commands.rows import DISPLAY_LEVEL, Row
from agent.console.displays import terminal
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, USER

if TYPE_CHECKING:
    from agent.console.session.session import Session

SCREEN = parameters.integer("Lines of the screen, 0 for no paging", *limits.SCREEN_LINES_RANGE)


def screen_length(session: "Session", args: Args) -> None:
    session.screen_lines = args.number("LINES", limits.SCREEN_LINES)


def monitor(session: "Session", _args: Args) -> None:
    session.monitor.start()
    session.info("Log lines are shown at this terminal.")


def no_monitor(session: "Session", _args: Args) -> None:
    session.monitor.stop()
    session.info("Log lines are no longer shown at this terminal.")


def show_history(session: "Session", _args: Args) -> None:
    session.show(terminal.history(list(session.editor.history)))


def show_log(session: "Session", _args: Args) -> None:
    session.show(terminal.log(session.device.log_lines()))


ROWS = (
    Row(
        "screen-length LINES temporary",
        (USER,),
        screen_length,
        {"LINES": SCREEN},
        level=DISPLAY_LEVEL,
    ),
    Row(
        "terminal monitor",
        (USER,),
        monitor,
        level=DISPLAY_LEVEL,
        undo="terminal monitor",
        undone=no_monitor,
    ),
    Row(
        "display history-command",
        EVERYWHERE,
        show_history,
        level=DISPLAY_LEVEL,
        shows=terminal.HISTORY,
    ),
    Row("display logbuffer", EVERYWHERE, show_log, level=DISPLAY_LEVEL, shows=terminal.LOG),
)
