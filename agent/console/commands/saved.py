"""Commands about the saved configuration: writing it, showing it, comparing it, forgetting it."""

from __future__ import annotations

from agent.console.commands import access
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, SECRET_LEVEL, Row
from agent.console.displays import board, saved
from agent.console.language import parameters
from agent.console.language.blocks import difference, settings_of
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, USER
from agent.errors import fail


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
            configuration.save()
            operator.info("The configuration was saved successfully.")

    more = f" It replaces for ever what is left: {lost}." if lost else ""
    if lost and closed:
        more += " The serial lines, which let nobody in now, are open to all then."
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
            text = operator.device.configuration.running()
            operator.device.storage.write(name, text.encode())
            operator.info(
                f"The configuration was saved successfully, to the file {name}. The next start"
                " loads what `save` without a file has written."
            )

    taken = (
        f" The file {name} exists: it is replaced." if operator.device.storage.exists(name) else ""
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
            operator.device.configuration.reset()
            operator.info("No configuration is saved now. The running one is not touched.")

    if not operator.device.configuration.lost():
        _saved_lines(operator)
    operator.question(
        "The saved configuration will be erased: the device will start as a new one. Continue?",
        answered,
    )


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
    operator.show(board.configuration(_saved_lines(operator)))


def show_unapplied(operator: Operator, _args: Args) -> None:
    operator.show(saved.unapplied(operator.device.settings.unapplied))


def compare(operator: Operator, _args: Args) -> None:
    running = operator.device.configuration.running().splitlines()
    changes = difference(_saved_lines(operator), running)
    operator.show(
        saved.changes([one._replace(line=operator.concealed(one.line)) for one in changes])
    )


def _saved_lines(operator: Operator) -> list[str]:
    """What can be read of it; AgentError when that is nothing."""
    configuration = operator.device.configuration
    text, lost = configuration.saved(), configuration.lost()
    if lost and not list(settings_of((text or "").splitlines())):
        raise fail("saved-lost", what=lost)
    if text is None:
        raise fail("nothing-saved")
    if lost:
        operator.warn(f"This is what is left of it: {lost}.")
    return text.splitlines()


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
