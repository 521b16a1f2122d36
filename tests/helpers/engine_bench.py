"""An engine with a small flash behind it, and the events of a scripted CA."""

from typing import Any

from agent import errors
from agent.enrolment.actions import Action, Commit, Finish, Now, Policy, Report, StartJob, Stored
from agent.enrolment.engine import Engine
from agent.enrolment.states import (
    Apply,
    CaCertificate,
    CaFetched,
    Due,
    JobFailed,
    NotStored,
    Restart,
)
from agent.errors import fail
from hal import record_codec, records
from hal.records import CertificateRecord

T0 = Now(1_800_000_000, 5_000_000_000, True)
MINUTE = 60_000_000_000
ISSUED = CertificateRecord(b"leaf", "CN=r1", "CN=CA", "2a", T0.wall_s, T0.wall_s + 1000)
SETTINGS = {"key_pair": "k1", "url": "http://ca/scep", "entity": {"common_name": "r1"}}


def authority(name: str = "CN=CA", issuer: str | None = None, *, is_ca: bool = True) -> Any:
    record = CertificateRecord(name.encode(), name, issuer or name, "01", 0, T0.wall_s + 9999)
    return CaCertificate(record, is_ca, f"md5 {name}", f"sha1 {name}", f"sha256 {name}")


PINNED = Policy(("sha256", "sha256 CN=CA"), 1, 3)
FETCHED = CaFetched((authority(),), ("AES", "SHA-256"))


def application(transaction: str = "t1", *, attended: bool = True, key: int = 1) -> Apply:
    return Apply(transaction, SETTINGS, key, "sealed", attended)


HELD = records.LocalRecord(
    ISSUED._replace(der=b"old", serial="01", not_after_s=T0.wall_s + 500), [], "k1", 1, 0
)
RENEWABLE = CaFetched((authority(),), ("AES", "Renewal"))


def again(transaction: str = "t1", **changes: Any) -> Apply:
    """An application of a device that has a certificate and its key."""
    return application(transaction)._replace(renewable=True, **changes)


FULL = fail("store-failed", reason="full")


def network() -> JobFailed:
    return JobFailed(errors.fail("job-deadline", seconds=1))


def verdict(code: str = "ca-badRequest") -> JobFailed:
    return JobFailed(errors.PeerError(code, "no", "because", "do", errors.OPERATOR))


class Bench:
    """An engine, the flash behind it and the jobs that it started; `cut` is a power cut."""

    def __init__(self, policy: Policy = PINNED, flash: Stored | None = None) -> None:
        self.policy, self.flash = policy, flash or Stored()
        self.now = T0
        self.engine = Engine(self.flash, policy)
        self.trace: list[str] = []
        self.writes, self.full = 0, False

    def __call__(self, event: Any) -> list[Action]:
        actions = self.engine.handle(event, self.now)
        for action in actions:
            if isinstance(action, Commit) and self.full:
                actions = self.engine.handle(NotStored(FULL), self.now)
                break
            self._perform(action)
        self.trace.append(self.engine.state.name)
        return actions

    def _perform(self, action: Action) -> None:
        if isinstance(action, Commit):
            # What goes through flash comes back as its schema allows.
            self.flash = Stored(*(_through_flash(part) for part in action.stored))
            self.writes += 1
            assert self.flash == self.engine.stored
        if isinstance(action, StartJob) and action.op != "fetch-ca":
            assert self.flash.request is not None
            assert self.flash.request.phase != "fetching"  # it has left, or is about to

    def cut(self) -> None:
        self.engine = Engine(self.flash, self.policy)
        self(Restart())

    def due(self) -> list[Action]:
        """The next deadline comes: time passes on both clocks."""
        deadline = self.engine.rearm(self.now)
        rests_ns = [] if deadline.wall_s is None else [(deadline.wall_s - self.now.wall_s) * 10**9]
        if deadline.monotonic_ns is not None:
            rests_ns.append(deadline.monotonic_ns - self.now.monotonic_ns)
        self.wait_ns(max(0, min(rests_ns)))
        return self(Due())

    def wait_ns(self, rest_ns: int) -> None:
        wall_s, monotonic_ns = self.now[:2]
        self.now = self.now._replace(
            wall_s=wall_s + rest_ns // 10**9, monotonic_ns=monotonic_ns + rest_ns
        )


def _through_flash(part: Any) -> Any:
    return None if part is None else record_codec.decode(type(part), record_codec.encode(part))


def kinds(actions: list[Action]) -> list[str]:
    return [
        f"{a.op}" if isinstance(a, StartJob) else type(a).__name__
        for a in actions
        if not isinstance(a, Report)
    ]


def finished(actions: list[Action]) -> Any:
    (end,) = [a for a in actions if isinstance(a, Finish)]
    return end.error


def busy(after_s: int = 0, code: str = "http-busy") -> JobFailed:
    error = errors.fail(code, status=503, reason="Busy", page="-")
    error.after_s = after_s
    return JobFailed(error)


RENEWED_RA = CaFetched(
    (authority("CN=RA", "CN=CA", is_ca=False), authority()._replace(below=(0,))), ("AES",)
)
