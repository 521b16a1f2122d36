"""The certificates of a realm's CA by themselves: asked for, imported, and those of the next one.

What comes in is pinned as in an application (`agent/enrolment/pins.py`) and enters the realm's
engine as an event. A set with nothing new in it is not written: nobody has signed it.
"""

from __future__ import annotations

from agent.appliance import Done, FromFile, Progress
from agent.device import asking
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.device.storage import DeviceStorage, import_job
from agent.enrolment import pins, vouched
from agent.enrolment.states import Installed, NextCa
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer, ca_set
from agent.settings import Realm
from agent.visible import brief
from hal.records import CaRecord


class Authority:
    """The half of `agent.appliance.Exchange` that is about the CA."""

    def __init__(self, shared: Shared, realms: Realms, storage: DeviceStorage) -> None:
        self._shared, self._realms, self._storage = shared, realms, storage

    def get(self, name: str, progress: Progress, done: Done[None], *, alone: bool = False) -> int:
        """GetCACaps and GetCACert (RFC 8894 4.2) without an application. alone: no person waits."""
        realm = self._realms.resting(name)
        ca = self._known(name)
        place = maps.ca_wanted(realm)
        job = maps.fetch_job(realm, place, ca, self._shared.interface_names.linux)
        return self._run(
            realm, {**job, **maps.moment(self._shared.time.now())}, progress, done, alone
        )

    def import_from(self, name: str, what: FromFile, progress: Progress, done: Done[None]) -> int:
        realm = self._realms.resting(name)
        ca = self._known(name)
        rules = {
            "stored": maps.pinned_der(ca),
            "anchors": maps.anchors(realm),
            "weak": list(realm.weak),
            "ra_fingerprint": maps.ra_fingerprint(realm),
            **maps.moment(self._shared.time.now()),
        }
        job = {**import_job(self._storage, "ca", what), **rules}
        return self._run(realm, job, progress, done)

    def get_next(
        self, name: str, progress: Progress, done: Done[None], *, alone: bool = False
    ) -> int:
        """GetNextCACert (RFC 8894 4.7): a derived pin beside the one that holds now. alone: no
        person waits, and nothing else does."""
        realm = self._realms.resting(name)
        ca = self._realms.trusted_ca(realm)
        job = maps.published_job(realm, ca, self._shared.interface_names.linux)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                message = answers.field(answer, "message", bytes)
                via, now_s = answers.items(answer, "via", bytes), self._shared.time.wall_s()
                next_ca = pins.following(ca, ca_set(answer), message, via, now_s)
                if self._realms.trusted_ca(realm) != ca:
                    raise fail("ca-pin-changed")
                self._shared.tell(realm.name, answer, progress)
                subject = next_ca.certificate.subject
                _introduce(progress, "The next CA", next_ca.pin, subject)
                event = NextCa(ca._replace(next=next_ca))
                self._realms.install(name, event, progress, done)
            except AgentError as error:
                self._refused("" if alone else "GET_CA_CERT_ERR", name, error, done)

        moment = maps.moment(self._shared.time.now())
        job = {**job, "op": "next-ca", **moment}
        return self._shared.job(job, arrived, attended=not alone, behind=alone)

    def _run(
        self,
        realm: Realm,
        job: dict[str, object],
        progress: Progress,
        done: Done[None],
        alone: bool = False,
    ) -> int:
        """Runs a job that brings a CA set, and pins one certificate of it."""
        fetched = job["op"] == "fetch-ca"

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                if fetched:
                    self._shared.tell(realm.name, answer, progress)
                caps = tuple(answers.items(answer, "caps", str)) if fetched else ()
                now_s, roots = self._shared.time.wall_s(), realm.root_fingerprints
                set_ = vouched.Arrived(ca_set(answer), caps, now_s, roots)
                self._pin(realm.name, set_, fetched, progress, done)
            except AgentError as error:
                mnemonic = "GET_CA_CERT_ERR" if fetched else "CA_IMPORT_ERR"
                self._refused("" if alone else mnemonic, realm.name, error, done)

        return self._shared.job(job, arrived, attended=not alone)

    def _refused(self, mnemonic: str, name: str, error: AgentError, done: Done[None]) -> None:
        """mnemonic "": who asks tells of it, once and not each time."""
        if mnemonic:
            self._shared.log.report(mnemonic, f"realm {name}: {error.what}")
        done(error)

    def _pin(
        self,
        name: str,
        arrived: vouched.Arrived,
        fetched: bool,
        progress: Progress,
        done: Done[None],
    ) -> None:
        realm, ca = self._realms.resting(name), self._known(name)
        now = self._shared.time.now()
        now_s = now.wall_s if now.trusted else None
        roots = () if fetched else arrived.roots
        choice = pins.choose(realm.fingerprint, ca, arrived.found, now_s, roots)
        if choice.trusted_by:
            fingerprint = realm.fingerprint
            pinned = vouched.Pinned(choice.certificate, choice.trusted_by, fingerprint)
            self._store(name, pinned, arrived, progress, done)
            return
        candidate, above = choice.certificate, vouched.above(choice.certificate, arrived.found)

        def answered(yes: bool) -> None:
            if not yes:
                done(fail("ca-unconfirmed"))
                return
            by = "operator" if fetched else "import"
            pinned = vouched.Pinned(candidate, by, shown=above)
            self._store(name, pinned, arrived, progress, done)

        lost = self._realms.runner(name).records.ca_was_lost()
        progress.confirm_ca(asking.about(candidate, above, ca, lost), answered)

    def _known(self, name: str) -> CaRecord | None:
        return self._realms.runner(name).engine.stored.ca

    def _store(
        self,
        name: str,
        pinned: vouched.Pinned,
        arrived: vouched.Arrived,
        progress: Progress,
        done: Done[None],
    ) -> None:
        ca_before = self._known(name)

        def stored(result: AgentError | None) -> None:
            self._realms.runner(name).saw(arrived.found)
            done(result)

        ca = vouched.record(pinned, arrived, ca_before)
        if arrived.caps:  # who asks for them wants them kept
            ca = ca._replace(caps=list(arrived.caps))
        subject = pinned.certificate.certificate.subject
        _introduce(progress, f"The CA trusted by {pinned.trusted_by}", ca.pin, subject)
        for note in vouched.notes(pinned, arrived, ca):
            self._shared.log.report("NOTE", f"realm {name}: {note}")
            progress.note(note)
        if ca == ca_before:
            progress.note("Nothing of it is new, so nothing was written.")
            stored(None)
        else:
            self._realms.install(name, Installed(ca=ca), progress, stored)


def _introduce(progress: Progress, who: str, sha256: str, subject: str) -> None:
    """The fingerprint first; then the name that a CA gives itself, in a row of its own."""
    progress.note(f"{who} has the fingerprint sha256 {sha256}.")
    progress.note(f"It calls itself {brief(subject)}.")
