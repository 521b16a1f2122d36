"""The `display` commands, but those that show the configuration itself."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.console import display, parameters
from agent.console.appliance import Certificate
from agent.console.commands import lookups
from agent.console.commands.rows import DISPLAY_LEVEL, EVERYWHERE, Handler, Row
from agent.console.grammar import Args, Parameter
from agent.errors import fail
from agent.settings import Entity, Realm, fold

if TYPE_CHECKING:
    from agent.console.session import Session

REALM_NAME = parameters.name("Name of a realm")


def _realms(session: "Session", args: Args) -> list[Realm]:
    if "NAME" in args:
        return [lookups.realm(session, args.text("NAME"))]
    return list(session.device.settings.realms.values())


def _still_there(session: "Session", records: list[Realm]) -> Iterator[Realm]:
    """Those that no other session has removed by the time that their page is shown."""
    for record in records:
        if fold(record.name) in session.device.settings.realms:
            yield record


def show_realms(session: "Session", args: Args) -> None:
    def lines() -> Iterator[str]:
        yield display.total(len(realms))
        for record in _still_there(session, realms):
            device = session.device
            yield from display.realm(record, device.ca(record.name), device.status(record.name))

    realms = _realms(session, args)
    session.show(lines())


def show_entities(session: "Session", args: Args) -> None:
    def lines() -> Iterator[str]:
        yield display.total(len(entities))
        for record in entities:
            yield from display.entity(record)

    entities: list[Entity] = list(session.device.settings.entities.values())
    if "NAME" in args:
        entities = [lookups.entity(session, args.text("NAME"))]
    session.show(lines())


def show_certificates(session: "Session", args: Args) -> None:
    """Fields of a certificate are read in the worker, never in the agent."""
    found: list[tuple[Realm, Certificate]] = []
    for record in _realms(session, args):
        if "ca" in args:
            ca = session.device.ca(record.name)
            found += [(record, one) for one in ca.certificates] if ca else []
        else:
            local = session.device.local(record.name)
            found += [(record, local)] if local else []
    kind = "ca" if "ca" in args else "local"
    if not found:
        session.info(f"There is no {kind} certificate.")
        return

    def described(texts: object) -> None:
        shown = texts if isinstance(texts, list) else []
        pairs = zip(found, shown, strict=False)
        session.show(display.certificates([(one.name, text) for (one, _), text in pairs], kind))

    ders = [one.der for _, one in found]
    session.start(
        "Reading the certificates",
        lambda hold: session.device.describe(ders, hold.done),
        described,
        left="The certificates are not shown.",
    )


def show_key_pairs(session: "Session", args: Args) -> None:
    pairs = session.device.key_pairs()
    if "NAME" in args:
        pairs = [pair for pair in pairs if pair.name == args.text("NAME")]
        if not pairs:
            raise fail("key-unknown", name=args.text("NAME"))
    session.show(display.key_pairs(pairs))


def show_enrollment(session: "Session", args: Args) -> None:
    def lines() -> Iterator[str]:
        now_s = session.device.wall_s()
        for record in _still_there(session, realms):
            status = session.device.status(record.name)
            yield from display.enrollment(record.name, status, now_s)

    realms = _realms(session, args)
    session.show(lines())


def show_version(session: "Session", _args: Args) -> None:
    session.show(display.version(session.device.board_serial()))


def show_clock(session: "Session", _args: Args) -> None:
    session.show([display.moment(session.device.wall_s())])


def _display(notation: str, handler: Handler, name: Parameter | None = None) -> Row:
    return Row(
        f"display {notation}",
        EVERYWHERE,
        handler,
        {"NAME": name} if name else {},
        level=DISPLAY_LEVEL,
        filtered=True,
    )


ROWS = (
    _display("pki realm [ NAME ]", show_realms, REALM_NAME),
    _display("pki entity [ NAME ]", show_entities, parameters.name("Name of an entity")),
    _display("pki certificate { ca | local } [ realm NAME ]", show_certificates, REALM_NAME),
    _display(
        "pki rsa local-key-pair [ name NAME ] public",
        show_key_pairs,
        parameters.name("Name of an RSA key pair"),
    ),
    _display("pki enrollment [ realm NAME ]", show_enrollment, REALM_NAME),
    _display("version", show_version),
    _display("clock", show_clock),
)
