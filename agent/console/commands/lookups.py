"""What handlers ask before they act; what is refused is an AgentError that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.appliance import Appliance, Described, Glance, Unusable
from agent.console.commands.operator import Operator
from agent.console.commands.rows import SECRET_LEVEL
from agent.console.displays import certificates
from agent.console.displays.document import Document, Kind
from agent.console.language import interfaces
from agent.console.language.grammar import Args
from agent.console.language.times import Times
from agent.console.language.views import ENTITY, REALM, View
from agent.errors import fail
from agent.settings import DEFAULT_REALM, Entity, Realm, fold
from hal.ports import HalError

INTERFACE = {
    "TYPE": interfaces.INTERFACE_TYPE,
    "NUMBER": interfaces.INTERFACE_NUMBER,
    "INTERFACE": interfaces.INTERFACE,
}
BROKEN_DIGESTS = ("md5", "sha1")
LOOK = "See `display interface brief`."


def times(device: Appliance) -> Times:
    """How times are shown now: in the zone of the device."""
    zone = device.settings.timezone
    return Times(device.wall_s(), zone.name, zone.ahead_s)


def without_storage(unusable: Unusable) -> str:
    """What is told of a device whose storage cannot be used, and what to type."""
    return (
        f"The storage of this device cannot be used: {unusable.reason}. Nothing on it was touched:"
        " no realm, key pair or certificate is known, none is renewed, and nothing can be saved."
        " What consumers read from memory, and the files of storage, are as they were. Type"
        " `reset pki storage` in the user view to erase it and begin as a new device; or restore"
        " it from a copy and start the agent again."
    )


def tell_of_renewal(operator: Operator, record: Realm) -> None:
    """The renewal point by the settings of now, where a certificate has one."""
    device = operator.device
    moment_s = device.status(record.name).renew_s if record.auto_enroll else None
    if moment_s is not None:
        when = times(device).relative(moment_s)
        operator.info(f"The renewal point of realm {record.name} is {when}.")


def outdated(device: Appliance, view: View) -> set[str]:
    """The realms that a view configures, or whose entity it does, and whose request under way goes
    on by other settings than those of now."""
    realms, concerned = device.settings.realms, set()
    if view.kind == REALM:
        concerned = {view.name} & realms.keys()
    elif view.kind == ENTITY:
        concerned = {key for key, one in realms.items() if fold(one.entity or "") == view.name}
    return {realms[key].name for key in concerned if device.applications.is_outdated(key)}


def warn_of_request(warn: Callable[[str], None], name: str) -> None:
    """What is under way goes on as it was asked for."""
    warn(
        f"The request of realm {name} that is under way keeps the settings that it was made"
        f" with; `pki abort-request realm {name}` gives it up."
    )


def realm(operator: Operator, name: str) -> Realm:
    record = operator.device.settings.realms.get(fold(name))
    if record is None:
        raise fail("realm-unknown", realm=name)
    return record


def named_realms(operator: Operator, args: Args) -> list[Realm]:
    """The realm of the line, or all of them."""
    if "NAME" in args:
        return [realm(operator, args.text("NAME"))]
    return list(operator.device.settings.realms.values())


def still_there(operator: Operator, records: list[Realm]) -> Iterator[Realm]:
    """Those that no other session has removed by the time that their page is shown."""
    for record in records:
        if fold(record.name) in operator.device.settings.realms:
            yield record


def entity(operator: Operator, name: str) -> Entity:
    record = operator.device.settings.entities.get(fold(name))
    if record is None:
        raise fail("entity-unknown", name=name)
    return record


def removable_realm(operator: Operator, name: str) -> Realm:
    """A realm that this session may remove: with it goes the CA that was trusted."""
    record = realm(operator, name)
    if fold(name) == DEFAULT_REALM:
        raise fail("realm-default")
    if record.fingerprint or operator.device.ca(record.name):
        refuse_below_secrets(
            operator.level, f"remove realm {record.name}, which holds a trusted CA"
        )
    return record


def doubt(operator: Operator, record: Realm) -> str | None:
    """What would be lost with a realm: "has ..."; None when nothing is."""
    if operator.device.local(record.name):
        return "has a certificate in use"
    if operator.device.status(record.name).transaction:
        return "has a request under way"
    return None


def refuse_below_secrets(level: int, what: str) -> None:
    """What decides about trust is for those who may type `fingerprint`."""
    if level < SECRET_LEVEL:
        raise fail("level-too-low", what=what, wanted=SECRET_LEVEL, level=level)


def refuse_another_ra(operator: Operator, record: Realm) -> None:
    """Whoever chooses the RA reads the password, so an RA stays until level 3 takes it away."""
    if record.ra:
        refuse_below_secrets(
            operator.level, f"change `enrollment-url` of realm {record.name}, which has an RA"
        )


def refuse_used_entity(operator: Operator, record: Entity) -> None:
    """A realm never loses the name that it applies for behind its back."""
    for user in operator.device.settings.realms.values():
        if user.entity is not None and fold(user.entity) == fold(record.name):
            raise fail("entity-used", name=record.name, realm=user.name)


def key_pair(operator: Operator, name: str, *, is_made: bool = False) -> str:
    """The name of a key pair that is there; unlike other names its case counts (VRP).

    is_made: it need not be there; a name that differs by its case alone is refused all the same.
    """
    names = operator.keys.names()
    if name in names:
        return name
    for other in sorted(names):
        if fold(other) == fold(name):
            raise fail("key-case", name=name, other=other)
    if is_made:
        return name
    raise fail("key-unknown", name=name)


def refuse_to_replace(operator: Operator, name: str) -> None:
    """A key pair that a realm uses; one that is missing may be made for the realm that names it."""
    if name in operator.keys.names():
        refuse_used_key(operator, name)


def warn_of_key(operator: Operator, record: Realm) -> None:
    """A realm that applies by itself gets a key pair made that is not there."""
    name = record.key_pair
    if name is None or name in operator.keys.names():
        return
    when = (
        "it will be made when the realm applies"
        if record.auto_enroll
        else f"create it with `pki rsa local-key-pair create {name}`"
    )
    operator.warn(f"There is no RSA key pair {name} yet; {when}.")


def refuse_used_key(operator: Operator, name: str, beside: str | None = None) -> None:
    """One key pair serves one realm at a time; `beside` is the realm that may have it."""
    user = operator.keys.user(name, fold(beside or ""))
    if user is not None and (beside is None or fold(user) != fold(beside)):
        raise fail("key-used", name=name, realm=user)


def survey(operator: Operator, shown: Callable[[list[Glance]], Document]) -> None:
    """Shows what a look at every realm has found."""

    def looked(found: object) -> None:
        operator.show(shown(found if isinstance(found, list) else []))

    operator.start(
        "Looking at every realm",
        lambda task: operator.device.survey(task.done),
        looked,
        left="Nothing is shown.",
    )


def describe(
    operator: Operator,
    kind: Kind,
    nothing: str,
    places: list[certificates.Shown],
    found: list[bytes],
) -> None:
    """Shows what the worker reads in certificates, requests, lists; `nothing` if there is none."""

    def described(texts: object) -> None:
        read = (
            [one for one in texts if isinstance(one, Described)] if isinstance(texts, list) else []
        )
        operator.show(certificates.described(kind, places, read))

    if not found:
        if operator.wants_json:
            described([])
        else:
            operator.info(nothing)
        return
    operator.start(
        "Reading what is stored",
        lambda task: operator.device.describe(certificates.OF[kind.name], found, task.done),
        described,
        left="Nothing is shown.",
    )


def interface(operator: Operator, args: Args) -> str:
    """An interface in the spelling that is kept: `eth0`, `GigabitEthernet0/0/1`."""
    alone = "INTERFACE" in args and "NUMBER" not in args
    typed = args.text("INTERFACE") if alone else f"{args.text('TYPE')} {args.text('NUMBER')}"
    return operator.device.interface_name(typed)


def warn_of_source(operator: Operator, address: str | None, name: str | None) -> None:
    """A source that is not there is kept with a warning."""
    try:
        found = operator.device.interfaces()
    except HalError:
        return  # the connection will say what is wrong
    if address and not any(address in one.addresses for one in found):
        operator.warn(f"No interface has the address {address} now; the setting is kept.")
    if name:
        linux_name = operator.device.linux_name(name)
        one = next((one for one in found if one.name == linux_name), None)
        if one is None:
            operator.warn(f"There is no interface {name} now; the setting is kept. {LOOK}")
        elif not one.addresses:
            operator.warn(f"Interface {name} has no address now; the setting is kept. {LOOK}")


def warn_of_digest(operator: Operator, args: Args) -> None:
    for digest in args.chosen(BROKEN_DIGESTS):
        operator.warn(f"{digest} is broken: use it only if the CA can do nothing better.")


def warn_of_clock(operator: Operator) -> None:
    """Dates of certificates are not checked by a clock that is not trusted."""
    if not operator.device.clock_trusted():
        state = operator.device.system.clock()
        says = times(operator.device).moment(state.says_s)
        operator.warn(f"The clock says {says}: {state.why}.")
