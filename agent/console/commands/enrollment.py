"""Applications for certificates: how a request is made, sent, written to a file, given up."""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.console.commands import files, lookups, names, protection
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, SECRET_LEVEL, Row, display, one_of, restore
from agent.console.displays import brief as displays
from agent.console.displays import certificates, realms
from agent.console.displays.document import Document
from agent.console.language import parameters, passwords
from agent.console.language.grammar import Args
from agent.console.language.views import EVERYWHERE, REALM, SYSTEM
from agent.errors import fail
from agent.settings import AutoEnroll, Realm
from hal.annotations import Any

DIGESTS = ("md5", "sha1", "sha-256", "sha-384", "sha-512")
CIPHERS = ("aes128", "aes256", "3des")
TO_SET = "password cipher"


def enroll(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    record = lookups.realm(operator, name)
    plain = args.text("PASSWORD") if "PASSWORD" in args else None
    applications = operator.device.applications

    def answered(yes: bool) -> None:
        if yes:
            lookups.warn_of_clock(operator)
            lookups.realm(operator, name)  # it may have gone while the question was open
            operator.start(
                f"Applying for a certificate of realm {record.name}",
                lambda task: applications.enrol(record.name, plain, task, task.done),
                lambda _result: _applied(operator, record.name),
            )

    held = operator.device.local(record.name)
    if held and held.not_after_s > operator.device.wall_s():
        operator.question(
            f"Realm {record.name} has a valid certificate. A new one takes its place. Continue?",
            answered,
        )
    else:
        answered(True)


def _applied(operator: Operator, name: str) -> None:
    status = operator.device.status(name)
    operator.info(f"Realm {name}: {status.state}: {status.why}.")
    if status.next_step != "-":
        times = lookups.times(operator.device)
        due = f", {times.relative(status.next_s)}" if status.next_s else ""
        operator.line(f" Next step: {status.next_step}{due}.")


def update(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    lookups.warn_of_clock(operator)
    operator.start(
        f"Renewing the certificate of realm {record.name}",
        lambda task: operator.device.applications.update(record.name, task, task.done),
        lambda _result: _applied(operator, record.name),
    )


def abort_request(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    if operator.device.applications.abort(record.name):
        operator.info(f"The request of realm {record.name} was given up.")
    else:
        operator.info(f"Realm {record.name} has no request under way.")


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
            lambda task: operator.device.exchange.request(record.name, file, wanted, task.done),
            written,
        )

    def written(_result: object) -> None:
        operator.info(f"The file {file} was written, {challenge} the challenge password in it.")
        operator.line(
            f" Next step: have the CA sign it, put its answer into device storage, and type"
            f" `pki import-certificate local realm {record.name} ...`."
        )

    files.to_file(operator, file, write)


def diagnose(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))

    def told(result: object) -> None:
        checks = result if isinstance(result, list) else []
        failed = any(check.result == "failed" for check in checks)
        operator.show(certificates.diagnosis(checks), failed=failed)

    operator.start(
        f"Checking realm {record.name}",
        lambda task: operator.device.diagnose(record.name, task.done),
        told,
        left="Nothing is shown.",
    )


def show_enrollment(operator: Operator, args: Args) -> None:
    def items() -> Iterator[dict[str, Any]]:
        device = operator.device
        now_s = device.wall_s()
        for record in lookups.still_there(operator, found):
            status, local = device.status(record.name), device.local(record.name)
            yield realms.enrollment(record.name, status, local, now_s)

    found = lookups.named_realms(operator, args)
    operator.show(Document(realms.ENROLLMENT, items()))


def show_enrollment_brief(operator: Operator, _args: Args) -> None:
    lookups.survey(operator, displays.enrollment)


def show_request(operator: Operator, args: Args) -> None:
    name = args.text("FILENAME")
    data = operator.device.storage.read(name)
    place = certificates.Shown("", name)
    lookups.describe(operator, certificates.REQUEST, "", [place], [data])


# -- settings of a realm ---------------------------------------------------------------------------


def password(operator: Operator, args: Args) -> None:
    def use(text: str) -> None:
        _take_password(operator, text)

    protection.take(operator, args, passwords.PASSWORD, use)


def _take_password(operator: Operator, text: str) -> None:
    """Seals a password in plain; a sealed one is only taken if this device can open it."""
    device = operator.device
    operator.record(REALM)  # before the work: it may have gone while the password was typed
    former = operator.former()
    before = former.password if former else None

    def keep(sealed: object) -> None:
        operator.record(REALM).password = str(sealed)

    if not passwords.is_sealed(text):
        operator.protect(
            "Sealing the password",
            lambda done: device.seal_password(text, before, done),
            keep,
            protection.refused(TO_SET),
        )
    elif text == before:
        keep(text)
    else:
        operator.protect(
            "Checking the sealed password",
            lambda done: device.check_sealed_password(text, done),
            lambda _result: keep(text),
            lambda: keep(text),
        )


def render_password(record: Realm) -> Iterator[str]:
    if record.password:
        yield f"password cipher {record.password}"


def auto_enroll(operator: Operator, args: Args) -> None:
    """Entering it again replaces all of it."""
    bits, record = args.number("BITS", 0), operator.record(REALM)
    record.auto_enroll = AutoEnroll(
        args.number("PERCENT", limits.RENEWAL_PERCENT_DEFAULT),
        "regenerate" in args,
        bits or None,
        "updated-effective" in args,
    )
    operator.remark(lambda: lookups.tell_of_renewal(operator, record))


def render_auto_enroll(record: Realm) -> Iterator[str]:
    found = record.auto_enroll
    if found is None:
        return
    words = ["auto-enroll"]
    if found.percent != limits.RENEWAL_PERCENT_DEFAULT:
        words.append(str(found.percent))
    if found.regenerate:
        words.append("regenerate")
    if found.key_bits:
        words.append(str(found.key_bits))
    if found.updated_effective:
        words.append("updated-effective")
    yield " ".join(words)


SIGNATURE = one_of(
    REALM,
    "enrollment-request signature message-digest-method",
    DIGESTS,
    "digest",
    when_set=lookups.warn_of_digest,
)
ENCRYPTION = one_of(REALM, "enrollment-request encryption-algorithm", CIPHERS, "cipher")
PASSWORD = Row(
    "password cipher [ PASSWORD ]",
    (REALM,),
    password,
    {"PASSWORD": passwords.PASSWORD},
    level=SECRET_LEVEL,
    render=render_password,
    undo="password",
    undone=restore(REALM, "password"),
)
AUTO_ENROLL = Row(
    "auto-enroll [ PERCENT ] [ regenerate [ BITS ] ] [ updated-effective ]",
    (REALM,),
    auto_enroll,
    {
        "PERCENT": parameters.integer(
            "Renew when so much of the validity has elapsed",
            *limits.RENEWAL_PERCENT,
            default=limits.RENEWAL_PERCENT_DEFAULT,
        ),
        "BITS": parameters.MODULUS,
    },
    render=render_auto_enroll,
    undo="auto-enroll",
    undone=restore(REALM, "auto_enroll"),
)
ENROLL = Row(
    "pki enroll-certificate realm NAME [ password PASSWORD ]",
    (SYSTEM,),
    enroll,
    {"NAME": names.REALM, "PASSWORD": passwords.PLAIN},
)
WRITE = Row(
    "pki enroll-certificate realm NAME pkcs10 [ filename FILENAME ] [ with-password ]",
    (SYSTEM,),
    request,
    {"NAME": names.REALM, **files.NEW},
)
UPDATE = Row("pki update-certificate realm NAME", (SYSTEM,), update, {"NAME": names.REALM})
ABORT = Row("pki abort-request realm NAME", (SYSTEM,), abort_request, {"NAME": names.REALM})
DIAGNOSE = Row(
    "diagnose realm NAME",
    EVERYWHERE,
    diagnose,
    {"NAME": names.REALM},
    level=DISPLAY_LEVEL,
    shows=certificates.DIAGNOSIS,
)
SHOW = display(
    "pki enrollment [ realm NAME ]",
    show_enrollment,
    realms.ENROLLMENT,
    {"NAME": names.REALM},
)
SHOW_BRIEF = display("pki enrollment brief", show_enrollment_brief, displays.ENROLLMENT)
SHOW_REQUEST = display(
    "pki cert-req filename FILENAME",
    show_request,
    certificates.REQUEST,
    {"FILENAME": names.FILE},
)
