"""What handlers ask before they act; what is refused is an AgentError that says why."""

from typing import TYPE_CHECKING

from agent.appliance import Described
from agent.console.commands.rows import SECRET_LEVEL
from agent.console.displays import certificates
from agent.console.displays.document import Kind
from agent.console.language.grammar import Args
from agent.errors import fail
from agent.settings import Entity, Realm, fold
from hal.ports import HalError

if TYPE_CHECKING:
    from agent.console.session.holding import Holding
    from agent.console.session.session import Session

LOOK = "See `display interface brief`."


def realm(session: "Session", name: str) -> Realm:
    record = session.device.settings.realms.get(fold(name))
    if record is None:
        raise fail("realm-unknown", realm=name)
    return record


def entity(session: "Session", name: str) -> Entity:
    record = session.device.settings.entities.get(fold(name))
    if record is None:
        raise fail("entity-unknown", name=name)
    return record


def removable_realm(session: "Session", name: str) -> Realm:
    """A realm that this session may remove: with it goes the CA that was trusted."""
    record = realm(session, name)
    if fold(name) == "default":
        raise fail("realm-default")
    if record.fingerprint or session.device.ca(record.name):
        refuse_below_secrets(session, f"remove realm {record.name}, which holds a trusted CA")
    return record


def doubt(session: "Session", record: Realm) -> str | None:
    """What would be lost with a realm: "has ..."; None when nothing is."""
    if session.device.local(record.name):
        return "has a certificate in use"
    if session.device.status(record.name).transaction:
        return "has a request under way"
    return None


def refuse_below_secrets(session: "Holding", what: str) -> None:
    """What decides about trust is for those who may type `fingerprint`."""
    if session.level < SECRET_LEVEL:
        raise fail("level-too-low", what=what, wanted=SECRET_LEVEL, level=session.level)


def refuse_another_ra(session: "Holding", record: Realm) -> None:
    """Whoever chooses the RA reads the password, so an RA stays until level 3 takes it away."""
    if record.ra:
        refuse_below_secrets(
            session, f"change `enrollment-url` of realm {record.name}, which has an RA"
        )


def refuse_used_entity(session: "Session", record: Entity) -> None:
    """A realm never loses the name that it applies for behind its back."""
    for user in session.device.settings.realms.values():
        if user.entity is not None and fold(user.entity) == fold(record.name):
            raise fail("entity-used", name=record.name, realm=user.name)


def has_key_pair(session: "Session", name: str) -> bool:
    """Key pairs do not change while a configuration loads, so they are listed once for it."""
    if session.key_names is None or not session.loading:
        session.key_names = frozenset(pair.name for pair in session.device.key_pairs())
    return name in session.key_names


def key_pair(session: "Session", name: str) -> str:
    """The name of a key pair that is there; unlike other names its case counts (VRP)."""
    if has_key_pair(session, name):
        return name
    for other in sorted(session.key_names or ()):
        if fold(other) == fold(name):
            raise fail("key-case", name=name, other=other)
    raise fail("key-unknown", name=name)


def refuse_used_key(session: "Session", name: str, beside: str | None = None) -> None:
    """One key pair serves one realm at a time; `beside` is the realm that may have it."""
    user = session.device.key_pair_user(name)
    if user is not None and (beside is None or fold(user) != fold(beside)):
        raise fail("key-used", name=name, realm=user)


def describe(
    session: "Session",
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
        session.show(certificates.described(kind, places, read))

    if not found:
        if session.wants_json:
            described([])
        else:
            session.info(nothing)
        return
    session.start(
        "Reading what is stored",
        lambda hold: session.device.describe(certificates.OF[kind.name], found, hold.done),
        described,
        left="Nothing is shown.",
    )


def interface(args: Args) -> str:
    """The interface as typed: `eth0`, `GigabitEthernet 0/0/1`."""
    if "INTERFACE" in args and "NUMBER" not in args:
        return args.text("INTERFACE")
    return f"{args.text('TYPE')} {args.text('NUMBER')}"


def warn_of_source(session: "Session", address: str | None, name: str | None) -> None:
    """A source that is not there is kept with a warning; nobody reads one while loading."""
    if session.loading:
        return
    try:
        found = session.device.interfaces()
    except HalError:
        return  # the connection will say what is wrong
    if address and not any(address in one.addresses for one in found):
        session.warn(f"No interface has the address {address} now; the setting is kept.")
    if name:
        linux_name = session.device.linux_name(name)
        one = next((one for one in found if one.name == linux_name), None)
        if one is None:
            session.warn(f"There is no interface {name} now; the setting is kept. {LOOK}")
        elif not one.addresses:
            session.warn(f"Interface {name} has no address now; the setting is kept. {LOOK}")


def warn_of_clock(session: "Session") -> None:
    """Dates of certificates are not checked by a clock that is wrong beyond doubt."""
    clock = session.device.system.clock()
    if not clock.trusted:
        now = session.times().moment(session.device.wall_s())
        session.warn(f"The clock says {now}: {clock.why}.")
