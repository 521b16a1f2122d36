"""RSA key pairs: made, destroyed, read from files and written to them."""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import FromFile
from agent.console.commands import files, lookups, names
from agent.console.commands.operator import NewKey, Operator
from agent.console.commands.rows import SECRET_LEVEL, Row, display
from agent.console.displays import realms
from agent.console.displays.document import Document, total
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import SYSTEM
from agent.errors import fail


def confirm_device(operator: Operator, _args: Args) -> None:
    system = operator.device.system

    def answered(yes: bool) -> None:
        if yes:
            system.confirm_device()
            operator.info("It was confirmed that this device has replaced another one.")

    if system.moved:
        operator.question(
            "The key pairs of this device were made on another one. Has this device replaced it,"
            " and is the other one no longer in use?",
            answered,
        )
    else:
        operator.info("The key pairs of this device were made here, or this was confirmed.")


def create_key_pair(operator: Operator, args: Args) -> None:
    """In a text it is no act: a key pair that is there is left as it is, whoever uses it."""
    name, exportable = args.text("NAME"), "exportable" in args
    if operator.keys.noted(NewKey(name, args.number("BITS", limits.KEY_BITS_DEFAULT), exportable)):
        return
    lookups.refuse_to_replace(operator, name)

    def with_size(bits: int) -> None:
        lookups.refuse_to_replace(operator, name)  # since the questions a realm may have taken it

        def created(_result: object) -> None:
            operator.info(f"The RSA key pair {name} of {bits} bits was created.")

        operator.start(
            f"Generating the RSA key pair {name} of {bits} bits",
            lambda task: operator.device.create_key_pair(name, bits, exportable, task.done),
            created,
        )

    def answered(yes: bool) -> None:
        if yes and operator.terminal and "BITS" not in args:
            _ask_size(operator, with_size)
        elif yes:
            with_size(args.number("BITS", limits.KEY_BITS_DEFAULT))

    if name in operator.keys.names():
        operator.question(
            f"The key pair {name} exists and will be overwritten. Continue?", answered
        )
    else:
        answered(True)


def _ask_size(
    operator: Operator, with_size: Callable[[int], None], tries: int = limits.ANSWERS
) -> None:
    low, high = limits.KEY_BITS

    def read(line: str) -> None:
        try:
            bits = parameters.MODULUS.read(line.strip() or str(limits.KEY_BITS_DEFAULT))
        except ValueError as error:
            if tries == 1:
                raise fail("size-refused", reason=error) from None
            operator.warn(f"This key size is not possible: {error}.")
            _ask_size(operator, with_size, tries - 1)
        else:
            with_size(int(str(bits)))

    if tries == limits.ANSWERS:
        operator.info(f"The size of the key is {low} to {high} bits.")
    operator.ask(f"Enter the size (default {limits.KEY_BITS_DEFAULT}): ", read)


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


def import_key_pair(operator: Operator, args: Args) -> None:
    name, form = args.text("NAME"), args.chosen(files.FORMATS)[0]
    lookups.refuse_to_replace(operator, name)

    def imported(_result: object) -> None:
        operator.info(f"The RSA key pair {name} was imported.")

    def with_password(password: str | None) -> None:
        what = FromFile(args.text("FILENAME"), form, password)
        operator.start(
            f"Importing the RSA key pair {name}",
            lambda task: operator.device.exchange.import_key(
                name, what, "exportable" in args, task.done
            ),
            imported,
        )

    def answered(yes: bool) -> None:
        if yes:
            files.with_password(operator, args, with_password)

    if name in operator.keys.names():
        operator.question(
            f"The key pair {name} exists and will be overwritten. Continue?", answered
        )
    else:
        answered(True)


def export_key_pair(operator: Operator, args: Args) -> None:
    name, file, form = args.text("NAME"), args.text("FILENAME"), args.chosen(files.FORMATS)[0]

    def with_password(password: str | None) -> None:
        operator.start(
            f"Exporting the RSA key pair {name}",
            lambda task: operator.device.exchange.export_key(
                name, FromFile(file, form, password), task.done
            ),
            lambda _result: operator.info(f"The file {file} was written."),
        )

    files.to_file(operator, file, lambda: files.new_password(operator, args, with_password))


def show_key_pairs(operator: Operator, args: Args) -> None:
    pairs = operator.device.key_pairs()
    if "NAME" in args:
        name = lookups.key_pair(operator, args.text("NAME"))
        pairs = [pair for pair in pairs if pair.name == name]
    items = (realms.key_pair(pair, operator.device.key_pair_user(pair.name)) for pair in pairs)
    operator.show(Document(realms.KEY_PAIR, items, [total(len(pairs))]))


CREATE = Row(
    "pki rsa local-key-pair create NAME [ modulus BITS ] [ exportable ]",
    (SYSTEM,),
    create_key_pair,
    {"NAME": names.NEW_KEY, "BITS": parameters.MODULUS},
    marks=True,
)
DESTROY = Row(
    "pki rsa local-key-pair destroy NAME", (SYSTEM,), destroy_key_pair, {"NAME": names.KEY}
)
IMPORT = Row(
    "pki import rsa-key-pair NAME { pem | pkcs12 } FILENAME [ exportable ] [ password PASSWORD ]",
    (SYSTEM,),
    import_key_pair,
    {"NAME": names.NEW_KEY, **files.PARAMETERS},
    words=files.WORDS,
    level=SECRET_LEVEL,
)
EXPORT = Row(
    "pki export rsa-key-pair NAME { pem | pkcs12 } FILENAME [ password PASSWORD ]",
    (SYSTEM,),
    export_key_pair,
    {"NAME": names.KEY, **files.NEW},
    words=files.WORDS,
    level=SECRET_LEVEL,
)
SHOW = display(
    "pki rsa local-key-pair [ name NAME ] public",
    show_key_pairs,
    realms.KEY_PAIR,
    {"NAME": names.KEY},
)
CONFIRM = Row(
    "pki confirm-device",
    (SYSTEM,),
    confirm_device,
    words={"confirm-device": "This device has replaced the one that made its key pairs"},
    level=SECRET_LEVEL,
)
