"""The register of sessions: who is at the device, as `display users` shows it."""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import Seat
from agent.console.session.session import Session
from agent.device.device import Device
from hal.named import NamedTuple


class Who(NamedTuple):
    """Who begins a session, and where: see `agent.appliance.Seat`."""

    line: str
    place: str
    user: str
    level: int


def seated(device: Device, session: Session, who: Who) -> Callable[[], None]:
    """Enters a session into the register; what takes it out again."""
    seats = device.access.seats
    seat = session.operator.seat = Seat(*who, device.wall_s(), session.idle_s)
    seats.append(seat)

    def leave() -> None:
        seats[:] = [one for one in seats if one is not seat]

    return leave
