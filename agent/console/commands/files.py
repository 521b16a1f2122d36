"""Files of device storage: their format, their passwords, what is asked before one is written."""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.console.commands import lookups, names, protection
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, SECRET_LEVEL, Row, one_of
from agent.console.displays import board
from agent.console.language import parameters, passwords, urls
from agent.console.language.grammar import Args
from agent.console.language.views import SYSTEM, USER
from agent.errors import fail
from agent.settings import DEFAULT_REALM, fold

FORMATS = ("pem", "der", "pkcs12")
ENDINGS = {"pem": "pem", "der": "der", "pkcs12": "p12"}


def with_password(operator: Operator, args: Args, use: Callable[[str | None], None]) -> None:
    """PKCS#12 always has a password; it is asked for when the line does not hold it."""

    def read(line: str) -> None:
        use(protection.read(passwords.PLAIN, line) if line else line)

    if "PASSWORD" in args:
        use(args.text("PASSWORD"))
    elif "pkcs12" in args:
        operator.ask("Enter the password of the file: ", read, hidden=True)
    else:
        use(None)


def to_file(operator: Operator, file: str, write: Callable[[], None]) -> None:
    """Asks before a file of that name is overwritten."""

    def answered(yes: bool) -> None:
        if yes:
            write()

    if operator.device.storage.exists(file):
        operator.question(f"The file {file} exists and will be overwritten. Continue?", answered)
    else:
        write()


def new_password(operator: Operator, args: Args, use: Callable[[str | None], None]) -> None:
    """A password for a file that is written: given, or asked for twice."""
    prompt = "Enter a password for the file: "
    protection.take(operator, args, passwords.PLAIN, use, prompt)


# -- files that are read and deleted ---------------------------------------------------------------

# What a file of PEM may hold that anybody of level 2 may see and delete.
_HARMLESS = {b"CERTIFICATE", b"X509 CRL"}
_BEGIN = re.compile(rb"-----BEGIN ([^-]*)-----")


def _guard(operator: Operator, name: str, data: bytes, what: str) -> None:
    """A private key, or the challenge in a request, is for level 3; so is a file of which the
    agent, which parses nothing, cannot tell."""
    labels = set(_BEGIN.findall(data))
    if operator.level < SECRET_LEVEL and not (labels and labels <= _HARMLESS):
        level, wanted = operator.level, SECRET_LEVEL
        raise fail("file-guarded", what=what, name=name, level=level, wanted=wanted)


def _keep(operator: Operator, name: str) -> None:
    """Files that the device has written of what it has, and would write again, or that it reads."""
    device, wanted = operator.device, fold(name)
    if device.unusable:
        raise fail("storage-unusable", reason=device.unusable.reason)
    for record in device.settings.realms.values():
        realm = record.name
        held = {
            f"{realm}_local.cer": device.local,
            f"{realm}_next.cer": device.waiting,
            f"{realm}_ca.cer": device.ca,
            f"{realm}.crl": device.revocation.current,
        }
        if any(wanted == fold(file) and look(realm) for file, look in held.items()):
            raise fail("file-kept", name=name, why=f"realm {realm} has what is in it")
        if record.https_ca_file is not None and wanted == fold(record.https_ca_file):
            raise fail("file-kept", name=name, why=f"`https ca-file` of realm {realm} names it")


def delete_file(operator: Operator, args: Args) -> None:
    name = args.text("FILENAME")

    def checked() -> None:
        _keep(operator, name)
        _guard(operator, name, operator.device.storage.read(name), "delete")

    def answered(yes: bool) -> None:
        if yes:
            checked()  # others went on meanwhile
            operator.device.storage.remove(name)
            operator.info(f"The file {name} was deleted.")

    checked()
    operator.question(f"The file {name} will be deleted for ever. Continue?", answered)


def fetch_file(operator: Operator, args: Args) -> None:
    url = args.text("ESCAPED" if "esc" in args else "URL")
    file = args.text("FILENAME")
    realm = lookups.realm(operator, args.text("NAME") if "NAME" in args else DEFAULT_REALM).name
    operator.start(
        f"Getting the file {file}",
        lambda task: operator.device.exchange.download(realm, url, file, task.done),
        lambda _result: operator.info(f"The file {file} was written."),
    )


def show_file(operator: Operator, args: Args) -> None:
    name = args.text("FILENAME")
    data = operator.device.storage.read(name)
    _guard(operator, name, data, "read")
    try:
        text = data.decode()
    except ValueError:
        text = "\0"
    if "\0" in text:
        raise fail("file-no-text", name=name)
    operator.show(board.file(text.splitlines()))


def show_files(operator: Operator, args: Args) -> None:
    found = operator.device.storage.entries()
    if "FILENAME" in args:
        found = [entry for entry in found if entry.name == args.text("FILENAME")]
        if not (found or operator.wants_json):
            operator.info("No file found.")
            return
    operator.show(board.files(found))


PARAMETERS = {"FILENAME": names.FILE, "PASSWORD": passwords.PLAIN}
NEW = {**PARAMETERS, "FILENAME": parameters.FILE}
WORDS = {"password": "Password of the file"}

FORMAT = one_of(SYSTEM, "pki file-format", ("der", "pem"), "file_format")
FETCH = Row(
    "pki http { URL | esc ESCAPED } FILENAME [ realm NAME ]",
    (SYSTEM,),
    fetch_file,
    {**NEW, "URL": urls.FILE, "ESCAPED": urls.ESCAPED_FILE, "NAME": names.REALM},
    words={"realm": "The realm whose source, VPN instance and CAs for https are used"},
    level=SECRET_LEVEL,
)
DELETE = Row("delete FILENAME", (USER,), delete_file, PARAMETERS)
MORE = Row("more FILENAME", (USER,), show_file, PARAMETERS, shows=board.FILE_TEXT)
DIR = Row(
    "dir [ FILENAME ]",
    (USER,),
    show_files,
    {"FILENAME": names.FILE},
    level=DISPLAY_LEVEL,
    shows=board.FILE,
)
