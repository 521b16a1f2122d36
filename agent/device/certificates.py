"""Certificates and keys that come in and go out otherwise than by an application.

Files lie in device storage; what is in them is read and written in a job, so that no private key
and no parser of foreign bytes is ever in the agent. A certificate that comes in enters the realm's
engine as an event and is stored by it in one commit.
"""

from __future__ import annotations

from agent import pem
from agent.appliance import Done, FromFile, KeyPair, Progress, Verdict
from agent.device.application import Applications
from agent.device.authority import Authority
from agent.device.downloads import Downloads
from agent.device.getcert import GetCert
from agent.device.keypairs import KeyPairs
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.device.storage import DeviceStorage, import_job
from agent.enrolment.states import Installed
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm
from hal.named import NamedTuple
from hal.records import CaRecord, KeyRecord, LocalRecord


class _Validated(NamedTuple):
    """The rows of a validation, and the chain of a local certificate as the pin vouches for it."""

    verdicts: list[Verdict]
    chain: list[bytes]


class Certificates:
    """`agent.appliance.Exchange`."""

    def __init__(
        self,
        shared: Shared,
        realms: Realms,
        keys: KeyPairs,
        storage: DeviceStorage,
        applications: Applications,
        authority: Authority,
    ) -> None:
        self._shared, self._realms, self._keys = shared, realms, keys
        self._storage, self._applications = storage, applications
        self._retrieval = GetCert(shared, realms, keys, applications)
        self._authority = authority
        self.download = Downloads(shared, realms, storage).get

    def get_ca(self, name: str, progress: Progress, done: Done[None]) -> int:
        return self._authority.get(name, progress, done)

    def get_next_ca(self, name: str, progress: Progress, done: Done[None]) -> int:
        return self._authority.get_next(name, progress, done)

    def import_ca(self, name: str, what: FromFile, progress: Progress, done: Done[None]) -> int:
        return self._authority.import_from(name, what, progress, done)

    # -- the local certificate ---------------------------------------------------------------------

    def import_local(self, name: str, what: FromFile, progress: Progress, done: Done[None]) -> int:
        """A certificate for the realm's key pair; it must chain to the realm's CA if that is known.

        Where no file is named, the one that waits for its turn has it now. Without a file of that
        name the certificate in use is put into device memory again.
        """
        realm, runner = self._realms.resting(name), self._realms.runner(name)
        waits = runner.engine.stored.next
        if waits and what.format is None:
            progress.note("The certificate that waited is put into use.")
            self._realms.install(name, Installed(local=waits), progress, done)
            return 0
        if not self._storage.exists(what.file) and runner.engine.stored.local:
            runner.attend(None, progress, done)
            return 0
        key = self._key_of(realm)
        job = {**import_job(self._storage, "local", what), "key": maps.key_map(key)}

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                self._judge(name, key, answer, progress, done)
            except AgentError as error:
                done(error)

        return self._shared.job(job, arrived)

    def get_local(self, name: str, serial: str | None, progress: Progress, done: Done[bool]) -> int:
        return self._retrieval.get(name, serial, progress, done)

    def _judge(
        self, name: str, key: KeyRecord, answer: Answer, progress: Progress, done: Done[None]
    ) -> None:
        """The certificate is for our key; does it come from our CA?"""
        runner = self._realms.runner(name)
        certificate = answers.certificate(answer.get("certificate"))
        chain, ca = answers.items(answer, "chain", bytes), runner.engine.stored.ca
        now_s = self._shared.time.wall_s()
        local = LocalRecord(certificate, chain, key.name, key.generation, now_s)

        def store(chain: list[bytes]) -> None:
            self._realms.install(name, Installed(local=local._replace(chain=chain)), progress, done)

        def validated(result: _Validated | AgentError) -> None:
            if isinstance(result, AgentError):
                done(result)
            else:
                bad = [v for v in result.verdicts if v.status == "Invalid"]
                if bad:
                    done(fail("import-invalid", subject=bad[0].subject, reason=bad[0].reason))
                else:
                    store(result.chain)

        if ca is None:
            progress.note(f"Realm {name} has no CA certificate: the issuer was not checked.")
            store(chain)
        else:
            self._validate(name, local, ca, "local", validated)

    def validate(
        self, name: str, kind: str, done: Done[list[Verdict]], file: str | None = None
    ) -> int:
        """The chain of the local certificate, the certificates of the CA, or the chain of what is
        in a file; `done` with list[Verdict]."""
        stored = self._realms.runner(name).engine.stored
        if stored.ca is None or (kind == "local" and not file and stored.local is None):
            raise _missing("ca" if stored.ca is None else kind, name)
        if file:
            return self._validate_file(name, file, done)

        def told(result: _Validated | AgentError) -> None:
            done(result if isinstance(result, AgentError) else result.verdicts)

        return self._validate(name, stored.local, stored.ca, kind, told)

    def _validate(
        self, name: str, local: LocalRecord | None, ca: CaRecord, kind: str, done: Done[_Validated]
    ) -> int:
        """`done` with _Validated, or with an error."""
        ours = local if kind == "local" else None
        job: dict[str, object] = {
            "op": "validate",
            "kind": kind,
            "certificate": ours.certificate.der if ours else maps.pinned_der(ca),
            **self._realms.runner(name).judged(ours.chain if ours else []),
        }

        def verdicts(answer: Answer) -> _Validated:
            rows = [_verdict(row) for row in answers.items(answer, "rows", dict)]
            return _Validated(rows, answers.items(answer, "chain", bytes))

        return self._shared.task(job, verdicts, done)

    def _validate_file(self, name: str, file: str, done: Done[list[Verdict]]) -> int:
        data = self._storage.read(file)
        judged = self._realms.runner(name).judged([])
        job = {"op": "validate", "kind": "local", "certificate": data, **judged}

        def verdicts(answer: Answer) -> list[Verdict]:
            rows = [_verdict(row) for row in answers.items(answer, "rows", dict)]
            return [rows[0]._replace(certificate="file"), *rows[1:]] if rows else rows

        return self._shared.task(job, verdicts, done)

    def delete(self, name: str, kind: str) -> None:
        """From the store and from memory; the file in storage stays, as in VRP."""
        runner, realm = self._realms.runner(name), self._realms.resting(name)
        if getattr(runner.engine.stored, kind) is None:
            raise _missing(kind, realm.name)
        runner.remove(kind)
        if kind == "local":
            self._realms.forget_memory(realm.name)

    # -- keys, requests, files that are written ----------------------------------------------------

    def import_key(self, name: str, what: FromFile, exportable: bool, done: Done[KeyPair]) -> int:
        generation = self._keys.next_generation(name)
        job = {**import_job(self._storage, "key", what), "name": name, "generation": generation}

        return self._shared.task(
            job,
            lambda answer: self._keys.keep(name, generation, exportable, answer, "RSA_IMPORT_OK"),
            done,
        )

    def export(self, name: str, kind: str, what: FromFile, done: Done[None]) -> int:
        """A certificate with its chain; PKCS#12 of the local one with its key, if it may leave."""
        stored = self._realms.runner(name).engine.stored
        local, key = stored.local, None
        if getattr(stored, kind) is None:
            raise _missing(kind, name)
        if kind == "local" and local and what.format == "pkcs12":
            key = self._exportable(local.key)
        certificates = {
            "certificate": local.certificate.der if local else None,
            **self._realms.runner(name).judged(local.chain if local else []),
        }
        return self._write(kind, what, certificates, key, done)

    def export_key(self, name: str, what: FromFile, done: Done[None]) -> int:
        return self._write("key", what, {}, self._exportable(name), done)

    def request(self, name: str, file: str, with_password: bool, done: Done[None]) -> int:
        """The PKCS#10 of an application, for a CA that is reached by hand."""
        realm = self._realms.realm(name)
        snapshot, key = self._applications.snapshot(realm), self._key_of(realm)
        names = ("entity", "key_usage", "digest")
        job: dict[str, object] = {
            "op": "request",
            **{name: snapshot[name] for name in names},
            "key": maps.key_map(key),
            "password": realm.password if with_password else None,
        }

        def write(answer: Answer) -> None:
            data = answers.field(answer, "request", bytes)
            if self._shared.settings.file_format == "pem":
                data = pem.encode("CERTIFICATE REQUEST", [data])
            self._storage.write(file, data)

        return self._shared.task(job, write, done)

    def _write(
        self,
        kind: str,
        what: FromFile,
        certificates: Answer,
        key: KeyRecord | None,
        done: Done[None],
    ) -> int:
        job: dict[str, object] = {
            **certificates,
            "op": "export",
            "kind": kind,
            "format": what.format,
            "key": maps.key_map(key) if key else None,
            "password": what.password,
        }

        def write(answer: Answer) -> None:
            self._storage.write(what.file, answers.field(answer, "data", bytes))
            self._shared.log.report(f"{kind.upper()}_EXPORT_OK", f"written to {what.file}")

        return self._shared.task(job, write, done)

    # -- inside ------------------------------------------------------------------------------------

    def _key_of(self, realm: Realm) -> KeyRecord:
        if realm.key_pair is None:
            raise maps.incomplete(realm, "rsa local-key-pair ...")
        key = self._keys.record(realm.key_pair)
        if key is None:
            raise fail("key-unknown", name=realm.key_pair)
        return key

    def _exportable(self, name: str) -> KeyRecord:
        key = self._keys.record(name)
        if key is None:
            raise fail("key-unknown", name=name)
        if not key.exportable:
            raise fail("key-not-exportable", name=name)
        return key


def _missing(kind: str, name: str) -> AgentError:
    """Each of the two comes in its own way."""
    return fail("ca-untrusted" if kind == "ca" else "certificate-missing", realm=name)


_VERDICT = ("certificate", "subject", "status")


def _verdict(row: Answer) -> Verdict:
    reason = row.get("reason")
    certificate, subject, status = (answers.field(row, name, str) for name in _VERDICT)
    return Verdict(certificate, subject, status, reason if isinstance(reason, str) else None)
