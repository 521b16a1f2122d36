"""Certificates that come and go otherwise than by an application, and what is there."""

from __future__ import annotations

from agent import limits
from agent.appliance import Certificate, FromFile
from agent.console.commands import files, lookups, names
from agent.console.commands.operator import Operator
from agent.console.commands.rows import SECRET_LEVEL, Row, display, setting
from agent.console.displays import certificates
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import SYSTEM
from agent.settings import fold

KINDS = ("ca", "local")


def _kind(args: Args) -> str:
    return args.chosen(KINDS)[0]


def _name(kind: str) -> str:
    """The keyword as it is written in a sentence."""
    return {"ca": "CA", "next": "waiting"}.get(kind, kind)


def get_local_certificate(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    serial = args.text("SERIAL") if "SERIAL" in args else None

    def told(in_use_already: object) -> None:
        how = "is already in use: nothing was written" if in_use_already else "was stored"
        operator.info(f"The local certificate of realm {record.name} {how}.")

    operator.start(
        f"Getting the local certificate of realm {record.name}",
        lambda task: operator.device.exchange.get_local(record.name, serial, task, task.done),
        told,
    )


def import_certificate(operator: Operator, args: Args) -> None:
    record, kind = lookups.realm(operator, args.text("NAME")), _kind(args)
    if kind == "ca":
        lookups.refuse_below_secrets(operator.level, "decide which CA is trusted")
    exchange = operator.device.exchange
    begin = exchange.import_ca if kind == "ca" else exchange.import_local
    file = args.text("FILENAME") if "FILENAME" in args else f"{record.name}_{kind}.cer"
    form = args.chosen(files.FORMATS)[0] if "FILENAME" in args else None

    def imported(_result: object) -> None:
        operator.info(f"The {_name(kind)} certificate of realm {record.name} was imported.")

    def with_password(password: str | None) -> None:
        operator.start(
            f"Importing the {_name(kind)} certificate of realm {record.name}",
            lambda task: begin(record.name, FromFile(file, form, password), task, task.done),
            imported,
        )

    files.with_password(operator, args, with_password)


def export_certificate(operator: Operator, args: Args) -> None:
    record, kind = lookups.realm(operator, args.text("NAME")), _kind(args)
    form = args.chosen(files.FORMATS)[0]
    file = f"{record.name}_{kind}.{files.ENDINGS[form]}"
    if "FILENAME" in args:
        file = args.text("FILENAME")

    def with_password(password: str | None) -> None:
        operator.start(
            f"Exporting the {_name(kind)} certificate of realm {record.name}",
            lambda task: operator.device.exchange.export(
                record.name, kind, FromFile(file, form, password), task.done
            ),
            lambda _result: operator.info(f"The file {file} was written."),
        )

    def write() -> None:
        if form == "pkcs12":
            files.new_password(operator, args, with_password)
        else:
            with_password(None)

    files.to_file(operator, file, write)


def delete_certificate(operator: Operator, args: Args) -> None:
    if "FILENAME" in args:
        files.delete_file(operator, args)
        return
    record, kind = lookups.realm(operator, args.text("NAME")), _kind(args)
    if kind == "ca":
        lookups.refuse_below_secrets(operator.level, "forget which CA is trusted")

    def answered(yes: bool) -> None:
        if yes:
            operator.device.exchange.delete(record.name, kind)
            operator.info(f"The {_name(kind)} certificate of realm {record.name} was deleted.")

    device = operator.device
    if not (device.ca(record.name) if kind == "ca" else device.local(record.name)):
        answered(True)  # nothing is there to be asked about: the device says so
        return
    operator.question(
        f"The {_name(kind)} certificate of realm {record.name} will be deleted; its file in device"
        " storage stays. Continue?",
        answered,
    )


def validate_certificate(operator: Operator, args: Args) -> None:
    record, kind = lookups.realm(operator, args.text("NAME")), _kind(args)
    file = args.text("FILENAME") if "FILENAME" in args else None

    def told(result: object) -> None:
        operator.show(certificates.validation(result if isinstance(result, list) else []))

    operator.start(
        "Validating",
        lambda task: operator.device.exchange.validate(record.name, kind, task.done, file),
        told,
        left="Nothing is shown.",
    )


def show_certificates(operator: Operator, args: Args) -> None:
    """Fields of a certificate are read in the worker, never in the agent."""
    kind = "ca" if "ca" in args else "next" if "next" in args else "local"
    if "FILENAME" in args:
        name = args.text("FILENAME")
        _describe(
            operator, kind, [(certificates.Shown("", name), operator.device.storage.read(name))]
        )
        return
    if operator.device.unusable:
        _show_files(operator, args, kind)
        return
    found: list[tuple[certificates.Shown, Certificate]] = []
    for record in lookups.named_realms(operator, args):
        place = certificates.Shown(record.name, f"{record.name}_{kind}.cer")
        if kind == "ca":
            ca = operator.device.ca(record.name)
            found += [(place, one) for one in ca.certificates] if ca else []
            # The next CA is in no file: nobody is to use it before the CA has changed.
            found += [(place._replace(file=""), ca.next)] if ca and ca.next else []
        else:
            held = operator.device.waiting if kind == "next" else operator.device.local
            local = held(record.name)
            found += [(place, local)] if local else []
    _describe(operator, kind, [(place, one.der) for place, one in found])


def _show_files(operator: Operator, args: Args, kind: str) -> None:
    """Where the records cannot be read: what the files of storage hold, whoever wrote them."""
    ending, storage = f"_{kind}.cer", operator.device.storage
    wanted = f"{args.text('NAME')}{ending}" if "NAME" in args else ""
    names = [entry.name for entry in storage.entries() if entry.name.endswith(ending)]
    found = [name for name in names if not wanted or fold(name) == fold(wanted)]
    _describe(operator, kind, [(certificates.Shown("", n), storage.read(n)) for n in found])


def _describe(operator: Operator, kind: str, found: list[tuple[certificates.Shown, bytes]]) -> None:
    lookups.describe(
        operator,
        certificates.CERTIFICATE,
        f"There is no {_name(kind)} certificate.",
        [place for place, _ in found],
        [data for _, data in found],
    )


ROWS = (
    Row(
        "pki get-certificate local realm NAME [ serial-number SERIAL ]",
        (SYSTEM,),
        get_local_certificate,
        {"NAME": names.REALM, "SERIAL": parameters.SERIAL},
        words={"serial-number": "Which one, if not that of the certificate in use"},
    ),
    Row(
        "pki import-certificate { ca | local } realm NAME"
        " [ { pem | der | pkcs12 } filename FILENAME [ password PASSWORD ] ]",
        (SYSTEM,),
        import_certificate,
        {"NAME": names.REALM, **files.PARAMETERS},
        words=files.WORDS,
    ),
    Row(
        "pki export-certificate { ca | local } realm NAME { pem | der | pkcs12 }"
        " [ filename FILENAME ] [ password PASSWORD ]",
        (SYSTEM,),
        export_certificate,
        {"NAME": names.REALM, **files.NEW},
        words=files.WORDS,
        level=SECRET_LEVEL,
    ),
    Row(
        "pki delete-certificate { ca | local } { realm NAME | filename FILENAME }",
        (SYSTEM,),
        delete_certificate,
        {"NAME": names.REALM, **files.PARAMETERS},
    ),
    Row(
        "pki validate-certificate { ca | local } realm NAME [ filename FILENAME ]",
        (SYSTEM,),
        validate_certificate,
        {"NAME": names.REALM, **files.PARAMETERS},
        shows=certificates.VALIDATION,
    ),
)
SHOW = display(
    "pki certificate { ca | local [ next ] } [ realm NAME | filename FILENAME ]",
    show_certificates,
    certificates.CERTIFICATE,
    {"NAME": names.REALM, **files.PARAMETERS},
)._replace(words={"next": "The one that waits for its turn"})
PREWARNING = setting(
    SYSTEM,
    "pki set-certificate expire-prewarning",
    "DAYS",
    parameters.integer(
        "Days before the end of a certificate",
        *limits.PREWARNING_DAYS,
        default=limits.PREWARNING_DEFAULT_DAYS,
    ),
    "prewarning_days",
)
