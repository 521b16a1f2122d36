"""`diagnose realm`: everything that an application needs, checked in the order in which it fails.

Nothing is changed and nothing is sent but GetCACaps and GetCACert, which carry no secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.appliance import Check, Done
from agent.console.commands.realm import error_of
from agent.device import status
from agent.device.keypairs import KeyPairs
from agent.device.passwords import Passwords
from agent.device.realms import Realms
from agent.device.reserve import MISSING
from agent.device.shared import Shared
from agent.device.system import DeviceSystem
from agent.enrolment import pins, renewal, vouched
from agent.enrolment.actions import Now, Stored
from agent.enrolment.states import CaCertificate
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer, ca_set
from agent.settings import Realm, fold
from agent.visible import brief
from hal.named import NamedTuple
from hal.records import CaRecord

Named = pins.Fingerprint
GOOD, BAD, DOUBT = "ok", "failed", "warning"


class Stage(NamedTuple):
    """One step of the way to the CA: what is said when it was passed, and the codes of its end."""

    check: str
    passed: str
    codes: tuple[str, ...]  # or how they begin


WAY = (
    Stage("name", "the host of the URL is known", ("name-unresolved", "url-invalid")),
    Stage("route", "it can be reached", ("source-missing", "no-route", "connection-timeout")),
    Stage("port", "it takes connections", ("connection-refused", "network-failed")),
    Stage("TLS", "its certificate and its name are good", ("tls-",)),
    Stage("HTTP", "it answers", ("http-", "answer-", "connection-reset")),
    Stage("CA set", "", ("ca-set-", "ra-")),
)
# They come before anything is tried: what stands earlier on the way was not passed.
UNTRIED = ("source-missing", "tls-no-trust", "tls-trust-file")


class Diagnosis:
    """The checks of a device. Nothing of it is changed."""

    def __init__(
        self,
        shared: Shared,
        realms: Realms,
        keys: KeyPairs,
        passwords: Passwords,
        system: DeviceSystem,
        snapshot: Callable[[Realm], object],
    ) -> None:
        self._shared, self._realms, self._keys = shared, realms, keys
        self._passwords, self._system, self._snapshot = passwords, system, snapshot

    def run(self, name: str, done: Done[list[Check]]) -> int:
        """Runs the checks; `done` with list[Check]. A realm without URL is not asked for its CA."""
        runner, realm = self._realms.runner(name), self._realms.realm(name)
        checks = list(self._local(realm))
        if realm.url is None:
            self._shared.later(lambda: done(checks))
            return 0
        wanted, linux_name = maps.ca_wanted(realm), self._shared.interface_names.linux
        job = maps.fetch_job(realm, wanted, runner.engine.stored.ca, linux_name)
        now = self._shared.time.now()

        def answered(answer: Answer | AgentError) -> None:
            now_s = now.wall_s if now.trusted else None
            stored = runner.engine.stored
            checks.extend(_remote(realm, stored.ca, answer, now_s))
            checks.extend(_renewal(realm, stored, answer, now))
            self._recipient(realm, stored.ca, answer, now, ended)

        def ended(found: list[Check]) -> None:
            checks.extend(found)
            self._challenge(realm, lambda check: done([*checks, check]))

        try:
            return self._shared.job({**job, **maps.moment(now)}, answered)
        except AgentError as error:
            unbuilt = error
            self._shared.later(lambda: answered(unbuilt))
            return 0

    def _recipient(
        self,
        realm: Realm,
        stored: CaRecord | None,
        answer: Answer | AgentError,
        now: Now,
        done: Callable[[list[Check]], None],
    ) -> None:
        """Who would receive the request; nothing where no CA of the set could be the pin."""
        try:
            if isinstance(answer, AgentError):
                raise answer
            certificates, caps = ca_set(answer), answers.items(answer, "caps", str)
            now_s = now.wall_s if now.trusted else None
            pin = pins.choose(realm.fingerprint, stored, certificates, now_s).certificate
        except AgentError:
            done([])  # `_remote` has told it
            return
        ders = [one.certificate.der for one in certificates]
        proven = stored is not None and stored.ra_proven
        job = maps.diagnose_job(realm, pin.sha256, ders, caps, proven)

        def judged(result: Answer | AgentError) -> None:
            done(list(_received(realm, result)))

        try:
            self._shared.job({**job, **maps.moment(now)}, judged)
        except AgentError as error:
            judged(error)

    def _local(self, realm: Realm) -> Iterator[Check]:
        trusted = self._realms.look(realm.name).engine.stored.ca is not None
        lacking = status.completion(self._shared.settings, realm, trusted=trusted)
        if lacking:
            yield Check("configuration", BAD, "it is not complete", lacking)
        else:
            yield Check("configuration", GOOD, "complete", None)
            yield from self._entity(realm)
        if realm.key_pair:
            key = self._keys.record(realm.key_pair)
            missing = _of("key pair", fail("key-unknown", name=realm.key_pair))
            yield Check("key pair", GOOD, f"{key.bits} bits", None) if key else missing
        clock = self._system.clock()
        yield Check(
            "clock",
            GOOD if clock.trusted else BAD,
            clock.why,
            None if clock.trusted else "type `clock datetime HH:MM:SS YYYY-MM-DD` in the user view",
        )
        yield self._source(realm)
        yield self._store(realm)
        if self._system.key_missing:
            yield _of("device key", fail("device-key", reason="it is missing"))

    def _entity(self, realm: Realm) -> Iterator[Check]:
        """Whether the names of a request are known now: an interface may have no address."""
        try:
            self._snapshot(realm)
        except AgentError as error:
            yield _of("entity", error)

    def _store(self, realm: Realm) -> Check:
        """Whether flash takes what an application adds to it."""
        health, need = self._shared.store.health, self._shared.commits.need(fold(realm.name))
        if health.read_only:
            return _of("store", fail("store-failed", reason=health.reason))
        if need.place == MISSING:
            short = {"realm": realm.name, "wanted": need.wanted, "left": need.left}
            return _of("store", fail("store-short", **short))
        return Check("store", GOOD, f"{health.used_bytes} of {health.capacity_bytes} bytes", None)

    def _source(self, realm: Realm) -> Check:
        """Whether the interface or address of `source` is there now."""
        address, interface = realm.source_address, realm.source_interface
        if not address and not interface:
            return Check("source", GOOD, "not configured: the system chooses", None)
        try:
            interfaces = self._shared.interfaces()
        except AgentError as error:
            return _of("source", error)
        if address:
            is_there = any(address in link.addresses for link in interfaces)
            return _there("source", is_there, f"address {address}")
        name = self._shared.interface_names.linux(interface or "")
        is_there = any(link.name == name and link.up and link.addresses for link in interfaces)
        return _there("source", is_there, f"interface {interface} with an address")

    def _challenge(self, realm: Realm, done: Callable[[Check], None]) -> None:
        """Whether there is a password that this device can open; `done` is called once."""

        def opened(result: AgentError | None) -> None:
            if isinstance(result, AgentError):
                done(_of("challenge", result))
            else:
                done(Check("challenge", GOOD, "a password is set; only the CA can judge it", None))

        if realm.password:
            self._passwords.check(realm.password, opened)
            return
        done(
            Check(
                "challenge",
                DOUBT,
                "no password is set; most CAs want one",
                "type `password cipher` in the realm view if this CA does",
            )
        )


def _there(name: str, is_there: bool, what: str) -> Check:
    if is_there:
        return Check(name, GOOD, what, None)
    return _of(name, fail("source-missing", what=f"no {what}"))


def _remote(
    settings: Realm, stored: CaRecord | None, answer: Answer | AgentError, now_s: int | None
) -> Iterator[Check]:
    """The answers of the CA to GetCACaps and GetCACert, and whether it is the one to trust."""
    try:
        if isinstance(answer, AgentError):
            raise answer
        certificates = ca_set(answer)
        caps = " ".join(answers.items(answer, "caps", str))
    except AgentError as error:
        yield from _stopped(settings, error)
        return
    yield from _passed(settings, len(WAY) - 1)
    if caps:
        yield Check("capabilities", GOOD, caps, None)
    else:
        yield Check(
            "capabilities",
            DOUBT,
            "the server lists none: requests go by GET",
            "type `compatibility http-post` in the realm view if this CA takes POST",
        )
    yield _set(settings, certificates)
    try:
        choice = pins.choose(settings.fingerprint, stored, certificates, now_s)
        yield from _trusted(choice, now_s)
        yield from _root(choice.certificate, certificates, stored, settings.root_fingerprints)
    except AgentError as error:
        yield _of("fingerprint", error)


def _received(realm: Realm, result: Answer | AgentError) -> Iterator[Check]:
    """The answer of the job `diagnose`: RA, recipient, and what is weak on the way."""
    try:
        if isinstance(result, AgentError):
            raise result
        recipient, notes = answers.field(result, "recipient", str), answers.notes(result)
    except AgentError as error:
        yield _of("recipient", error_of(error, realm))
        return
    yield Check("recipient", GOOD, recipient, None)
    told = "; ".join(notes) or f"the request is signed with {realm.digest}"
    yield Check("algorithms", DOUBT if notes else GOOD, told, None)


def _renewal(
    realm: Realm, stored: Stored, answer: Answer | AgentError, now: Now
) -> Iterator[Check]:
    """The way of a renewal, by what the CA lists and the realm says."""
    if isinstance(answer, AgentError):
        return
    try:
        caps = answers.items(answer, "caps", str)
    except AgentError:
        return
    way = renewal.way(stored.local, stored.ca, caps, realm.compatibility, now)
    if way:
        yield Check("renewal", GOOD, way, None)
        return
    told = "as a new device, with the challenge password: the CA does not list Renewal"
    yield Check(
        "renewal",
        GOOD if realm.password else DOUBT,
        told,
        None
        if realm.password
        else "type `password cipher` in the realm view, or `compatibility renew-by-signed-pkcsreq`"
        " if the CA renews all the same",
    )


def _root(
    pinned: CaCertificate,
    certificates: pins.Found,
    stored: CaRecord | None,
    roots: tuple[Named, ...],
) -> Iterator[Check]:
    """Whether consumers will find the root that most of them need."""
    if pinned.self_signed:
        return
    is_named = any(c.is_ca and vouched.is_named(c, roots) for c in certificates)
    if is_named or (stored and vouched.serves_root(stored)):
        yield Check("root", GOOD, "ca.pem holds the root above the pinned CA", None)
        return
    yield Check(
        "root",
        DOUBT,
        f"the pinned CA is no root: {vouched.missing_root(vouched.top(pinned, certificates))}",
        "compare the root's fingerprint with the CA's operator and type `root-fingerprint sha256"
        " ...` in the realm view",
    )


def _set(settings: Realm, certificates: tuple[CaCertificate, ...]) -> Check:
    """Whether an RA seems to answer that the realm does not reckon with; `ra-missing` is the
    other way round."""
    end_entities = sum(not certificate.is_ca for certificate in certificates)
    count = f"{len(certificates)} certificates" if len(certificates) > 1 else "1 certificate"
    if settings.ra or not end_entities:
        return Check("CA set", GOOD, count, None)
    return Check(
        "CA set",
        DOUBT,
        f"{count}, {end_entities} of them not of a CA: an RA seems to answer",
        "if it is one, type `enrollment-url` again, with `ra` at its end, in the realm view",
    )


def _trusted(choice: pins.Choice, now_s: int | None) -> Iterator[Check]:
    """Whether the certificate that would be pinned is the one to trust, and in date.

    The name that it gives itself stands behind its fingerprint, in a row of its own.
    """
    pinned = choice.certificate.certificate
    if now_s is not None and pinned.not_after_s < now_s:
        raise fail("ca-expired", subject=pinned.subject)
    print_, name = f"sha256 {choice.certificate.sha256}", brief(pinned.subject)
    if choice.trusted_by:
        yield Check("fingerprint", GOOD, f"{print_}, trusted by {choice.trusted_by}", None)
        yield Check("CA name", GOOD, name, None)
        return
    yield Check(
        "fingerprint",
        DOUBT,
        f"{print_}: nobody has confirmed that this is the CA to trust",
        "compare it with the CA's operator and type `fingerprint sha256 ...` in the realm view",
    )
    yield Check("CA name", DOUBT, name, None)


def _stopped(settings: Realm, error: AgentError) -> Iterator[Check]:
    """The steps up to the one where it ended. An error of no step of the way stands for itself."""
    at = next((i for i, stage in enumerate(WAY) if error.code.startswith(stage.codes)), None)
    yield from _passed(settings, 0 if error.code in UNTRIED else at or 0)
    yield _of("CA" if at is None else WAY[at].check, error_of(error, settings))


def _passed(settings: Realm, steps: int) -> Iterator[Check]:
    for stage in WAY[:steps]:
        if stage.check != "TLS" or (settings.url or "").lower().startswith("https:"):
            yield Check(stage.check, GOOD, stage.passed, None)


def _of(name: str, error: AgentError) -> Check:
    return Check(name, BAD, error.what, error.remedy)
