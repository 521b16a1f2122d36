"""The device as a machine: its name, its clock, its storage, what it is and how it fares."""

from __future__ import annotations

from collections.abc import Iterator

from agent.appliance import Unusable
from agent.console.commands import lookups
from agent.console.commands.operator import Operator
from agent.console.commands.rows import SECRET_LEVEL, Row, display, restore, setting
from agent.console.displays import board
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.times import ahead_text
from agent.console.language.views import SYSTEM, USER
from agent.settings import Settings, Timezone


def show_version(operator: Operator, _args: Args) -> None:
    device = operator.device
    operator.show(board.version(device.board_serial(), device.system.children()))


def show_clock(operator: Operator, _args: Args) -> None:
    operator.show(board.clock(operator.device.system.clock(), lookups.times(operator.device)))


def show_statistics(operator: Operator, _args: Args) -> None:
    operator.show(board.statistics(operator.device.system.statistics()))


def show_interfaces(operator: Operator, _args: Args) -> None:
    device = operator.device
    operator.show(board.interfaces(device.interfaces(), device.router_names))


def show_serial(operator: Operator, _args: Args) -> None:
    operator.show(board.serial(operator.device.board_serial()))


def show_device(operator: Operator, _args: Args) -> None:
    device = operator.device
    unusable = device.unusable
    why = unusable.reason if unusable else device.system.statistics()["store_read_only"]
    operator.show(board.device(f"Abnormal: {why}" if why else "Normal"))


def show_startup(operator: Operator, _args: Args) -> None:
    device = operator.device
    operator.start(
        "",
        lambda task: device.in_pieces(device.configuration.saved(), task.done),
        lambda lines: operator.show(board.startup(lines is not None)),
    )


# -- clock -----------------------------------------------------------------------------------------


def set_clock(operator: Operator, args: Args) -> None:
    """The time is that of the zone of the device, as `display clock` shows it."""
    zone = operator.device.settings.timezone
    operator.device.system.set_clock(args.number("DATE", 0) + args.number("TIME", 0) - zone.ahead_s)
    times = lookups.times(operator.device)
    operator.info(f"The clock was set to {times.moment(times.now_s)}.")


def set_timezone(operator: Operator, args: Args) -> None:
    ahead_s = args.number("OFFSET", 0)
    sign = -1 if "minus" in args else 1
    operator.device.settings.timezone = Timezone(args.text("NAME"), sign * ahead_s)


def render_timezone(settings: Settings) -> Iterator[str]:
    zone = settings.timezone
    if zone != Timezone():
        sign = "minus" if zone.ahead_s < 0 else "add"
        yield f"clock timezone {zone.name} {sign} {ahead_text(abs(zone.ahead_s))}"


# -- storage and power -----------------------------------------------------------------------------


def _renew_storage(operator: Operator, unusable: Unusable) -> None:
    """The only way on for a device whose storage cannot be used, beside mending it elsewhere."""

    def answered(yes: bool) -> None:
        if yes:
            operator.start(
                "Erasing the storage",
                lambda task: unusable.renew(False, task.done),
                lambda _result: operator.info(
                    "The storage is erased, and the agent starts again as on a new device."
                    " Log in again."
                ),
            )

    operator.question(
        f"The storage of this device cannot be used: {unusable.reason}. All that is on it will be"
        " erased for ever, whatever device, release or program has written it: configuration,"
        " users, key pairs, certificates, requests. What consumers read from memory, and the files"
        " of storage, stay. Continue?",
        answered,
    )


def reset_storage(operator: Operator, args: Args) -> None:
    unused, unusable = "unused" in args, operator.device.unusable
    if unusable and not unused:
        _renew_storage(operator, unusable)
        return

    def answered(yes: bool) -> None:
        if yes and unused:
            operator.start(
                "Removing replaced values",
                lambda task: operator.device.system.compact(task.done),
                lambda _result: operator.info("Replaced values are gone from flash."),
            )
        elif yes:
            operator.device.system.wipe()
            operator.info("Key pairs, certificates and requests are gone.")

    doubt = (
        "Replaced values will be removed from flash. Continue?"
        if unused
        else "All key pairs, certificates and requests of this device will be destroyed for ever."
        " Continue?"
    )
    if operator.device.system.key_missing and not unused:
        doubt = "Instead of the device key, which is missing, another one will be made. " + doubt
    operator.question(doubt, answered)


def reboot(operator: Operator, _args: Args) -> None:
    def answered(yes: bool) -> None:
        if yes:
            operator.info("The device reboots.")
            operator.device.system.reboot()

    lost = (
        " Changes that are not saved will be lost: answer N and type `save` to keep them."
        if operator.device.configuration.unsaved()
        else ""
    )
    operator.question(f"The device will reboot.{lost} Continue?", answered)


def undo_sysname(operator: Operator, _args: Args) -> None:
    record = operator.record(SYSTEM)
    record.sysname = record.host_name


SYSNAME = setting(SYSTEM, "sysname", "NAME", parameters.SYSNAME, "sysname")._replace(
    render=lambda settings: [f"sysname {settings.sysname}"],  # shown always, as VRP does
    undone=undo_sysname,
    default="",
)
VERSION = display("version", show_version, board.VERSION)
CLOCK = display("clock", show_clock, board.CLOCK)
STATISTICS = display("pki statistics", show_statistics, board.STATISTICS)
SERIAL = display("esn", show_serial, board.SERIAL)
DEVICE = display("device", show_device, board.SLOT)
STARTUP = display("startup", show_startup, board.STARTUP)
INTERFACES = display("interface brief", show_interfaces, board.INTERFACE)
SET_CLOCK = Row(
    "clock datetime TIME DATE",
    (USER,),
    set_clock,
    {"TIME": parameters.TIME, "DATE": parameters.DATE},
    level=SECRET_LEVEL,
)
TIMEZONE = Row(
    "clock timezone NAME { add | minus } OFFSET",
    (USER, SYSTEM),
    set_timezone,
    {"NAME": parameters.ZONE, "OFFSET": parameters.OFFSET},
    render=render_timezone,
    undo="clock timezone",
    undone=restore(SYSTEM, "timezone"),
    default=f"clock timezone {Timezone().name} add 00:00:00",
)
RESET_STORAGE = Row("reset pki storage [ unused ]", (USER,), reset_storage, level=SECRET_LEVEL)
REBOOT = Row("reboot", (USER,), reboot, level=SECRET_LEVEL)
