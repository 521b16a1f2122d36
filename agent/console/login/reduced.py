"""The displays of a line that lets nobody in: what the device is, its clock, its interfaces.

For who comes to mend a device whose storage cannot be used. Whoever is at the line reads them, so
they tell nothing that a device asks a password for; they take no parameter, no filter, no JSON.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import Appliance
from agent.console.displays import board
from agent.console.displays.document import Document, text_lines
from agent.console.language.times import Times
from agent.console.terminal.output import error_lines
from agent.errors import AgentError


def _version(device: Appliance, _times: Times) -> Document:
    return board.version(device.board_serial(), device.system.children())


def _clock(device: Appliance, times: Times) -> Document:
    return board.clock(device.system.clock(), times)


def _interfaces(device: Appliance, _times: Times) -> Document:
    return board.interfaces(device.interfaces(), device.router_names)


DISPLAYS: dict[str, Callable[[Appliance, Times], Document]] = {
    "display version": _version,
    "display clock": _clock,
    "display interface brief": _interfaces,
}
OFFER = f"What can be shown here: `{'`, `'.join(DISPLAYS)}`."


def lines(device: Appliance, text: str) -> list[str]:
    """What one of them shows; [] for every other text. Words may be shortened, as elsewhere."""
    typed = text.casefold().split()
    for command, make in DISPLAYS.items():
        words = command.split()
        if len(typed) == len(words) and all(map(str.startswith, words, typed)):
            zone = device.settings.timezone
            times = Times(device.wall_s(), zone.name, zone.ahead_s)
            try:
                return list(text_lines(make(device, times), times))
            except AgentError as error:
                return error_lines(error)
    return []
