"""Certificates and keys that come in and go out otherwise than by an application.

Files lie in device storage; what is in them is read and written in a job, so that no private key
and no parser of foreign bytes is ever in the agent. What comes in enters the realm's engine as an
event and is stored by it in one commit.
"""

from typing import TYPE_CHECKING

from agent import limits, pem
from agent.appliance import Done, FromFile, KeyPair, Progress, Verdict
from agent.device.authority import Authority
from agent.device.getcert import Retrieval
from agent.device.keypairs import KeyPairs
from agent.enrolment.engine import is_under_way
from agent.enrolment.states import Installed
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm, fold
from hal.named import NamedTuple
from hal.records import CaRecord, KeyRecord, LocalRecord

if TYPE_CHECKING:
    from agent.device.device import Device


class _Validated(NamedTuple):
    """What a validation says, and the chain of a local certificate as the pin vouches for it."""

    verdicts: list[Verdict]
    chain: list[bytes]


class Exchange:
    """`agent.appliance.Exchange`."""

    def __init__(self, device: "Device", keys: KeyPairs) -> None:
        self._device, self._keys = device, keys
        self._retrieval = Retrieval(device, self)
        self._authority = Authority(device, self)

    def get_ca(self, realm: str, progress: Progress, done: Done[None]) -> int:
        return self._authority.get(realm, progress, done)

    def get_next_ca(self, realm: str, progress: Progress, done: Done[None]) -> int:
        return self._authority.get_next(realm, progress, done)

    def import_ca(self, realm: str, what: FromFile, progress: Progress, done: Done[None]) -> int:
        return self._authority.import_from(realm, what, progress, done)

    # -- the local certificate ---------------------------------------------------------------------

    def import_local(self, realm: str, what: FromFile, progress: Progress, done: Done[None]) -> int:
        """A certificate for the realm's key pair; it must chain to the realm's CA if that is known.

        Without a file of that name the certificate in use is put into device memory again.
        """
        settings, runner = self.resting(realm), self._device.runner(realm)
        if not self._device.storage.exists(what.file) and runner.engine.stored.local:
            runner.use_again(progress, done)
            return 0
        key = self._key_of(settings)
        job = {**self.import_job("local", what), "key": maps.key_map(key)}

        def arrived(answer: Answer | AgentError) -> None:
            try:
                self._judge(realm, key, answers.read(answer), progress, done)
            except AgentError as error:
                done(error)

        return self._device.job(job, arrived)

    def get_local(
        self, realm: str, serial: str | None, progress: Progress, done: Done[bool]
    ) -> int:
        return self._retrieval.get(realm, serial, progress, done)

    def _judge(
        self, realm: str, key: KeyRecord, answer: Answer, progress: Progress, done: Done[None]
    ) -> None:
        """The certificate is for our key; does it come from our CA?"""
        runner = self._device.runner(realm)
        found = answers.certificate(answer.get("certificate"))
        chain, ca = answers.items(answer, "chain", bytes), runner.engine.stored.ca
        local = LocalRecord(found, chain, key.name, key.generation, self._device.wall_s())

        def store(chain: list[bytes]) -> None:
            self.install(realm, Installed(local=local._replace(chain=chain)), progress, done)

        def validated(result: _Validated | AgentError) -> None:
            if isinstance(result, AgentError):
                done(result)
            elif bad := [v for v in result.verdicts if v.status == "Invalid"]:
                done(fail("import-invalid", subject=bad[0].subject, reason=bad[0].reason))
            else:
                store(result.chain)

        if ca is None:
            progress.note(f"Realm {realm} has no CA certificate: the issuer was not checked.")
            store(chain)
        else:
            self._validate(realm, local, ca, "local", validated)

    def validate(self, realm: str, kind: str, done: Done[list[Verdict]]) -> int:
        """The chain of the local certificate, or of the pinned CA; `done` with list[Verdict]."""
        stored = self._device.runner(realm).engine.stored
        if stored.ca is None or (kind == "local" and stored.local is None):
            raise _missing("ca" if stored.ca is None else kind, realm)

        def told(result: _Validated | AgentError) -> None:
            done(result.verdicts if isinstance(result, _Validated) else result)

        return self._validate(realm, stored.local, stored.ca, kind, told)

    def _validate(
        self, realm: str, local: LocalRecord | None, ca: CaRecord, kind: str, done: Done[_Validated]
    ) -> int:
        """`done` with _Validated, or with an error."""
        settings = self._device.settings.realms[fold(realm)]
        ours = local if kind == "local" else None
        job: dict[str, object] = {
            "op": "validate",
            "kind": kind,
            "certificate": ours.certificate.der if ours else maps.pinned_der(ca),
            **self._device.judged(settings, ca, ours.chain if ours else []),
        }

        def verdicts(answer: Answer) -> _Validated:
            rows = [_verdict(row) for row in answers.items(answer, "rows", dict)]
            return _Validated(rows, answers.items(answer, "chain", bytes))

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

    def import_key(self, name: str, what: FromFile, exportable: bool, done: Done[KeyPair]) -> int:
        generation = self._keys.next_generation(name)
        job = {**self.import_job("key", what), "name": name, "generation": generation}

        return self._device.task(
            job,
            lambda answer: self._keys.keep(name, generation, exportable, answer, "RSA_IMPORT_OK"),
            done,
        )

    def export(self, realm: str, kind: str, what: FromFile, done: Done[None]) -> int:
        """A certificate with its chain; PKCS#12 of the local one with its key, if it may leave."""
        settings = self._device.settings.realms[fold(realm)]
        stored = self._device.runner(realm).engine.stored
        local, key = stored.local, None
        if getattr(stored, kind) is None:
            raise _missing(kind, realm)
        if kind == "local" and local and what.format == "pkcs12":
            key = self._exportable(local.key)
        certificates = {
            "certificate": local.certificate.der if local else None,
            **self._device.judged(settings, stored.ca, local.chain if local else []),
        }
        return self._write(kind, what, certificates, key, done)

    def export_key(self, name: str, what: FromFile, done: Done[None]) -> int:
        return self._write("key", what, {}, self._exportable(name), done)

    def request(self, realm: str, file: str, with_password: bool, done: Done[None]) -> int:
        """The PKCS#10 of an application, for a CA that is reached by hand."""
        settings = self._device.settings.realms[fold(realm)]
        snapshot, key = self._device.snapshot(settings), self._key_of(settings)
        names = ("entity", "key_usage", "digest")
        job: dict[str, object] = {
            "op": "request",
            **{name: snapshot[name] for name in names},
            "key": maps.key_map(key),
            "password": settings.password if with_password else None,
        }

        def write(answer: Answer) -> None:
            data = answers.field(answer, "request", bytes)
            if self._device.settings.file_format == "pem":
                data = pem.encode("CERTIFICATE REQUEST", [data])
            self._device.storage.write(file, data)

        return self._device.task(job, write, done)

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
            self._device.storage.write(what.file, answers.field(answer, "data", bytes))
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
            raise maps.incomplete(settings, "rsa local-key-pair ...")
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

    def import_job(self, kind: str, what: FromFile) -> dict[str, object]:
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

    def install(self, realm: str, event: Installed, progress: Progress, done: Done[None]) -> None:
        """One commit, and into use; `done` with None, or with an error."""
        try:
            self.resting(realm)  # an application may have begun meanwhile
            self._device.runner(realm).install(event, progress, done)
        except AgentError as error:
            done(error)


def _missing(kind: str, realm: str) -> AgentError:
    """Each of the two comes in its own way."""
    return fail("ca-untrusted" if kind == "ca" else "certificate-missing", realm=realm)


_VERDICT = ("certificate", "subject", "status")


def _verdict(row: Answer) -> Verdict:
    reason = row.get("reason")
    certificate, subject, status = (answers.field(row, name, str) for name in _VERDICT)
    return Verdict(certificate, subject, status, reason if isinstance(reason, str) else None)
