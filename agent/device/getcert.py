"""A certificate that the CA has issued already, asked for by its serial number (GetCert).

RFC 8894 7.4: there is no message by which a device confirms, so a CA may hold a certificate that
never arrived here, or was deleted since. The job is that of an application but for what it asks;
what it brings was judged in it like an answer to one, and enters the engine like an import.
"""

from typing import TYPE_CHECKING

from agent.appliance import Done, Progress
from agent.enrolment import renewal
from agent.enrolment.actions import Stored
from agent.enrolment.states import Installed
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm
from hal.records import CaRecord, LocalRecord, RequestRecord

if TYPE_CHECKING:
    from agent.device.certificates import Exchange
    from agent.device.device import Device


class Retrieval:
    """`get_local` of `agent.appliance.Exchange`."""

    def __init__(self, device: "Device", exchange: "Exchange") -> None:
        self._device, self._exchange = device, exchange

    def get(self, realm: str, serial: str | None, progress: Progress, done: Done[bool]) -> int:
        """GetCert (RFC 8894 4.5); without a number (hexadecimal) that of the certificate in use.

        `done` with whether it was in use already: then nothing is written.
        """
        settings = self._exchange.resting(realm)
        stored, log = self._device.runner(realm).engine.stored, self._device.log
        wanted = _number(stored, settings.name, serial)
        ca = self._exchange.trusted_ca(settings)
        self._device.revocation.check_possible(settings, progress)
        request = self._request(settings, stored, ca)
        job = self._job(settings, ca, request, wanted)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                if self._exchange.trusted_ca(settings).pin != ca.pin:
                    raise fail("ca-pin-changed")
                self._accept(settings, request, answer, progress, done)
            except AgentError as error:
                log.report("GET_LOCAL_CERT_ERR", f"realm {settings.name}: {error.what}")
                done(error)

        log.report("GETTING_LOCAL_CERT", f"realm {settings.name}: certificate {wanted} by GetCert")
        return self._device.job(job, arrived)

    def _request(self, settings: Realm, stored: Stored, ca: CaRecord) -> RequestRecord:
        """What the message is made from. The certificate in use signs it, if it may and can; else
        one that is made for it, as at first (RFC 8894 2.3). No challenge goes along."""
        event, local = self._device.application(settings), stored.local
        may_sign = local and renewal.usable(local.certificate, ca, self._device.now())
        return RequestRecord(
            phase="sent",
            transaction=event.transaction,
            request_time_s=self._device.wall_s(),
            generation=event.generation,
            settings=event.settings,
            password=None,
            polls=0,
            renewal=renewal.may_sign(event, local) if may_sign else None,
        )

    def _job(
        self, settings: Realm, ca: CaRecord, request: RequestRecord, serial: str
    ) -> dict[str, object]:
        device, way = self._device, request.renewal
        name = str(request.settings["key_pair"])
        own, signer = device.key(name), device.key(way.key if way else name)
        if own is None or signer is None:
            raise fail("key-unknown", name=name)
        keys = maps.Keys(own, signer)
        return {
            **maps.request_job("get-cert", settings, request, ca, keys, device.linux_name),
            "serial": serial,
            "revocation": device.revocation.job_field(settings),
            **device.moment(),
        }

    def _accept(
        self,
        settings: Realm,
        request: RequestRecord,
        answer: Answer,
        progress: Progress,
        done: Done[bool],
    ) -> None:
        """Stores what the job brought and puts it into use, unless it is there already."""
        name, log = settings.name, self._device.log
        self._exchange.resting(name)  # an application may have begun meanwhile
        local = LocalRecord(
            certificate=answers.certificate(answer.get("certificate")),
            chain=answers.items(answer, "chain", bytes),
            key=str(request.settings["key_pair"]),
            generation=request.generation,
            issued_s=self._device.wall_s(),
        )
        self._device.tell(name, answer, progress)
        key = self._device.key(local.key)
        if key is None or key.generation != local.generation:  # it was made anew meanwhile
            raise fail("key-unknown", name=local.key)
        before = self._device.runner(name).engine.stored.local
        if before and before.certificate.der == local.certificate.der:
            done(True)
            return

        def installed(error: AgentError | None) -> None:
            done(error or False)

        log.report("GET_LOCAL_CERT_OK", f"realm {name}: certificate {local.certificate.serial}")
        self._exchange.install(name, Installed(local=local), progress, installed)


def _number(stored: Stored, realm: str, serial: str | None) -> str:
    """The serial number that was typed, or that of the certificate in use."""
    if serial is not None:
        return serial
    if stored.local is None:
        raise fail("getcert-serial", realm=realm)
    return stored.local.certificate.serial
