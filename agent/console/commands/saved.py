"""Commands about the saved configuration: writing it, showing it, comparing it, forgetting it."""

from __future__ import annotations

from collections.abc import Callable

from agent.console.commands import access
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, SECRET_LEVEL, Row
from agent.console.displays import board, saved
from agent.console.language import parameters
from agent.console.language.blocks import Change, difference, settings_of
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, USER
from agent.errors import fail
from agent.pieces import Pieces, grouped
from hal.annotations import TypeVar

T = TypeVar("T")


def save(operator: Operator, args: Args) -> None:
    if "FILENAME" in args:
        _save_file(operator, args.text("FILENAME"))
        return
    configuration = operator.device.configuration
    lost, closed = configuration.lost(), configuration.closed()
    if lost:
        access.refuse_to_open(operator)

    def answered(yes: bool) -> None:
        if yes:
            _write(operator, configuration.save(), "The configuration was saved successfully.")

    more = f" It replaces for good what is left: {lost}." if lost else ""
    if lost and closed:
        more += " The serial lines, which let nobody in now, will then be open to all."
    if "force" in args and not more:
        answered(True)
        return
    operator.question(
        f"The current configuration will be written to the device.{more} Continue?", answered
    )


def _save_file(operator: Operator, name: str) -> None:
    """A copy in device storage, which no start loads."""

    def answered(yes: bool) -> None:
        if yes:
            text = "".join(f"{line}\n" for line in operator.device.configuration.running())
            operator.device.storage.write(name, text.encode())
            operator.info(
                f"The configuration was saved successfully, to the file {name}. The next start"
                " still loads what `save` without a file name wrote."
            )

    taken = (
        f" The file {name} exists and will be replaced."
        if operator.device.storage.exists(name)
        else ""
    )
    operator.question(
        f"The current configuration will be written to the file {name}.{taken} Continue?", answered
    )


def reset(operator: Operator, args: Args) -> None:
    if "unapplied" in args:
        _reset_unapplied(operator)
        return

    def answered(yes: bool) -> None:
        if yes:
            done = "No configuration is saved now. The running one is not touched."
            _write(operator, operator.device.configuration.reset(), done)

    def ask(_lines: object) -> None:
        operator.question(
            "The saved configuration will be erased: the device will start as a new one. Continue?",
            answered,
        )

    if operator.device.configuration.lost():
        ask(None)
    else:
        _in_pieces(operator, _saved_lines(operator), ask)


def _reset_unapplied(operator: Operator) -> None:
    settings = operator.device.settings
    count = len(settings.unapplied)

    def answered(yes: bool) -> None:
        if yes:
            settings.unapplied.clear()
            operator.info("They are forgotten for good once you type `save`.")

    if count:
        operator.question(f"Lines that do not apply: {count}. Forget them?", answered)
    else:
        operator.info("All of the configuration applies.")


def show_saved(operator: Operator, _args: Args) -> None:
    _in_pieces(
        operator, _saved_lines(operator), lambda lines: operator.show(board.configuration(lines))
    )


def show_unapplied(operator: Operator, _args: Args) -> None:
    operator.show(saved.unapplied(operator.device.settings.unapplied))


def compare(operator: Operator, _args: Args) -> None:
    def compared() -> Pieces[list[Change]]:
        lines = yield from _saved_lines(operator)
        return (yield from grouped(difference(lines, operator.device.configuration.running())))

    _in_pieces(
        operator, compared(), lambda found: operator.show(saved.changes(found, operator.concealed))
    )


def _in_pieces(operator: Operator, work: Pieces[T], then: Callable[[T], None]) -> None:
    """The session waits; nothing is said of a moment."""
    operator.start("", lambda task: operator.device.in_pieces(work, task.done), then)


def _write(operator: Operator, work: Pieces[None], done: str) -> None:
    _in_pieces(operator, work, lambda _none: operator.info(done))


def _saved_lines(operator: Operator) -> Pieces[list[str]]:
    """What can be read of it; AgentError when that is nothing."""
    configuration = operator.device.configuration
    lines, lost = (yield from configuration.saved()), configuration.lost()
    if lost and not any(settings_of(lines or ())):
        raise fail("saved-lost", what=lost)
    if lines is None:
        raise fail("nothing-saved")
    if lost:
        operator.warn(f"This is what is left of it: {lost}.")
    return lines


_WORDS = {"unapplied": "Lines of it that do not apply now, and why"}

ROWS = (
    Row(
        "save [ FILENAME | force | all ]",
        (USER,),
        save,
        {"FILENAME": parameters.CONFIGURATION_FILE},
        words={"force": "Without a question", "all": "The same as without"},
    ),
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
