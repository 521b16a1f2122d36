"""The `display` commands about realms, entities, key pairs and what they hold."""

from collections.abc import Iterator
from typing import Any

from agent.appliance import Certificate
from agent.console.commands import lookups
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, Handler, Row
from agent.console.displays import certificates, realms
from agent.console.displays.document import Document, Kind, total
from agent.console.language import parameters
from agent.console.language.grammar import Args, Parameter
from agent.console.language.views import EVERYWHERE
from agent.settings import Entity, Realm, fold

REALM_NAME = parameters.name("Name of a realm")


def _realms(operator: Operator, args: Args) -> list[Realm]:
    if "NAME" in args:
        return [lookups.realm(operator, args.text("NAME"))]
    return list(operator.device.settings.realms.values())


def _still_there(operator: Operator, records: list[Realm]) -> Iterator[Realm]:
    """Those that no other session has removed by the time that their page is shown."""
    for record in records:
        if fold(record.name) in operator.device.settings.realms:
            yield record


def show_realms(operator: Operator, args: Args) -> None:
    def items() -> Iterator[dict[str, Any]]:
        device = operator.device
        for record in _still_there(operator, found):
            yield realms.realm(record, device.ca(record.name), device.status(record.name))

    found = _realms(operator, args)
    operator.show(Document(realms.REALM, items(), [total(len(found))]))


def show_entities(operator: Operator, args: Args) -> None:
    found: list[Entity] = list(operator.device.settings.entities.values())
    if "NAME" in args:
        found = [lookups.entity(operator, args.text("NAME"))]
    operator.show(Document(realms.ENTITY, map(realms.entity, found), [total(len(found))]))


def show_certificates(operator: Operator, args: Args) -> None:
    """Fields of a certificate are read in the worker, never in the agent."""
    kind = "ca" if "ca" in args else "local"
    found: list[tuple[certificates.Shown, Certificate]] = []
    for record in _realms(operator, args):
        place = certificates.Shown(record.name, f"{record.name}_{kind}.cer")
        if kind == "ca":
            ca = operator.device.ca(record.name)
            found += [(place, one) for one in ca.certificates] if ca else []
            # The next CA is in no file: nobody is to use it before the CA has changed.
            found += [(place._replace(file=""), ca.next)] if ca and ca.next else []
        else:
            local = operator.device.local(record.name)
            found += [(place, local)] if local else []
    places = [place for place, _ in found]
    lookups.describe(
        operator,
        certificates.CERTIFICATE,
        f"There is no {'CA' if kind == 'ca' else kind} certificate.",
        places,
        [one.der for _, one in found],
    )


def show_key_pairs(operator: Operator, args: Args) -> None:
    pairs = operator.device.key_pairs()
    if "NAME" in args:
        name = lookups.key_pair(operator, args.text("NAME"))
        pairs = [pair for pair in pairs if pair.name == name]
    operator.show(Document(realms.KEY_PAIR, map(realms.key_pair, pairs), [total(len(pairs))]))


def show_enrollment(operator: Operator, args: Args) -> None:
    def items() -> Iterator[dict[str, Any]]:
        device = operator.device
        now_s = device.wall_s()
        for record in _still_there(operator, found):
            status, local = device.status(record.name), device.local(record.name)
            yield realms.enrollment(record.name, status, local, now_s)

    found = _realms(operator, args)
    operator.show(Document(realms.ENROLLMENT, items()))


def show_request(operator: Operator, args: Args) -> None:
    name = args.text("FILENAME")
    data = operator.device.storage.read(name)
    place = certificates.Shown("", name)
    lookups.describe(operator, certificates.REQUEST, "", [place], [data])


def show_crl(operator: Operator, args: Args) -> None:
    names = [record.name for record in _realms(operator, args)]
    found = [(name, operator.device.revocation.current(name)) for name in names]
    there = [(name, data) for name, data in found if data is not None]
    places = [certificates.Shown(name, f"{name}.crl") for name, _ in there]
    lists = [data for _, data in there]
    lookups.describe(operator, certificates.CRL, "There is no CRL.", places, lists)


def _display(
    notation: str, handler: Handler, shows: Kind, parameter: Parameter | None = None
) -> Row:
    key = "FILENAME" if "FILENAME" in notation else "NAME"
    return Row(
        f"display {notation}",
        EVERYWHERE,
        handler,
        {key: parameter} if parameter else {},
        level=DISPLAY_LEVEL,
        shows=shows,
    )


ROWS = (
    _display("pki realm [ NAME ]", show_realms, realms.REALM, REALM_NAME),
    _display(
        "pki entity [ NAME ]", show_entities, realms.ENTITY, parameters.name("Name of an entity")
    ),
    _display(
        "pki certificate { ca | local } [ realm NAME ]",
        show_certificates,
        certificates.CERTIFICATE,
        REALM_NAME,
    ),
    _display(
        "pki rsa local-key-pair [ name NAME ] public",
        show_key_pairs,
        realms.KEY_PAIR,
        parameters.name("Name of an RSA key pair"),
    ),
    _display("pki enrollment [ realm NAME ]", show_enrollment, realms.ENROLLMENT, REALM_NAME),
    _display("pki cert-req filename FILENAME", show_request, certificates.REQUEST, parameters.FILE),
    _display("pki crl [ realm NAME ]", show_crl, certificates.CRL, REALM_NAME),
)
