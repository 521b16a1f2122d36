"""Commands that lead from view to view, and out."""

from __future__ import annotations

from agent.console.commands.operator import Operator
from agent.console.commands.rows import VISIT_LEVEL, Row
from agent.console.language.grammar import Args
from agent.console.language.views import CONFIGURATION, EVERYWHERE, SYSTEM, USER


def system_view(operator: Operator, _args: Args) -> None:
    operator.enter(SYSTEM)
    operator.info("Ctrl+Z or `return` leads back to the user view.")


def commit(operator: Operator, _args: Args) -> None:
    operator.info("Each line took effect when it was typed: nothing waits for `commit`.")


def leave(operator: Operator, _args: Args) -> None:
    operator.leave()


def back_to_user(operator: Operator, _args: Args) -> None:
    operator.enter(USER)


def block_end(operator: Operator, _args: Args) -> None:
    """`#` separates the blocks of a configuration: the next line belongs to the system view.

    In the user view it may be that of a block, so that a configuration can be pasted there.
    """
    if operator.view.kind in CONFIGURATION:
        operator.enter(SYSTEM)
    else:
        operator.enter(USER, "#")


ROWS = (
    Row("system-view [ immediately ]", (USER,), system_view),
    Row("commit", CONFIGURATION, commit),
    Row("quit", EVERYWHERE, leave, level=VISIT_LEVEL, marks=True),
    Row("return", EVERYWHERE, back_to_user, level=VISIT_LEVEL, marks=True),
    Row("#", EVERYWHERE, block_end, level=VISIT_LEVEL, marks=True),
)
