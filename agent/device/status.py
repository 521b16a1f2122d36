"""The device about itself: status of realms, key pairs, certificates, as plain records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from agent.appliance import CaInfo, Certificate, Done, Glance, RealmStatus
from agent.console.commands.realm import error_of
from agent.console.language.times import duration
from agent.device.identity import MOVED, Identity
from agent.device.realms import RESTS, SECOND_NS, Realms
from agent.device.reserve import MISSING, Need
from agent.device.runner import RealmRunner, policy_of
from agent.device.shared import Shared
from agent.enrolment import automatic, drafts, outage, pins, schedule, vouched, waits
from agent.enrolment.actions import Now
from agent.enrolment.pins import Fingerprint
from agent.enrolment.states import State, is_under_way
from agent.errors import AgentError, fail
from agent.jobs import maps
from agent.settings import Realm, Settings, fold
from hal.records import CaRecord, CertificateRecord

# State -> (why, what happens next). `{}`: name of the realm.
EXPLAINED = {
    State.NOTHING: ("nothing has been applied for", "`pki enroll-certificate realm {}`"),
    State.TRUSTED: ("the CA is trusted, no certificate yet", "`pki enroll-certificate realm {}`"),
    State.FETCHING: ("the CA certificates are being fetched", "the request is sent"),
    State.CONFIRMING: (
        "the operator compares the fingerprint",
        "the request is sent if the operator accepts",
    ),
    State.SENT: ("the request is at the CA", "the CA's answer is checked and stored"),
    State.RECOVERING: (
        "the answer was lost by a restart or the network",
        "the device asks for it again",
    ),
    State.PENDING: (
        "the CA has not decided yet",
        "`display pki enrollment realm {}` shows the answer; the device asks for it again",
    ),
    State.POLLING: ("the CA is being asked", "its answer is checked and stored"),
    State.CHOOSING: (
        "the new certificate ends before the one in use",
        "it comes into use if the operator accepts",
    ),
    State.ISSUED: (
        "the certificate is in use",
        "it does not renew by itself: type `auto-enroll` in the view of realm {0}, or"
        " `pki enroll-certificate realm {0}` again before it expires",
    ),
    State.FAILED: (
        "the last attempt failed",
        "the next step of the last error, then `pki enroll-certificate realm {}`",
    ),
}

AS_CONFIGURED, OTHER_SUBJECT, OTHER_CA = "as configured", "another subject", "of another CA"


class Reports:
    """Questions of the console about a realm, by the name that was typed."""

    def __init__(
        self,
        shared: Shared,
        realms: Realms,
        identity: Identity,
        snapshot: Callable[[Realm], Mapping[str, object]],
    ) -> None:
        """snapshot: the settings that shape a request now; it may raise AgentError."""
        self._shared, self._realms, self._identity = shared, realms, identity
        self._snapshot = snapshot

    def status(self, name: str) -> RealmStatus:
        """Where it stands, why, and what happens next."""
        runner, realm = self._realms.look(name), self._realms.realm(name)
        need, now = self._shared.commits.need(fold(name)), self._shared.time.now()
        status = of_realm(self._shared.settings, realm, runner, now, need)
        engine, try_s = runner.engine, self._shared.jobs.network_s
        status = status._replace(
            in_use=self._beside_settings(realm, runner),
            outage_s=outage.budget_s(engine.stored, engine.policy, now, engine.pace, try_s),
        )
        if self._identity.moved:
            status = status._replace(why=f"{status.why}; {MOVED}")
        rest = self._realms.rest(runner)
        return _resting(status, realm, now, rest.until_ns) if rest else status

    def survey(self, done: Done[list[Glance]]) -> int:
        """Every realm, one a turn of the loop; the worst first, then what ends first."""

        def each() -> Iterator[None]:
            found = []
            for key in list(self._shared.settings.realms):
                if realm := self._shared.settings.realms.get(key):
                    found.append(self._glance(realm))
                yield
            found.sort(key=lambda one: (one.rank, one.not_after_s or 0, fold(one.realm)))
            done(found)

        self._shared.loop.aside(lambda: self._shared.loop.pieces(each()))
        return self._shared.number()

    def _glance(self, realm: Realm) -> Glance:
        status, local = self.status(realm.name), self.local(realm.name)
        end_s = local.not_after_s if local else None
        rank = rank_of(realm, status, end_s, self._shared.time.now())
        error = status.last_error
        return Glance(rank, realm.name, status.state, end_s, status.next_s, error)

    def _beside_settings(self, realm: Realm, runner: RealmRunner) -> str | None:
        """What the certificate in use is beside what is configured; None: nobody can say."""
        stored, policy = runner.engine.stored, runner.engine.policy
        if stored.local is None:
            return None
        if not pins.counts(stored.local, stored.ca, policy.fingerprint):
            return OTHER_CA
        try:
            renamed = drafts.is_renamed(self._snapshot(realm), stored.local)
        except AgentError:  # the configuration is not complete
            return None
        return OTHER_SUBJECT if renamed else AS_CONFIGURED

    def ca(self, name: str) -> CaInfo | None:
        """The CA set that it trusts."""
        runner = self._realms.look(name)
        return ca_info(runner.engine.stored.ca, runner.root_seen)

    def local(self, name: str) -> Certificate | None:
        """Its certificate."""
        stored = self._realms.look(name).engine.stored.local
        return certificate(stored.certificate) if stored else None

    def waiting(self, name: str) -> Certificate | None:
        """The one that waits for its turn."""
        stored = self._realms.look(name).engine.stored.next
        return certificate(stored.certificate) if stored else None


def rank_of(realm: Realm, status: RealmStatus, end_s: int | None, now: Now) -> int:
    """How much a realm needs somebody, 0 most: the first line that is true of it."""
    lines = (
        end_s is not None and now.trusted and end_s <= now.wall_s,
        status.last_error is not None and end_s is None,
        status.last_error is not None,
        status.renew_s is not None and now.trusted and status.renew_s < now.wall_s,
        status.transaction is not None,
        realm.url is not None and end_s is None,
        end_s is not None,
    )
    return lines.index(True) if True in lines else len(lines)


def certificate(record: CertificateRecord) -> Certificate:
    """A stored certificate as the console shows it."""
    return Certificate(*record)


def ca_info(ca: CaRecord | None, root_seen: Fingerprint | None = None) -> CaInfo | None:
    """The CA set with the pinned CA first; None when there is none or its pin is not in it.

    `root_seen`: the root that an unsigned answer has shown above the pin (`vouched.top`).
    """
    if ca is None or not ca.certificates:
        return None
    certificates = tuple(certificate(c) for c in ca.certificates)
    pinned = certificates[ca.pin_index] if ca.pin_index < len(certificates) else certificates[0]
    following = certificate(ca.next.certificate) if ca.next else None
    trusted_by = f"{ca.trusted_by}, through the CA before it" if ca.lineage else ca.trusted_by
    kind, root = "root, signed by itself", None
    if pinned.issuer != pinned.subject:
        kind = f"intermediate, issued by {pinned.issuer}"
        served = vouched.serves_root(ca)
        root = (
            "served: ca.pem holds it" if served else f"missing: {vouched.missing_root(root_seen)}"
        )
    return CaInfo(pinned, trusted_by, certificates, following, kind, root, ca.pin)


def completion(settings: Settings, realm: Realm, *, trusted: bool) -> str | None:
    """The commands to type before anything can be sent; None when the realm is complete. trusted:
    it has a CA; without one a realm that applies by itself needs a fingerprint, since nobody is
    there to be asked."""
    typed = maps.lacking(realm)
    if realm.auto_enroll and realm.fingerprint is None and not trusted:
        typed.append("fingerprint sha256 ...")
    if typed:
        typed.insert(0, f"pki realm {realm.name}")
    entity = settings.entities.get(fold(realm.entity or ""))
    if entity is not None and entity.common_name is None:
        typed += [f"pki entity {entity.name}", "common-name ..."]
    return "type `" + "`, `".join(typed) + "`" if typed else None


def of_realm(
    settings: Settings, realm: Realm, runner: RealmRunner, now: Now, need: Need
) -> RealmStatus:
    """Where a realm stands, why, and what happens next."""
    engine, alone = runner.engine, realm.auto_enroll is not None
    lacking = completion(settings, realm, trusted=engine.stored.ca is not None)
    stored, due_s = engine.stored, schedule.due_s(engine.rearm(now), now)
    step = "" if lacking or is_under_way(engine.state) else by_itself(engine.plan(now).reason)
    why, next_step = EXPLAINED[engine.state]
    next_step = step or next_step
    if lacking and engine.state in (State.NOTHING, State.TRUSTED):
        why, next_step = "the configuration is not complete", lacking
    elif lacking and alone and not is_under_way(engine.state):
        why, next_step = f"{why}; for automatic mode the configuration is not complete", lacking
    if engine.state is State.ISSUED and stored.local:
        due_s = stored.local.end_s if due_s is None else due_s
        why, next_step = _in_use(realm, runner, now, need) or (why, next_step)
    if error := runner.alone.lacking:
        why, next_step = f"{why}; it does not apply by itself: {error.what}", error.remedy
    if engine.state is State.FAILED and stored.local:
        why += "; the certificate before it stays in use"
    if unread := runner.records.unread():
        why += f"; flash holds of it what cannot be read: {', '.join(unread)}"
    return RealmStatus(
        state=engine.state.value,
        why=why,
        next_step=next_step.format(realm.name),
        next_s=due_s,
        transaction=engine.request.transaction if engine.request else None,
        attempts=stored.outcome.attempts if stored.outcome else 0,
        polls=stored.request.polls if stored.request else 0,
        last_error=error_of(engine.error, realm) if engine.error else None,
        last_error_s=stored.outcome.at_s if stored.outcome and engine.error else None,
        renew_s=automatic.next_renewal_s(stored, policy_of(realm)),
        next_ca=certificate(stored.ca.next.certificate) if stored.ca and stored.ca.next else None,
        take_over_s=automatic.take_over_s(stored, engine.policy) or None,
        wait=_wait(runner, now) if alone else None,
        store_wanted=need.wanted,
        store_place=need.place,
    )


def _in_use(realm: Realm, runner: RealmRunner, now: Now, need: Need) -> tuple[str, str] | None:
    """Why a certificate is not in use as it should be, and what happens next; None: it is."""
    local = runner.engine.stored.local
    if runner.use.under_way:
        return "the certificate is being put into use", "consumers can read it"
    if error := runner.use.error:
        why = f"issued, but not in use: {error.what}"
        return why, f"tried again each minute; {error.remedy}"
    if local and now.trusted and local.end_s < now.wall_s:
        step = by_itself(runner.engine.plan(now).reason)
        return "the certificate has expired", step or EXPLAINED[State.TRUSTED][1]
    if need.place == MISSING:
        short = fail("store-short", realm=realm.name, wanted=need.wanted, left=need.left)
        return f"{EXPLAINED[State.ISSUED][0]}, but {short.what}", short.remedy
    return None


def by_itself(reason: str) -> str:
    """What a realm does next without anybody; "" for one that does nothing."""
    if reason == automatic.TAKE_OVER:
        return reason
    return f"applies by itself: {reason}" if reason else ""


def _wait(runner: RealmRunner, now: Now) -> str | None:
    """What the next step waits for, and how long that is at most."""
    engine = runner.engine
    if is_under_way(engine.state):
        return None
    found = waits.wait(engine.stored, engine.policy, now, engine.pace)
    if found is None or found.longest_s is None:
        return found.reason if found else None
    return f"{found.reason}, {duration(found.longest_s)} at most"


def _resting(status: RealmStatus, realm: Realm, now: Now, until_ns: int) -> RealmStatus:
    return status._replace(
        why=RESTS,
        next_step=f"it goes on by itself; `pki abort-request realm {realm.name}` ends it",
        next_s=now.wall_s + max(0, until_ns - now.monotonic_ns) // SECOND_NS,
    )
