"""An engine that lives for years in virtual time, and the CA that answers it.

What the device adds is small: a realm that wants a certificate applies, as `Applications` does. A
job ends in the second in which it starts, and its end is what `ca` says.
"""

import string
from collections.abc import Callable
from typing import Any

from agent.enrolment.actions import (
    Action,
    Choose,
    Commit,
    Finish,
    Now,
    Policy,
    Report,
    StartJob,
    Stored,
    Wanted,
)
from agent.enrolment.automatic import is_revoked
from agent.enrolment.engine import Engine
from agent.enrolment.states import (
    Apply,
    CaCertificate,
    CaFetched,
    Due,
    Event,
    Granted,
    JobFailed,
    Restart,
)
from agent.errors import CATALOGUE, PeerError, fail
from hal.records import CertificateRecord, RequestRecord
from tests.helpers.engine_bench import authority

START_S = 1_800_000_000
DAY_S = 86_400
HOUR_S = 3_600
SECOND_NS = 1_000_000_000
AUTO = Policy(("sha256", "sha256 CN=CA"), 1, 5, percent=100)

Answer = Callable[["Life"], Event]


def grants(days: float, *, backdated_days: float = 0) -> Answer:
    """A CA that issues for so long from now on, or from a while ago."""

    def answer(life: "Life") -> Event:
        begin_s = life.now.wall_s - round(backdated_days * DAY_S)
        return life.granted(begin_s, begin_s + round(days * DAY_S))

    return answer


def refuses(code: str) -> Answer:
    """A refusal that the CA has signed."""
    return lambda _life: JobFailed(PeerError(code, "no", "because", "do", "operator"))


def busy(after_s: int) -> Answer:
    """A page of a server that nobody has signed."""
    error = fail("http-busy", status=503, reason="Busy", page="-")
    error.after_s = after_s
    return lambda _life: JobFailed(error)


def lasting(name: str = "CN=CA") -> CaCertificate:
    """A CA for as long as any of this lasts."""
    found: CaCertificate = authority(name)
    return found._replace(
        certificate=found.certificate._replace(not_after_s=START_S + 36_500 * DAY_S)
    )


class Life:
    """One realm: `run` lets it live until a time; `sent_s`, `issued_s` and `tried_s` hold the times
    of requests, certificates and jobs, in seconds since its beginning."""

    def __init__(
        self,
        policy: Policy = AUTO,
        *,
        first: Answer | None = None,
        password: str | None = "sealed",
        regenerate: bool = False,
    ) -> None:
        self.policy, self.password, self.regenerate = policy, password, regenerate
        self.now = Now(START_S, 5_000 * SECOND_NS, True)
        self.flash = Stored()
        self.settings: dict[str, object] = {"key_pair": "k1", "entity": {"common_name": "r1"}}
        self.engine = Engine(self.flash, policy)
        self.ca: Answer = first or grants(365)
        self.caps: tuple[str, ...] = ("AES", "Renewal")
        self.authority = lasting()
        self.sent: list[RequestRecord] = []
        self.sent_s: list[int] = []
        self.issued_s: list[int] = []
        self.tried_s: list[int] = []
        self.told: list[str] = []
        self.asked: list[Choose] = []
        self.ends: list[Any] = []
        self.generation = 1
        self._serial = 0

    # -- time --------------------------------------------------------------------------------------

    @property
    def age_s(self) -> int:
        return self.now.wall_s - START_S

    def run(self, until_s: float) -> None:
        """All that comes until so many seconds after the beginning."""
        end_s = round(until_s)
        for _step in range(100_000):
            deadline = self.engine.rearm(self.now)
            rests_ns = []
            if deadline.wall_s is not None:
                rests_ns.append((deadline.wall_s - self.now.wall_s) * SECOND_NS)
            if deadline.monotonic_ns is not None:
                rests_ns.append(deadline.monotonic_ns - self.now.monotonic_ns)
            rest_ns = max(0, min(rests_ns, default=end_s * SECOND_NS))
            if self.age_s + -(-rest_ns // SECOND_NS) > end_s:
                self._pass((end_s - self.age_s) * SECOND_NS)
                return
            self._pass(rest_ns)
            self.tell(Due())
            self.check()
        raise AssertionError("it acts without end")

    def _pass(self, rest_ns: int) -> None:
        self.now = self.now._replace(
            wall_s=self.now.wall_s + -(-rest_ns // SECOND_NS),
            monotonic_ns=self.now.monotonic_ns + -(-rest_ns // SECOND_NS) * SECOND_NS,
        )

    def reboot(self, **clock: Any) -> None:
        self.now = self.now._replace(monotonic_ns=0, **clock)
        self.engine = Engine(self.flash, self.policy)
        self.tell(Restart(7))

    # -- events ------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.tell(Restart(7))

    def tell(self, event: Event) -> None:
        self.perform(self.engine.handle(event, self.now))

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Commit(stored):
                    self.flash = stored
                case Wanted():
                    self.tell(self.application())
                case StartJob(op):
                    self.tell(self.answer(op))
                case Report(mnemonic, text):
                    self.told.append(f"{mnemonic}: {text}")
                case Choose():
                    self.asked.append(action)
                case Finish(error):
                    self.ends.append(error.code if error else None)
                case _:
                    pass

    def application(self, *, attended: bool = False, by_rule: bool = False) -> Apply:
        local = self.engine.stored.next or self.engine.stored.local
        new = local and local.generation == self.generation
        if local and new and (self.regenerate or is_revoked(local)):
            self.generation += 1
        transaction = f"{len(self.sent):032x}"
        held = self.engine.stored.local is not None
        made = Apply(transaction, dict(self.settings), self.generation, self.password, attended)
        return made._replace(renewable=held, by_rule=by_rule)

    def answer(self, op: str) -> Event:
        self.tried_s.append(self.age_s)
        if op == "fetch-ca":
            return CaFetched((self.authority,), self.caps)
        request = self.engine.request
        assert request is not None
        if op == "enrol":
            self.sent.append(request)
            self.sent_s.append(self.age_s)
        return self.ca(self)

    def granted(self, begin_s: int, end_s: int, chain: tuple[bytes, ...] = ()) -> Granted:
        self._serial += 1
        self.issued_s.append(self.age_s)
        name = self.authority.certificate.subject
        serial = f"{self._serial:x}"
        leaf = CertificateRecord(serial.encode(), "CN=r1", name, serial, begin_s, end_s)
        return Granted(leaf, chain)

    # -- what is held ------------------------------------------------------------------------------

    @property
    def serial(self) -> str:
        """Of the certificate in use."""
        local = self.engine.stored.local
        return local.certificate.serial if local else ""

    @property
    def valid(self) -> bool:
        local = self.engine.stored.local
        return local is not None and self.now.wall_s < local.end_s

    def check(self) -> None:
        """After each step: flash has what the engine has, and something comes next."""
        assert self.flash.local == self.engine.stored.local
        assert self.engine.rearm(self.now) or self.policy.percent is None

    def days(self, times_s: list[int]) -> list[float]:
        return [round(time_s / DAY_S, 2) for time_s in times_s]


def values_of(code: str) -> dict[str, str]:
    """Something for each name that the texts of an error have."""
    texts = CATALOGUE[code][2:]
    parts = (part for text in texts for part in string.Formatter().parse(text))
    return {name: "X" for _text, name, _spec, _conversion in parts if name}
