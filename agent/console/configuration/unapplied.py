"""Lines of the saved configuration that do not apply: when they are told, and when they go.

They wait in `Settings.unapplied` for the day on which what they need is there again. Until then the
operator has the last word: who types the setting anew, undoes it or removes its block has settled
what the kept line asked for.
"""

from __future__ import annotations

from agent.appliance import Appliance
from agent.console.commands import lookups
from agent.console.commands.table import Command, setting_lines
from agent.console.language.grammar import Args, tokens
from agent.settings import Settings, fold

_ALWAYS = ("aaa", "user-interface console 0")  # blocks that are there without a line of their own


def told(device: Appliance) -> str:
    """What a terminal is told at login; "" when all of it is there and applies."""
    if device.unusable:
        return lookups.without_storage(device.unusable)
    configuration, count = device.configuration, len(device.settings.unapplied)
    lost, worn = configuration.lost(), configuration.worn()
    if lost:
        return f"{lost[:1].upper()}{lost[1:]}. What you type and `save` takes its place."
    if worn:
        return f"{worn[:1].upper()}{worn[1:]}."
    if not count:
        return ""
    lines = "1 line does" if count == 1 else f"{count} lines do"
    return (
        f"Of the saved configuration {lines} not apply."
        " Type `display saved-configuration unapplied` to see why."
    )


def settle(settings: Settings, block: str, command: Command, args: Args) -> None:
    """After a command of a block has succeeded: drops the kept lines that it has settled."""
    gone = _header(command, args) if command.handler is command.row.undone else ""
    kept = [
        one
        for one in settings.unapplied
        if one.block != block or not _sets_the_same(command, args, one.text)
        if not gone or one.block != gone
    ]
    opened = {fold(line) for line in setting_lines(settings) if not line.startswith(" ")}
    opened.update(_ALWAYS)
    opened.update(fold(one.text) for one in kept if not one.block)
    settings.unapplied = [one for one in kept if not one.block or one.block in opened]


def _header(command: Command, args: Args) -> str:
    """The folded first line of the block that an `undo` takes away."""
    words = (command.row.undo or "").split()
    return fold(" ".join(str(args.get(word)) if word.isupper() else word for word in words))


def _sets_the_same(command: Command, args: Args, text: str) -> bool:
    """Whether a line is about the setting of a command: the same words, the same name."""
    words = (command.row.undo or command.row.notation).split()
    typed = [token.text for token in tokens(text)]
    for position, word in enumerate(words):
        if word[0] in "{[":
            break
        wanted = str(args.get(word)) if word.isupper() else word
        if position >= len(typed) or fold(typed[position]) != fold(wanted):
            return False
    return True
