"""Entities: who a certificate is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent import limits
from agent.console.commands import lookups, names
from agent.console.commands.operator import Operator
from agent.console.commands.rows import Row, display, rendered, restore, setting
from agent.console.displays import realms
from agent.console.displays.document import Document, total
from agent.console.language import hosts, parameters
from agent.console.language.grammar import Args, Parameter
from agent.console.language.views import ENTITY, SYSTEM
from agent.settings import Entity, Settings, fold


def open_entity(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    operator.device.settings.entities.setdefault(fold(name), Entity(name))
    operator.enter(ENTITY, fold(name))


def remove_entity(operator: Operator, args: Args) -> None:
    record = lookups.entity(operator, args.text("NAME"))
    lookups.refuse_used_entity(operator, record)
    del operator.device.settings.entities[fold(record.name)]


def render_entities(settings: Settings) -> Iterator[str]:
    for record in list(settings.entities.values()):
        yield f"pki entity {record.name}"
        yield from (f" {line}" for line in rendered(SETTINGS, record))


def show_entities(operator: Operator, args: Args) -> None:
    found: list[Entity] = list(operator.device.settings.entities.values())
    if "NAME" in args:
        found = [lookups.entity(operator, args.text("NAME"))]
    operator.show(Document(realms.ENTITY, map(realms.entity, found), [total(len(found))]))


# -- settings --------------------------------------------------------------------------------------


def undo_common_name(operator: Operator, _args: Args) -> None:
    record = operator.record(ENTITY)
    lookups.refuse_used_entity(operator, record)
    record.common_name = None


def ip_address(operator: Operator, args: Args) -> None:
    if "ADDRESS" in args:
        operator.record(ENTITY).ip_address = args.text("ADDRESS")
        return
    interface = lookups.interface(operator, args)
    operator.remark(lambda: lookups.warn_of_source(operator, None, interface))
    operator.record(ENTITY).ip_address = interface


def render_ip_address(record: Entity) -> Iterator[str]:
    if record.ip_address:
        yield f"ip-address {record.ip_address}"


def serial_number(operator: Operator, _args: Args) -> None:
    operator.record(ENTITY).serial_number = True


def render_serial_number(record: Entity) -> Iterator[str]:
    if record.serial_number:
        yield "serial-number"


def _field(words: str, key: str, kind: Parameter) -> Row:
    return setting(ENTITY, words, key, kind, words.replace("-", "_"))


def _checked(words: str, key: str, kind: Parameter, made: Callable[[str], str]) -> Row:
    """The row of an attribute that is stored as a certificate holds it."""

    def handler(operator: Operator, args: Args) -> None:
        typed = args.text(key)
        held = made(typed)
        if held != typed:
            operator.info(f"The certificate will hold: {words} {held}.")
        setattr(operator.record(ENTITY), words, held)

    return _field(words, key, kind)._replace(handler=handler)


_NAME = parameters.subject("Common name of the subject", limits.COMMON_NAME_CHARACTERS)
_STATE = parameters.subject("State or province", limits.SUBJECT_CHARACTERS)
_LOCALITY = parameters.subject("Locality", limits.SUBJECT_CHARACTERS)
_ORGANIZATION = parameters.subject("Organization", limits.SUBJECT_CHARACTERS)

SETTINGS = (
    _field("common-name", "NAME", _NAME)._replace(undone=undo_common_name),
    _checked("country", "CODE", hosts.COUNTRY, hosts.country),
    _field("state", "NAME", _STATE),
    _field("locality", "NAME", _LOCALITY),
    _field("organization", "NAME", _ORGANIZATION),
    _field("organization-unit", "UNITS", parameters.UNITS),
    _checked("fqdn", "NAME", hosts.FQDN, hosts.domain),
    Row(
        "ip-address { ADDRESS | TYPE NUMBER | INTERFACE }",
        (ENTITY,),
        ip_address,
        {
            "ADDRESS": hosts.UNICAST,
            **lookups.INTERFACE,
        },
        render=render_ip_address,
        undo="ip-address",
        undone=restore(ENTITY, "ip_address"),
    ),
    _checked("email", "MAIL", hosts.EMAIL, hosts.mail),
    Row(
        "serial-number",
        (ENTITY,),
        serial_number,
        render=render_serial_number,
        undo="serial-number",
        undone=restore(ENTITY, "serial_number"),
    ),
)
OPEN = Row(
    "pki entity NAME",
    (SYSTEM,),
    open_entity,
    {"NAME": names.ENTITY},
    render=render_entities,
    undo="pki entity NAME",
    undone=remove_entity,
    opens=ENTITY,
)
SHOW = display("pki entity [ NAME ]", show_entities, realms.ENTITY, {"NAME": names.ENTITY})
