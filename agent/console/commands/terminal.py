"""Commands about the terminal itself: its pages, its history, the log."""

from __future__ import annotations

from agent import limits
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, Row
from agent.console.displays import terminal
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, USER

SCREEN = parameters.integer("Lines of the screen, 0 for no paging", *limits.SCREEN_LINES_RANGE)
WIDTH = parameters.integer("Columns of the screen", *limits.SCREEN_COLUMNS_RANGE)


def screen_length(operator: Operator, args: Args) -> None:
    operator.set_terminal(lines=args.number("LINES", limits.SCREEN_LINES))


def screen_width(operator: Operator, args: Args) -> None:
    operator.set_terminal(columns=args.number("COLUMNS", limits.SCREEN_COLUMNS))


def monitor(operator: Operator, _args: Args) -> None:
    operator.set_terminal(monitor=True)
    operator.info("Log lines are shown at this terminal.")


def no_monitor(operator: Operator, _args: Args) -> None:
    operator.set_terminal(monitor=False)
    operator.info("Log lines are no longer shown at this terminal.")


def for_programs(operator: Operator, _args: Args) -> None:
    operator.set_terminal(program=True)
    operator.info("No pages; questions of commands are answered Y until this session ends.")


def for_people(operator: Operator, _args: Args) -> None:
    operator.set_terminal(program=False)
    operator.info("Questions are asked, and pages are shown as `screen-length` says.")


def show_history(operator: Operator, _args: Args) -> None:
    operator.show(terminal.history(operator.history))


def show_log(operator: Operator, _args: Args) -> None:
    operator.show(terminal.log(operator.device.log_lines()))


ROWS = (
    Row(
        "screen-length LINES temporary",
        (USER,),
        screen_length,
        {"LINES": SCREEN},
        level=DISPLAY_LEVEL,
    ),
    Row(
        "screen-width COLUMNS [ temporary ]",
        (USER,),
        screen_width,
        {"COLUMNS": WIDTH},
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
        "mmi-mode enable",
        (USER,),
        for_programs,
        level=DISPLAY_LEVEL,
        undo="mmi-mode enable",
        undone=for_people,
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
