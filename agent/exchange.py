"""Certificates and keys that come in and go out otherwise than by an application.

Files lie in device storage; what is in them is read and written in a job, so that no private key
and no parser of foreign bytes is ever in the agent. What comes in enters the realm's engine as an
event and is stored by it in one commit.
"""

from typing import TYPE_CHECKING

from agent import application, limits, pem, pins, tasks
from agent.answers import ca_certificate
from agent.console.appliance import Done, Fingerprints, FromFile, Progress, Verdict
from agent.engine import is_under_way
from agent.errors import AgentError, fail
from agent.keypairs import KeyPairs
from agent.retrieval import Retrieval
from agent.settings import Realm, fold
from agent.states import CaCertificate, Installed
from agent.tasks import Answer
from agent.visible import brief
from hal.records import CaRecord, CertificateRecord, KeyRecord, LocalRecord

if TYPE_CHECKING:
    from agent.device import Device


class Exchange:
    """`agent.console.appliance.Exchange`."""

    def __init__(self, device: "Device", keys: KeyPairs) -> None:
        self._device, self._keys = device, keys
        self._retrieval = Retrieval(device, self)

    # -- the CA ------------------------------------------------------------------------------------

    def get_ca(self, realm: str, progress: Progress, done: Done) -> int:
        """GetCACaps and GetCACert (RFC 8894 4.2) without an application."""
        settings = self.resting(realm)
        wanted = application.ca_wanted(settings)
        job = application.fetch_job(settings, wanted, self._device.linux_name)
        return self._ca_job(settings, {**job, **self._device.moment()}, progress, done)

    def get_next_ca(self, realm: str, progress: Progress, done: Done) -> int:
        """GetNextCACert (RFC 8894 4.7): a derived pin beside the one that holds now."""
        settings = self.resting(realm)
        ca = self.trusted_ca(settings)
        job = application.published_job(settings, ca, self._device.linux_name)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                if isinstance(answer, AgentError):
                    raise answer
                found = tuple(ca_certificate(c) for c in tasks.items(answer, "certificates", dict))
                message = tasks.field(answer, "message", bytes)
                following = pins.following(ca, found, message, self._device.wall_s())
                if self.trusted_ca(settings) != ca:
                    raise fail("ca-pin-changed")
                self._device.tell(settings.name, answer, progress)
                subject = following.certificate.subject
                _introduce(progress, "The next CA", following.pin, subject)
                self.install(realm, Installed(ca=ca._replace(next=following)), progress, done)
            except AgentError as error:
                self._refused("GET_CA_CERT_ERR", realm, error, done)

        return self._device.job({**job, "op": "next-ca", **self._device.moment()}, arrived)

    def import_ca(self, realm: str, what: FromFile, progress: Progress, done: Done) -> int:
        settings = self.resting(realm)
        return self._ca_job(settings, self._import_job("ca", what), progress, done)

    def _ca_job(
        self, settings: Realm, job: dict[str, object], progress: Progress, done: Done
    ) -> int:
        """Runs a job that brings a CA set, and pins one certificate of it."""

        def arrived(answer: Answer | AgentError) -> None:
            try:
                if isinstance(answer, AgentError):
                    raise answer
                found = tuple(ca_certificate(c) for c in tasks.items(answer, "certificates", dict))
                if job["op"] == "fetch-ca":
                    self._device.tell(settings.name, answer, progress)
                caps = tuple(tasks.items(answer, "caps", str)) if "caps" in answer else ()
                self._pin(settings.name, found, caps, progress, done)
            except AgentError as error:
                fetched = job["op"] == "fetch-ca"
                mnemonic = "GET_CA_CERT_ERR" if fetched else "CA_IMPORT_ERR"
                self._refused(mnemonic, settings.name, error, done)

        return self._device.job(job, arrived)

    def _refused(self, mnemonic: str, realm: str, error: AgentError, done: Done) -> None:
        self._device.log.report(mnemonic, f"realm {realm}: {error.what}")
        done(error)

    def _pin(
        self,
        realm: str,
        found: tuple[CaCertificate, ...],
        caps: tuple[str, ...],
        progress: Progress,
        done: Done,
    ) -> None:
        settings, runner = self.resting(realm), self._device.runner(realm)
        now, known = self._device.now(), runner.engine.stored.ca
        now_s = now.wall_s if now.trusted else None
        choice = pins.choose(settings.fingerprint, known, found, now_s)

        def store(trusted_by: str) -> None:
            now_s = self._device.wall_s()
            ca = pins.record(choice.certificate, trusted_by, found, caps, now_s, known)
            subject = choice.certificate.certificate.subject
            _introduce(progress, f"The CA trusted by {trusted_by}", ca.pin, subject)
            self.install(realm, Installed(ca=ca), progress, done)

        def answered(yes: bool) -> None:
            if yes:
                store("operator" if caps else "import")
            else:
                done(fail("ca-unconfirmed"))

        if choice.trusted_by:
            store(choice.trusted_by)
            return
        asked = choice.certificate
        before = pins.replaced(asked, known)
        prints = Fingerprints(asked.certificate.subject, asked.sha1, asked.sha256, before)
        progress.confirm_ca(prints, answered)

    # -- the local certificate ---------------------------------------------------------------------

    def import_local(self, realm: str, what: FromFile, progress: Progress, done: Done) -> int:
        """A certificate for the realm's key pair; it must chain to the realm's CA if that is known.

        Without a file of that name the certificate in use is put into device memory again.
        """
        settings, runner = self.resting(realm), self._device.runner(realm)
        if not self._device.storage.exists(what.file) and runner.engine.stored.local:
            runner.use_again(progress, done)
            return 0
        key = self._key_of(settings)
        job = {**self._import_job("local", what), "key": application.key_map(key)}

        def arrived(answer: Answer | AgentError) -> None:
            try:
                if isinstance(answer, AgentError):
                    raise answer
                self._judge(realm, key, answer, progress, done)
            except AgentError as error:
                done(error)

        return self._device.job(job, arrived)

    def get_local(self, realm: str, serial: str | None, progress: Progress, done: Done) -> int:
        return self._retrieval.get(realm, serial, progress, done)

    def _judge(
        self, realm: str, key: KeyRecord, answer: Answer, progress: Progress, done: Done
    ) -> None:
        """The certificate is for our key; does it come from our CA?"""
        runner = self._device.runner(realm)
        found = tasks.certificate(answer.get("certificate"))
        chain, ca = tasks.items(answer, "chain", bytes), runner.engine.stored.ca
        local = LocalRecord(
            found, chain or _chain(found, ca), key.name, key.generation, self._device.wall_s()
        )

        def store() -> None:
            self.install(realm, Installed(local=local), progress, done)

        def validated(result: object) -> None:
            bad = [v for v in result if v.status == "Invalid"] if isinstance(result, list) else []
            if isinstance(result, AgentError):
                done(result)
            elif bad:
                done(fail("import-invalid", subject=bad[0].subject, reason=bad[0].reason))
            else:
                store()

        if ca is None:
            progress.note(f"Realm {realm} has no CA certificate: the issuer was not checked.")
            store()
        else:
            self._validate(realm, local, ca, "local", validated)

    def validate(self, realm: str, kind: str, done: Done) -> int:
        """The chain of the local certificate, or of the pinned CA; `done` with list[Verdict]."""
        stored = self._device.runner(realm).engine.stored
        if stored.ca is None or (kind == "local" and stored.local is None):
            raise _missing("ca" if stored.ca is None else kind, realm)
        return self._validate(realm, stored.local, stored.ca, kind, done)

    def _validate(
        self, realm: str, local: LocalRecord | None, ca: CaRecord, kind: str, done: Done
    ) -> int:
        settings = self._device.settings.realms[fold(realm)]
        pinned = ca.certificates[ca.pin_index].der
        job: dict[str, object] = {
            "op": "validate",
            "kind": kind,
            "certificate": local.certificate.der if local and kind == "local" else pinned,
            "chain": local.chain if local and kind == "local" else [],
            "certificates": [c.der for c in ca.certificates],
            "pin": ca.pin,
            "weak": list(settings.weak),
            "revocation": self._device.revocation.job_field(settings),
            **self._device.moment(),
        }

        def verdicts(answer: Answer) -> list[Verdict]:
            return [_verdict(row) for row in tasks.items(answer, "rows", dict)]

        return self._device.task(job, verdicts, done)

    def delete(self, realm: str, kind: str) -> None:
        """From the store and from memory; the file in storage stays, as in VRP."""
        runner, settings = self._device.runner(realm), self.resting(realm)
        if getattr(runner.engine.stored, kind) is None:
            raise _missing(kind, settings.name)
        runner.remove(kind)
        if kind == "local":
            self._device.forget_memory(settings.name)

    # -- keys, requests, files that are written ----------------------------------------------------

    def import_key(self, name: str, what: FromFile, exportable: bool, done: Done) -> int:
        before = self._device.key(name)
        generation = before.generation + 1 if before else 1
        job = {**self._import_job("key", what), "name": name, "generation": generation}

        return self._device.task(
            job,
            lambda answer: self._keys.keep(name, generation, exportable, answer, "RSA_IMPORT_OK"),
            done,
        )

    def export(self, realm: str, kind: str, what: FromFile, done: Done) -> int:
        """A certificate with its chain; PKCS#12 of the local one with its key, if it may leave."""
        stored = self._device.runner(realm).engine.stored
        local, ca = stored.local, stored.ca
        key = None
        if kind == "local" and local:
            found = [local.certificate.der, *local.chain]
            if what.format == "pkcs12":
                key = self._exportable(local.key)
        elif kind == "ca" and ca:
            pinned = ca.certificates[ca.pin_index].der
            found = [pinned, *(c.der for c in ca.certificates if c.der != pinned)]
        else:
            raise _missing(kind, realm)
        return self._write(kind, what, found, key, done)

    def export_key(self, name: str, what: FromFile, done: Done) -> int:
        return self._write("key", what, [], self._exportable(name), done)

    def request(self, realm: str, file: str, with_password: bool, done: Done) -> int:
        """The PKCS#10 of an application, for a CA that is reached by hand."""
        settings = self._device.settings.realms[fold(realm)]
        snapshot, key = self._device.snapshot(settings), self._key_of(settings)
        names = ("entity", "key_usage", "digest")
        job: dict[str, object] = {
            "op": "request",
            **{name: snapshot[name] for name in names},
            "key": application.key_map(key),
            "password": settings.password if with_password else None,
        }

        def write(answer: Answer) -> None:
            data = tasks.field(answer, "request", bytes)
            if self._device.settings.file_format == "pem":
                data = pem.encode("CERTIFICATE REQUEST", [data])
            self._device.storage.write(file, data)

        return self._device.task(job, write, done)

    def _write(
        self, kind: str, what: FromFile, found: list[bytes], key: KeyRecord | None, done: Done
    ) -> int:
        job: dict[str, object] = {
            "op": "export",
            "kind": kind,
            "format": what.format,
            "certificates": found,
            "key": application.key_map(key) if key else None,
            "password": what.password,
        }

        def write(answer: Answer) -> None:
            self._device.storage.write(what.file, tasks.field(answer, "data", bytes))
            self._device.log.report(f"{kind.upper()}_EXPORT_OK", f"written to {what.file}")

        return self._device.task(job, write, done)

    # -- inside ------------------------------------------------------------------------------------

    def resting(self, realm: str) -> Realm:
        """The settings of a realm that has no application under way."""
        runner = self._device.runner(realm)
        settings = self._device.settings.realms[fold(realm)]
        if is_under_way(runner.engine.state):
            raise fail("realm-busy", realm=settings.name, state=runner.engine.state.value)
        return settings

    def trusted_ca(self, settings: Realm) -> CaRecord:
        """The stored CA, which the realm trusts now."""
        engine = self._device.runner(settings.name).engine
        if engine.stored.ca is None or not engine.pin_holds():
            raise _missing("ca", settings.name)
        return engine.stored.ca

    def _key_of(self, settings: Realm) -> KeyRecord:
        if settings.key_pair is None:
            raise application.incomplete(settings, "rsa local-key-pair ...")
        key = self._device.key(settings.key_pair)
        if key is None:
            raise fail("key-unknown", name=settings.key_pair)
        return key

    def _exportable(self, name: str) -> KeyRecord:
        key = self._device.key(name)
        if key is None:
            raise fail("key-unknown", name=name)
        if not key.exportable:
            raise fail("key-not-exportable", name=name)
        return key

    def _import_job(self, kind: str, what: FromFile) -> dict[str, object]:
        data = self._device.storage.read(what.file)
        if len(data) > limits.IMPORT_BYTES:
            raise fail("file-too-large", name=what.file, cap=limits.IMPORT_BYTES)
        return {
            "op": "import",
            "kind": kind,
            "format": what.format,
            "data": data,
            "password": what.password,
        }

    def install(self, realm: str, event: Installed, progress: Progress, done: Done) -> None:
        """One commit, and into use; `done` with None, or with an error."""
        try:
            self.resting(realm)  # an application may have begun meanwhile
            self._device.runner(realm).install(event, progress, done)
        except AgentError as error:
            done(error)


def _introduce(progress: Progress, who: str, sha256: str, subject: str) -> None:
    """The fingerprint first; then the name that a CA gives itself, in a row of its own."""
    progress.note(f"{who} has the fingerprint sha256 {sha256}.")
    progress.note(f"It calls itself {brief(subject)}.")


def _missing(kind: str, realm: str) -> AgentError:
    """Each of the two comes in its own way."""
    return fail("ca-untrusted" if kind == "ca" else "certificate-missing", realm=realm)


def _chain(found: CertificateRecord, ca: CaRecord | None) -> list[bytes]:
    """The issuers of a certificate by name, up to a root; `validate` judges the signatures."""
    chain: list[bytes] = []
    last = found
    known = {c.subject: c for c in ca.certificates} if ca else {}
    while last.issuer != last.subject and last.issuer in known and len(chain) < len(known):
        last = known[last.issuer]
        chain.append(last.der)
    return chain


_VERDICT = ("certificate", "subject", "status")


def _verdict(row: Answer) -> Verdict:
    reason = row.get("reason")
    certificate, subject, status = (tasks.field(row, name, str) for name in _VERDICT)
    return Verdict(certificate, subject, status, reason if isinstance(reason, str) else None)
