"""Commands about certificates and keys that come and go by other ways than an application: files
of device storage, the CA's certificates by themselves, requests that somebody carries."""

from collections.abc import Callable

from agent.appliance import FromFile
from agent.console.commands import lookups, protection
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, SECRET_LEVEL, Row
from agent.console.displays import certificates
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, SYSTEM
from agent.errors import fail

REALM_NAME = parameters.name("Name of a realm")
KEY_NAME = parameters.name("Name of an RSA key pair")
KINDS = ("ca", "local")
FORMATS = ("pem", "der", "pkcs12")
ENDINGS = {"pem": "pem", "der": "der", "pkcs12": "p12"}


def _kind(args: Args) -> str:
    return args.chosen(KINDS)[0]


def _name(kind: str) -> str:
    """The keyword as it is written in a sentence."""
    return "CA" if kind == "ca" else kind


def _with_password(operator: Operator, args: Args, use: Callable[[str | None], None]) -> None:
    """PKCS#12 always has a password; it is asked for when the line does not hold it."""
    if "PASSWORD" in args:
        use(args.text("PASSWORD"))
    elif "pkcs12" in args:
        operator.ask("Enter the password of the file: ", use, hidden=True)
    else:
        use(None)


# -- in --------------------------------------------------------------------------------------------


def get_certificate(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    lookups.refuse_below_secrets(operator.level, "decide which CA is trusted")
    exchange = operator.device.exchange
    begin, what = exchange.get_ca, "The CA certificates"
    if "next" in args:
        begin, what = exchange.get_next_ca, "The certificates of the next CA"
    operator.start(
        f"Getting {what[0].lower()}{what[1:]} of realm {record.name}",
        lambda hold: begin(record.name, hold, hold.done),
        lambda _result: operator.info(f"{what} of realm {record.name} were stored."),
    )


def get_local_certificate(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    serial = args.text("SERIAL") if "SERIAL" in args else None

    def told(in_use_already: object) -> None:
        how = "is already in use: nothing was written" if in_use_already else "was stored"
        operator.info(f"The local certificate of realm {record.name} {how}.")

    operator.start(
        f"Getting the local certificate of realm {record.name}",
        lambda hold: operator.device.exchange.get_local(record.name, serial, hold, hold.done),
        told,
    )


def import_certificate(operator: Operator, args: Args) -> None:
    record, kind = lookups.realm(operator, args.text("NAME")), _kind(args)
    if kind == "ca":
        lookups.refuse_below_secrets(operator.level, "decide which CA is trusted")
    exchange = operator.device.exchange
    begin = exchange.import_ca if kind == "ca" else exchange.import_local
    file = args.text("FILENAME") if "FILENAME" in args else f"{record.name}_{kind}.cer"
    form = args.chosen(FORMATS)[0] if "FILENAME" in args else None

    def imported(_result: object) -> None:
        operator.info(f"The {_name(kind)} certificate of realm {record.name} was imported.")

    def with_password(password: str | None) -> None:
        operator.start(
            f"Importing the {_name(kind)} certificate of realm {record.name}",
            lambda hold: begin(record.name, FromFile(file, form, password), hold, hold.done),
            imported,
        )

    _with_password(operator, args, with_password)


def import_key_pair(operator: Operator, args: Args) -> None:
    name, form = args.text("NAME"), args.chosen(FORMATS)[0]
    lookups.refuse_used_key(operator, name)

    def imported(_result: object) -> None:
        operator.info(f"The RSA key pair {name} was imported.")

    def with_password(password: str | None) -> None:
        what = FromFile(args.text("FILENAME"), form, password)
        operator.start(
            f"Importing the RSA key pair {name}",
            lambda hold: operator.device.exchange.import_key(
                name, what, "exportable" in args, hold.done
            ),
            imported,
        )

    def answered(yes: bool) -> None:
        if yes:
            _with_password(operator, args, with_password)

    if name in operator.key_names():
        operator.question(
            f"The key pair {name} exists and will be overwritten. Continue?", answered
        )
    else:
        answered(True)


# -- out -------------------------------------------------------------------------------------------


def _to_file(operator: Operator, file: str, write: Callable[[], None]) -> None:
    """Asks before a file of that name is overwritten."""

    def answered(yes: bool) -> None:
        if yes:
            write()

    if operator.device.storage.exists(file):
        operator.question(f"The file {file} exists and will be overwritten. Continue?", answered)
    else:
        write()


def _new_password(operator: Operator, args: Args, use: Callable[[str | None], None]) -> None:
    """A password for a file that is written: given, or asked for twice."""
    prompt = "Enter a password for the file: "
    protection.take(operator, args, parameters.PLAIN, use, prompt)


def export_certificate(operator: Operator, args: Args) -> None:
    record, kind = lookups.realm(operator, args.text("NAME")), _kind(args)
    form = args.chosen(FORMATS)[0]
    file = f"{record.name}_{kind}.{ENDINGS[form]}"
    if "FILENAME" in args:
        file = args.text("FILENAME")

    def with_password(password: str | None) -> None:
        operator.start(
            f"Exporting the {_name(kind)} certificate of realm {record.name}",
            lambda hold: operator.device.exchange.export(
                record.name, kind, FromFile(file, form, password), hold.done
            ),
            lambda _result: operator.info(f"The file {file} was written."),
        )

    def write() -> None:
        if form == "pkcs12":
            _new_password(operator, args, with_password)
        else:
            with_password(None)

    _to_file(operator, file, write)


def export_key_pair(operator: Operator, args: Args) -> None:
    name, file, form = args.text("NAME"), args.text("FILENAME"), args.chosen(FORMATS)[0]

    def with_password(password: str | None) -> None:
        operator.start(
            f"Exporting the RSA key pair {name}",
            lambda hold: operator.device.exchange.export_key(
                name, FromFile(file, form, password), hold.done
            ),
            lambda _result: operator.info(f"The file {file} was written."),
        )

    _to_file(operator, file, lambda: _new_password(operator, args, with_password))


def request(operator: Operator, args: Args) -> None:
    """Who carries the file can read it, so the challenge stays out unless it is asked for."""
    record = lookups.realm(operator, args.text("NAME"))
    file = args.text("FILENAME") if "FILENAME" in args else f"{record.name}.req"
    wanted = "with-password" in args
    if wanted and operator.level < SECRET_LEVEL:
        raise fail("level-needed", wanted=SECRET_LEVEL, level=operator.level)
    challenge = "with" if wanted and record.password else "without"

    def write() -> None:
        operator.start(
            f"Making a request for realm {record.name}",
            lambda hold: operator.device.exchange.request(record.name, file, wanted, hold.done),
            written,
        )

    def written(_result: object) -> None:
        operator.info(f"The file {file} was written, {challenge} the challenge password in it.")
        operator.line(
            f" Next step: have the CA sign it, put its answer into device storage, and type"
            f" `pki import-certificate local realm {record.name} ...`."
        )

    _to_file(operator, file, write)


# -- what is there ---------------------------------------------------------------------------------


def delete_certificate(operator: Operator, args: Args) -> None:
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

    def told(result: object) -> None:
        operator.show(certificates.validation(result if isinstance(result, list) else []))

    operator.start(
        "Validating",
        lambda hold: operator.device.exchange.validate(record.name, kind, hold.done),
        told,
        left="Nothing is shown.",
    )


def diagnose(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))

    def told(result: object) -> None:
        checks = result if isinstance(result, list) else []
        failed = any(check.result == "failed" for check in checks)
        operator.show(certificates.diagnosis(checks), failed=failed)

    operator.start(
        f"Checking realm {record.name}",
        lambda hold: operator.device.diagnose(record.name, hold.done),
        told,
        left="Nothing is shown.",
    )


def get_crl(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    operator.start(
        f"Getting the revocation list of realm {record.name}",
        lambda hold: operator.device.revocation.fetch(record.name, hold, hold.done),
        lambda _result: operator.info(f"The revocation list of realm {record.name} was stored."),
    )


_REALM = {"NAME": REALM_NAME}
_FILE = {"FILENAME": parameters.FILE, "PASSWORD": parameters.PLAIN}
_KEY = {"NAME": KEY_NAME, **_FILE}
_WORDS = {"password": "Password of the file"}

ROWS = (
    Row("pki get-certificate ca realm NAME [ next ]", (SYSTEM,), get_certificate, _REALM),
    Row(
        "pki get-certificate local realm NAME [ serial-number SERIAL ]",
        (SYSTEM,),
        get_local_certificate,
        {**_REALM, "SERIAL": parameters.SERIAL},
        words={"serial-number": "Which one, if not that of the certificate in use"},
    ),
    Row(
        "pki import-certificate { ca | local } realm NAME"
        " [ { pem | der | pkcs12 } filename FILENAME [ password PASSWORD ] ]",
        (SYSTEM,),
        import_certificate,
        {**_REALM, **_FILE},
        words=_WORDS,
    ),
    Row(
        "pki export-certificate { ca | local } realm NAME { pem | der | pkcs12 }"
        " [ filename FILENAME ] [ password PASSWORD ]",
        (SYSTEM,),
        export_certificate,
        {**_REALM, **_FILE},
        words=_WORDS,
        level=SECRET_LEVEL,
    ),
    Row("pki delete-certificate { ca | local } realm NAME", (SYSTEM,), delete_certificate, _REALM),
    Row(
        "pki validate-certificate { ca | local } realm NAME",
        (SYSTEM,),
        validate_certificate,
        _REALM,
        shows=certificates.VALIDATION,
    ),
    Row(
        "pki enroll-certificate realm NAME pkcs10 [ filename FILENAME ] [ with-password ]",
        (SYSTEM,),
        request,
        {**_REALM, **_FILE},
    ),
    Row(
        "pki import rsa-key-pair NAME { pem | pkcs12 } FILENAME"
        " [ exportable ] [ password PASSWORD ]",
        (SYSTEM,),
        import_key_pair,
        _KEY,
        words=_WORDS,
        level=SECRET_LEVEL,
    ),
    Row(
        "pki export rsa-key-pair NAME { pem | pkcs12 } FILENAME [ password PASSWORD ]",
        (SYSTEM,),
        export_key_pair,
        _KEY,
        words=_WORDS,
        level=SECRET_LEVEL,
    ),
    Row(
        "diagnose realm NAME",
        EVERYWHERE,
        diagnose,
        _REALM,
        level=DISPLAY_LEVEL,
        shows=certificates.DIAGNOSIS,
    ),
    Row("pki get-crl realm NAME", (SYSTEM,), get_crl, _REALM),
)
