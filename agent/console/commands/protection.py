"""Passwords that a task must seal or hash, at the console and in a text that is loaded."""

from __future__ import annotations

from collections.abc import Callable

from agent.console.commands.operator import Operator
from agent.console.language.grammar import Args, Parameter
from agent.errors import fail


def refused(command: str) -> Callable[[], None]:
    """What becomes of a password in plain when the device starts, where no task can seal it.

    `command` is what an operator can type instead.
    """

    def raised() -> None:
        raise fail("password-in-plain", command=command)

    return raised


def read(kind: Parameter, line: str) -> str:
    """A password that was typed without echo; AgentError `password-refused`."""
    try:
        return str(kind.read(line))
    except ValueError as error:
        raise fail("password-refused", reason=error) from None


def take(
    operator: Operator,
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
            use(read(kind, line))

        operator.ask("Enter the password again: ", second, hidden=True)

    operator.ask(prompt, first, hidden=True)
