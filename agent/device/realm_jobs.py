"""The job of one realm's engine: built from what flash holds, started, heard once, cancelled."""

from __future__ import annotations

from collections.abc import Callable

from agent.device import realm_records
from agent.device.shared import Shared
from agent.enrolment.actions import Stored
from agent.errors import AgentError, fail
from agent.jobs import maps
from agent.jobs.answers import Answer
from agent.settings import Realm
from hal.protocol import Protocol
from hal.records import KeyRecord

UNBUILT = 0  # in place of a job's number: it could not be built, and its failure is on the way


class Keys(Protocol):
    """What a realm needs of the key pairs of the device."""

    def record(self, name: str, generation: int | None = None) -> KeyRecord | None: ...
    def tidy(self, name: str) -> None: ...


class RealmJobs:
    """At most one job at a time."""

    __slots__ = ("_keys", "_number", "_shared")

    def __init__(self, shared: Shared, keys: Keys) -> None:
        self._shared, self._keys = shared, keys
        self._number: int | None = None

    def start(
        self,
        op: str,
        realm: Realm,
        stored: Stored,
        moment: dict[str, object],
        attended: bool,
        ended: Callable[[Answer | AgentError], None],
    ) -> None:
        """`attended`: a person waits. `ended` is called from the loop; a job that cannot be built
        fails like any other."""
        number = UNBUILT

        def done(answer: Answer | AgentError) -> None:
            if self._number == number:  # a cancelled job ends unheard
                self._number = None
                ended(answer)

        try:
            job = {**self._job(op, realm, stored), **moment}
            number = self._number = self._shared.jobs.run(job, done, attended=attended)
        except AgentError as error:
            self._number, problem = UNBUILT, error
            self._shared.later(lambda: done(problem))

    def cancel(self) -> None:
        """Its child is killed, and its end is not heard."""
        number, self._number = self._number, None
        if number:
            self._shared.jobs.cancel(number)

    def _job(self, op: str, realm: Realm, stored: Stored) -> dict[str, object]:
        request, ca, name_of = stored.request, stored.ca, self._shared.interface_names.linux
        if request is None:
            raise fail("job-answer")
        if op == "fetch-ca":
            return maps.fetch_job(realm, request.settings, ca, name_of)
        if ca is None:
            raise fail("job-answer")
        key_name, signing = str(request.settings["key_pair"]), request.renewal
        key = self._generation(key_name, request.generation)
        signer = self._generation(signing.key, signing.generation) if signing else key
        job = maps.request_job(op, realm, request, ca, maps.Keys(key, signer), name_of)
        return {**job, "revocation": realm_records.crl_field(self._shared.store, realm)}

    def _generation(self, name: str, generation: int) -> KeyRecord:
        key = self._keys.record(name, generation)
        if key is None:
            raise fail("key-unknown", name=name)
        return key
