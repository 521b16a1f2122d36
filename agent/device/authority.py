"""The certificates of a realm's CA by themselves: asked for, imported, and those of the next one.

What comes in is pinned as in an application (`agent/enrolment/pins.py`) and enters the realm's
engine as an event. A set with nothing new in it is not written: nobody has signed it.
"""

from typing import TYPE_CHECKING

from agent.appliance import Done, FromFile, Progress
from agent.device import asking
from agent.enrolment import pins, vouched
from agent.enrolment.states import Installed
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer, ca_set
from agent.settings import Realm
from agent.visible import brief
from hal.records import CaRecord

if TYPE_CHECKING:
    from agent.device.certificates import Exchange
    from agent.device.device import Device


class Authority:
    """The half of `agent.appliance.Exchange` that is about the CA."""

    def __init__(self, device: "Device", exchange: "Exchange") -> None:
        self._device, self._exchange = device, exchange

    def get(self, realm: str, progress: Progress, done: Done[None]) -> int:
        """GetCACaps and GetCACert (RFC 8894 4.2) without an application."""
        settings = self._exchange.resting(realm)
        known = self._device.runner(realm).engine.stored.ca
        wanted = maps.ca_wanted(settings)
        job = maps.fetch_job(settings, wanted, known, self._device.linux_name)
        return self._run(settings, {**job, **self._device.moment()}, progress, done)

    def import_from(self, realm: str, what: FromFile, progress: Progress, done: Done[None]) -> int:
        settings = self._exchange.resting(realm)
        known = self._device.runner(realm).engine.stored.ca
        judged = {
            "stored": maps.pinned_der(known),
            "weak": list(settings.weak),
            "ra_fingerprint": maps.ra_fingerprint(settings),
            **self._device.moment(),
        }
        job = {**self._exchange.import_job("ca", what), **judged}
        return self._run(settings, job, progress, done)

    def get_next(self, realm: str, progress: Progress, done: Done[None]) -> int:
        """GetNextCACert (RFC 8894 4.7): a derived pin beside the one that holds now."""
        settings = self._exchange.resting(realm)
        ca = self._exchange.trusted_ca(settings)
        job = maps.published_job(settings, ca, self._device.linux_name)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                message = answers.field(answer, "message", bytes)
                via, now_s = answers.items(answer, "via", bytes), self._device.wall_s()
                following = pins.following(ca, ca_set(answer), message, via, now_s)
                if self._exchange.trusted_ca(settings) != ca:
                    raise fail("ca-pin-changed")
                self._device.tell(settings.name, answer, progress)
                subject = following.certificate.subject
                _introduce(progress, "The next CA", following.pin, subject)
                event = Installed(ca=ca._replace(next=following))
                self._exchange.install(realm, event, progress, done)
            except AgentError as error:
                self._refused("GET_CA_CERT_ERR", realm, error, done)

        return self._device.job({**job, "op": "next-ca", **self._device.moment()}, arrived)

    def _run(
        self, settings: Realm, job: dict[str, object], progress: Progress, done: Done[None]
    ) -> int:
        """Runs a job that brings a CA set, and pins one certificate of it."""
        fetched = job["op"] == "fetch-ca"

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                if fetched:
                    self._device.tell(settings.name, answer, progress)
                caps = tuple(answers.items(answer, "caps", str)) if fetched else ()
                now_s, roots = self._device.wall_s(), settings.root_fingerprints
                set_ = vouched.Arrived(ca_set(answer), caps, now_s, roots)
                self._pin(settings.name, set_, fetched, progress, done)
            except AgentError as error:
                mnemonic = "GET_CA_CERT_ERR" if fetched else "CA_IMPORT_ERR"
                self._refused(mnemonic, settings.name, error, done)

        return self._device.job(job, arrived)

    def _refused(self, mnemonic: str, realm: str, error: AgentError, done: Done[None]) -> None:
        self._device.log.report(mnemonic, f"realm {realm}: {error.what}")
        done(error)

    def _pin(
        self,
        realm: str,
        arrived: vouched.Arrived,
        fetched: bool,
        progress: Progress,
        done: Done[None],
    ) -> None:
        settings, known = self._exchange.resting(realm), self._known(realm)
        now = self._device.now()
        now_s = now.wall_s if now.trusted else None
        named = () if fetched else arrived.roots
        choice = pins.choose(settings.fingerprint, known, arrived.found, now_s, named)
        if choice.trusted_by:
            typed = settings.fingerprint
            pinned = vouched.Pinned(choice.certificate, choice.trusted_by, typed)
            self._store(realm, pinned, arrived, progress, done)
            return
        asked, above = choice.certificate, vouched.above(choice.certificate, arrived.found)

        def answered(yes: bool) -> None:
            if not yes:
                done(fail("ca-unconfirmed"))
                return
            by = "operator" if fetched else "import"
            pinned = vouched.Pinned(asked, by, shown=above)
            self._store(realm, pinned, arrived, progress, done)

        lost = self._device.runner(realm).ca_was_lost()
        progress.confirm_ca(asking.about(asked, above, known, lost), answered)

    def _known(self, realm: str) -> CaRecord | None:
        return self._device.runner(realm).engine.stored.ca

    def _store(
        self,
        realm: str,
        pinned: vouched.Pinned,
        arrived: vouched.Arrived,
        progress: Progress,
        done: Done[None],
    ) -> None:
        known = self._known(realm)

        def stored(result: AgentError | None) -> None:
            self._device.runner(realm).saw(arrived.found)
            done(result)

        ca = vouched.record(pinned, arrived, known)
        if arrived.caps:  # who asks for them wants them kept
            ca = ca._replace(caps=list(arrived.caps))
        subject = pinned.certificate.certificate.subject
        _introduce(progress, f"The CA trusted by {pinned.trusted_by}", ca.pin, subject)
        for note in vouched.notes(pinned, arrived, ca):
            self._device.log.report("NOTE", f"realm {realm}: {note}")
            progress.note(note)
        if ca == known:
            progress.note("Nothing of it is new, so nothing was written.")
            stored(None)
        else:
            self._exchange.install(realm, Installed(ca=ca), progress, stored)


def _introduce(progress: Progress, who: str, sha256: str, subject: str) -> None:
    """The fingerprint first; then the name that a CA gives itself, in a row of its own."""
    progress.note(f"{who} has the fingerprint sha256 {sha256}.")
    progress.note(f"It calls itself {brief(subject)}.")
