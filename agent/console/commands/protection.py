"""Passwords that a task must seal or hash, at the console and in a text that is loaded."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent.appliance import Done
from agent.console.language.grammar import Args, Parameter
from agent.errors import fail

if TYPE_CHECKING:
    from agent.console.session.session import Session

NOT_SET = "The password was not set."


def protect(
    session: "Session",
    label: str,
    begin: Callable[[Done[Any]], int],
    keep: Callable[[object], None],
    command: str,
) -> None:
    """Starts a task and gives its result to `keep`. `command` is what an operator can type instead.

    At the console the session waits for it. A text that is applied is read twice, before and after
    its tasks. When the device starts there is no task.
    """
    if not session.loading:
        session.start(label, lambda hold: begin(hold.done), keep, NOT_SET)
    elif session.secrets:
        session.secrets.take(begin, keep)
    else:
        raise fail("password-in-plain", command=command)


def take(
    session: "Session",
    args: Args,
    kind: Parameter,
    use: Callable[[str], None],
    prompt: str = "Enter the password: ",
) -> None:
    """Gives `use` the PASSWORD of the line, or one that is typed twice."""
    if "PASSWORD" in args:
        use(args.text("PASSWORD"))
        return

    def first(line: str) -> None:
        def second(again: str) -> None:
            if again != line:
                raise fail("password-differs")
            try:
                use(str(kind.read(line)))
            except ValueError as error:
                raise fail("password-refused", reason=error) from None

        session.ask("Enter the password again: ", second, hidden=True)

    session.ask(prompt, first, hidden=True)
