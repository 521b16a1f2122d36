"""Revocation lists: where they are, how they are got, whether certificates are checked by them."""

from __future__ import annotations

from collections.abc import Iterator

from agent.console.commands import files, lookups, names
from agent.console.commands.operator import Operator
from agent.console.commands.rows import SECRET_LEVEL, Row, display, restore
from agent.console.displays import certificates
from agent.console.language import urls
from agent.console.language.grammar import Args
from agent.console.language.views import REALM, SYSTEM
from agent.settings import Realm

CHECKS = ("crl", "none")


def crl_scep(operator: Operator, _args: Args) -> None:
    operator.record(REALM).crl_scep = True


def render_crl_scep(record: Realm) -> Iterator[str]:
    if record.crl_scep:
        yield "crl scep"


def cdp_url(operator: Operator, args: Args) -> None:
    record = operator.record(REALM)
    record.cdp_from_ca, record.cdp_esc = "from-ca" in args, "esc" in args
    key = "ESCAPED" if record.cdp_esc else "CDP"
    record.cdp_url = None if record.cdp_from_ca else args.text(key)


def render_cdp_url(record: Realm) -> Iterator[str]:
    if record.cdp_from_ca:
        yield "cdp-url from-ca"
    elif record.cdp_url:
        yield f"cdp-url {urls.shown(record.cdp_url, record.cdp_esc)}"


def certificate_check(operator: Operator, args: Args) -> None:
    operator.record(REALM).certificate_check = args.chosen(CHECKS)


def render_certificate_check(record: Realm) -> Iterator[str]:
    if record.certificate_check:
        yield f"certificate-check {' '.join(record.certificate_check)}"


def get_crl(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    operator.start(
        f"Getting the revocation list of realm {record.name}",
        lambda task: operator.device.revocation.fetch(record.name, task, task.done),
        lambda _result: operator.info(f"The revocation list of realm {record.name} was stored."),
    )


def import_crl(operator: Operator, args: Args) -> None:
    record, file = lookups.realm(operator, args.text("NAME")), args.text("FILENAME")
    revocation = operator.device.revocation
    operator.start(
        f"Importing the revocation list of realm {record.name}",
        lambda task: revocation.import_from(record.name, file, task, task.done),
        lambda _result: operator.info(f"The revocation list of realm {record.name} was imported."),
    )


def delete_crl(operator: Operator, args: Args) -> None:
    if "FILENAME" in args:
        files.delete_file(operator, args)
        return
    name = lookups.realm(operator, args.text("NAME")).name

    def answered(yes: bool) -> None:
        if yes:
            operator.device.revocation.delete(name)
            operator.info(f"The revocation list of realm {name} was deleted.")

    if operator.device.revocation.current(name) is None:
        answered(True)  # nothing is there to be asked about: the device says so
        return
    operator.question(
        f"The revocation list of realm {name} will be deleted; its file in device storage stays."
        " Until there is another one, the certificates on it count as good. Continue?",
        answered,
    )


def show_crl(operator: Operator, args: Args) -> None:
    if "FILENAME" in args:
        file = args.text("FILENAME")
        data = operator.device.storage.read(file)
        lookups.describe(operator, certificates.CRL, "", [certificates.Shown("", file)], [data])
        return
    names = [record.name for record in lookups.named_realms(operator, args)]
    found = [(name, operator.device.revocation.current(name)) for name in names]
    there = [(name, data) for name, data in found if data is not None]
    places = [certificates.Shown(name, f"{name}.crl") for name, _ in there]
    lists = [data for _, data in there]
    lookups.describe(operator, certificates.CRL, "There is no CRL.", places, lists)


SETTINGS = (
    Row(
        "crl scep",
        (REALM,),
        crl_scep,
        render=render_crl_scep,
        undo="crl scep",
        undone=restore(REALM, "crl_scep"),
    ),
    Row(
        "cdp-url { CDP | esc ESCAPED | from-ca }",
        (REALM,),
        cdp_url,
        {"CDP": urls.CDP, "ESCAPED": urls.ESCAPED_CDP},
        render=render_cdp_url,
        undo="cdp-url",
        undone=restore(REALM, "cdp_url", "cdp_esc", "cdp_from_ca"),
    ),
    Row(
        "certificate-check { crl [ none ] | none }",
        (REALM,),
        certificate_check,
        words={
            "crl": "By the revocation list of the CA",
            "none": "Accept without a check (after crl: if there is no list)",
        },
        render=render_certificate_check,
        undo="certificate-check",
        undone=restore(REALM, "certificate_check"),
    ),
)
_PARAMETERS = {"NAME": names.REALM, "FILENAME": names.FILE}
GET = Row("pki get-crl realm NAME", (SYSTEM,), get_crl, _PARAMETERS)
IMPORT = Row("pki import-crl realm NAME filename FILENAME", (SYSTEM,), import_crl, _PARAMETERS)
DELETE = Row(
    "pki delete-crl { realm NAME | filename FILENAME }",
    (SYSTEM,),
    delete_crl,
    _PARAMETERS,
    level=SECRET_LEVEL,
)
SHOW = display(
    "pki crl [ realm NAME | filename FILENAME ]", show_crl, certificates.CRL, _PARAMETERS
)
