"""Commands of the user view and the system view, but the displays."""

from collections.abc import Callable, Iterator

from agent import limits
from agent.console.commands import entity, lookups, realm
from agent.console.commands.operator import Operator
from agent.console.commands.rows import VISIT_LEVEL, Row, one_of, rendered, setting
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import CONFIGURATION, ENTITY, EVERYWHERE, REALM, SYSTEM, USER
from agent.errors import fail
from agent.settings import Entity, Realm, Settings, fold

REALM_NAME = parameters.name("Name of a realm")
ENTITY_NAME = parameters.name("Name of an entity")
KEY_NAME = parameters.name("Name of an RSA key pair")


# -- views, session --------------------------------------------------------------------------------


def system_view(operator: Operator, _args: Args) -> None:
    operator.enter(SYSTEM)
    operator.info("Ctrl+Z or `return` leads back to the user view.")


def leave(operator: Operator, _args: Args) -> None:
    operator.leave()


def back_to_user(operator: Operator, _args: Args) -> None:
    operator.enter(USER)


def block_end(operator: Operator, _args: Args) -> None:
    """`#` separates the blocks of a configuration: the next line belongs to the system view.

    In the user view it may be that of a block, so that a configuration can be pasted there.
    """
    if operator.view.kind in CONFIGURATION:
        operator.enter(SYSTEM)
    else:
        operator.enter(USER, "#")


# -- realms and entities ---------------------------------------------------------------------------


def open_realm(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    operator.device.settings.realms.setdefault(fold(name), Realm(name))
    operator.enter(REALM, fold(name))


def remove_realm(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    record = lookups.removable_realm(operator, name)

    def answered(yes: bool) -> None:
        if yes:
            found = lookups.removable_realm(operator, name)  # other sessions went on meanwhile
            del operator.device.settings.realms[fold(name)]
            operator.device.forget_realm(found.name)

    doubt = lookups.doubt(operator, record)
    if doubt:
        operator.question(
            f"Realm {record.name} {doubt}. All of it will be removed. Continue?", answered
        )
    else:
        answered(True)


def render_realms(settings: Settings) -> Iterator[str]:
    for record in list(settings.realms.values()):  # a page waits while others configure
        yield f"pki realm {record.name}"
        yield from (f" {line}" for line in rendered(realm.ROWS, record))


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
        yield from (f" {line}" for line in rendered(entity.ROWS, record))


# -- key pairs -------------------------------------------------------------------------------------


def create_key_pair(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    lookups.refuse_used_key(operator, name)

    def with_size(bits: int) -> None:
        lookups.refuse_used_key(operator, name)  # since the questions a realm may have taken it

        def created(_result: object) -> None:
            operator.info(f"The RSA key pair {name} of {bits} bits was created.")

        operator.start(
            f"Generating the RSA key pair {name} of {bits} bits",
            lambda hold: operator.device.create_key_pair(
                name, bits, "exportable" in args, hold.done
            ),
            created,
        )

    def answered(yes: bool) -> None:
        if yes and operator.terminal and "BITS" not in args:
            _ask_size(operator, with_size)
        elif yes:
            with_size(args.number("BITS", limits.KEY_BITS_DEFAULT))

    if name in operator.key_names():
        operator.question(
            f"The key pair {name} exists and will be overwritten. Continue?", answered
        )
    else:
        answered(True)


def _ask_size(operator: Operator, with_size: Callable[[int], None]) -> None:
    low, high = limits.KEY_BITS

    def read(line: str) -> None:
        try:
            bits = parameters.MODULUS.read(line.strip() or str(limits.KEY_BITS_DEFAULT))
        except ValueError as error:
            raise fail("size-refused", reason=error) from None
        with_size(int(str(bits)))

    operator.info(f"The size of the key is {low} to {high} bits.")
    operator.ask(f"Enter the size (nothing for {limits.KEY_BITS_DEFAULT}): ", read)


def destroy_key_pair(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    if not operator.device.key_pair_unreadable(name):
        name = lookups.key_pair(operator, name)
    lookups.refuse_used_key(operator, name)

    def answered(yes: bool) -> None:
        if yes:
            operator.device.destroy_key_pair(name)
            operator.info(f"The RSA key pair {name} was destroyed.")

    operator.question(f"The key pair {name} will be destroyed for ever. Continue?", answered)


# -- applications ----------------------------------------------------------------------------------


def enroll(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    record = lookups.realm(operator, name)
    plain = args.text("PASSWORD") if "PASSWORD" in args else None

    def applied(_result: object) -> None:
        status = operator.device.status(record.name)
        operator.info(f"Realm {record.name}: {status.state}: {status.why}.")
        if status.next_step != "-":
            due = (
                f", {lookups.times(operator.device).relative(status.next_s)}"
                if status.next_s
                else ""
            )
            operator.line(f" Next step: {status.next_step}{due}.")

    def answered(yes: bool) -> None:
        if yes:
            lookups.warn_of_clock(operator)
            lookups.realm(operator, name)  # it may have gone while the question was open
            operator.start(
                f"Applying for a certificate of realm {record.name}",
                lambda hold: operator.device.enrol(record.name, plain, hold, hold.done),
                applied,
            )

    held = operator.device.local(record.name)
    if held and held.not_after_s > operator.device.wall_s():
        operator.question(
            f"Realm {record.name} has a valid certificate. A new one takes its place. Continue?",
            answered,
        )
    else:
        answered(True)


def abort_request(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    if operator.device.abort_request(record.name):
        operator.info(f"The request of realm {record.name} was given up.")
    else:
        operator.info(f"Realm {record.name} has no request under way.")


ROWS = (
    Row("system-view", (USER,), system_view),
    Row("quit", EVERYWHERE, leave, level=VISIT_LEVEL, marks=True),
    Row("return", CONFIGURATION, back_to_user, level=VISIT_LEVEL, marks=True),
    Row("#", EVERYWHERE, block_end, level=VISIT_LEVEL, marks=True),
    setting(SYSTEM, "sysname", "NAME", parameters.SYSNAME, "sysname")._replace(
        render=lambda settings: [f"sysname {settings.sysname}"]  # shown always, as VRP does
    ),
    one_of(SYSTEM, "pki file-format", ("der", "pem"), "file_format"),
    Row(
        "pki entity NAME",
        (SYSTEM,),
        open_entity,
        {"NAME": ENTITY_NAME},
        render=render_entities,
        undo="pki entity NAME",
        undone=remove_entity,
        opens=ENTITY,
    ),
    Row(
        "pki realm NAME",
        (SYSTEM,),
        open_realm,
        {"NAME": REALM_NAME},
        render=render_realms,
        undo="pki realm NAME",
        undone=remove_realm,
        opens=REALM,
    ),
    Row(
        "pki rsa local-key-pair create NAME [ modulus BITS ] [ exportable ]",
        (SYSTEM,),
        create_key_pair,
        {"NAME": KEY_NAME, "BITS": parameters.MODULUS},
    ),
    Row("pki rsa local-key-pair destroy NAME", (SYSTEM,), destroy_key_pair, {"NAME": KEY_NAME}),
    Row(
        "pki enroll-certificate realm NAME [ password PASSWORD ]",
        (SYSTEM,),
        enroll,
        {"NAME": REALM_NAME, "PASSWORD": parameters.PLAIN},
    ),
    Row("pki abort-request realm NAME", (SYSTEM,), abort_request, {"NAME": REALM_NAME}),
)
