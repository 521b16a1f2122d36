"""What realms that renew by themselves fetch ahead of time: the next CA, and revocation lists.

It is asked for as a person would ask (`authority.py`, `crls.py`), behind all else that uses the
network, and nothing waits for it. But a list without which nothing may be sent (`certificate-check
crl`) takes the turn of an application, and the realm applies when it is there. Such a realm may
have no CA yet: then its CA is fetched first, if a `fingerprint` says which one it is.

The times follow from what flash holds (`agent/enrolment/ahead.py`), so a restart goes on. What has
failed is in memory alone, and is told when it is another failure than the one before.
"""

from __future__ import annotations

from binascii import crc32
from functools import partial

from agent.appliance import Done
from agent.device import realm_records
from agent.device.authority import Authority
from agent.device.crls import Crls
from agent.device.realms import Realms
from agent.device.runner import RealmRunner, mark
from agent.device.shared import Shared
from agent.device.timer import Timer
from agent.device.waiter import UNHEARD
from agent.enrolment import ahead, automatic, schedule
from agent.enrolment.actions import NEVER, Deadline, Now
from agent.enrolment.ahead import Lists, Tries
from agent.enrolment.states import Configured, is_under_way
from agent.errors import AgentError
from agent.settings import Realm, fold
from hal.named import NamedTuple
from hal.records import CrlRecord

NEXT_CA, LIST = "next CA", "revocation list"
_MNEMONIC = {NEXT_CA: "GET_CA_CERT_ERR", LIST: "GET_CRL_ERR"}
_NONE_YET, _BUSY = "next-ca-none", "realm-busy"  # no fault of anybody


class _Past(NamedTuple):
    """What came of asking under some settings; told: the code of the failure that was told last."""

    settings: int
    tries: Tries
    told: str = ""


class Ahead:
    """`look` is called whenever a realm stands otherwise, or its clock does."""

    def __init__(self, shared: Shared, realms: Realms, authority: Authority, crls: Crls) -> None:
        self._shared, self._realms = shared, realms
        self._authority, self._crls = authority, crls
        self._started_ns = shared.time.now().monotonic_ns
        self._timers: dict[str, Timer] = {}
        # Of a folded realm and a kind; those that were never asked for are not in here.
        self._past: dict[tuple[str, str], _Past] = {}
        self._at_work: set[tuple[str, str]] = set()
        realms.watch.at_once.append(self._stirred)

    def _stirred(self, runner: RealmRunner) -> None:
        """Where no realm renews by itself there is nothing to arm, or to disarm."""
        if runner.realm.auto_enroll or self._timers:
            self.look(runner.realm.name)

    def look(self, name: str) -> None:
        """Arms the timer of a realm; one that has gone, or renews no more, needs none."""
        key, runner = fold(name), self._found(name)
        if runner is None:
            if timer := self._timers.pop(key, None):
                timer.cancel()
            for kind in _MNEMONIC:
                self._past.pop((key, kind), None)
            return
        now = runner.now()
        deadlines = [self._armed(kind, runner, now) for kind in _MNEMONIC]
        moments = [due.monotonic_ns for due in deadlines if due.monotonic_ns is not None]
        walls = [due.wall_s for due in deadlines if due.wall_s is not None]
        if key not in self._timers:
            self._timers[key] = Timer(self._shared.loop, partial(self._act, name))
        self._timers[key].set(Deadline(min(moments, default=None), min(walls, default=None)))

    def _found(self, name: str) -> RealmRunner | None:
        """A realm that is configured to renew by itself."""
        realm = self._shared.settings.realms.get(fold(name))
        if realm is None or realm.auto_enroll is None:
            return None
        try:
            return self._realms.runner(name)
        except AgentError:  # the device stops
            return None

    def _armed(self, kind: str, runner: RealmRunner, now: Now) -> Deadline:
        """By the clocks of this moment; what has come due is noted."""
        due, tries = self._due(kind, runner, now), self._tries(kind, runner)
        if due.monotonic_ns is not None and not tries.owed:
            stored, wait_s = runner.engine.stored, 0
            if kind == NEXT_CA and self._shared.hardware.herd_s:
                wait_s = ahead.herd_s(stored, runner.engine.policy, now, _spread(runner))
            self._keep(kind, runner, ahead.owing(tries, stored, now, wait_s))
            due = self._due(kind, runner, now)
        return schedule.armed(due, now)

    def _due(self, kind: str, runner: RealmRunner, now: Now) -> Deadline:
        realm, engine = runner.realm, runner.engine
        if (fold(realm.name), kind) in self._at_work:
            return NEVER
        stored, policy, tries = engine.stored, engine.policy, self._tries(kind, runner)
        if kind == NEXT_CA:  # a realm at rest stores it
            under_way = is_under_way(engine.state)
            return NEVER if under_way else ahead.next_ca(stored, policy, now, tries)
        crl = realm_records.stored_crl(self._shared.store, realm.name)
        lists, spread = _lists(realm, crl), _spread(runner)
        return ahead.revocation_list(crl, lists, stored, policy, now, tries, spread)

    def _tries(self, kind: str, runner: RealmRunner) -> Tries:
        """Another setting ends a pause: it may be what was missing. A herd that starts at once
        spreads over the time that the board says."""
        past = self._past.get((fold(runner.realm.name), kind))
        if past and past.settings == mark(runner.realm):
            return past.tries
        now = Now(self._shared.time.now().wall_s, self._started_ns, trusted=False)
        herd_s = self._shared.hardware.herd_s
        pause_ns = automatic.first_pause_ns(runner.engine.stored, now, _spread(runner), herd_s)
        return Tries(self._started_ns + pause_ns, answered=past.tries.answered if past else "")

    # -- asking ------------------------------------------------------------------------------------

    def _act(self, name: str) -> None:
        if runner := self._found(name):
            now = runner.now()
            for kind in _MNEMONIC:
                moment_ns = self._armed(kind, runner, now).monotonic_ns
                if moment_ns is not None and moment_ns <= now.monotonic_ns:
                    self._at_work.add((fold(name), kind))
                    self._begin(kind, runner)
        self.look(name)

    def _begin(self, kind: str, runner: RealmRunner) -> None:
        """Asks as a person would; an error may come at once."""
        name, ended = runner.realm.name, partial(self._ended, kind, runner.realm.name)
        try:
            if kind == NEXT_CA:
                self._authority.get_next(name, UNHEARD, ended, alone=True)
            elif runner.engine.pin_holds() or runner.realm.certificate_check != ("crl",):
                self._fetch(runner, ended)
            else:
                then = partial(self._known, runner, ended)
                self._authority.get(name, UNHEARD, then, alone=True)
        except AgentError as error:
            ended(error)

    def _known(self, runner: RealmRunner, ended: Done[None], result: AgentError | None) -> None:
        """The CA is there, which a list needs."""
        if result:
            ended(result)
            return
        try:
            self._fetch(runner, ended)
        except AgentError as error:
            ended(error)

    def _fetch(self, runner: RealmRunner, ended: Done[None]) -> None:
        name = runner.realm.name
        urgent = realm_records.lacks_list(self._shared, runner.realm) is not None
        self._crls.fetch(name, UNHEARD, ended, alone=True, behind=not urgent)

    # -- what came of it ---------------------------------------------------------------------------

    def _ended(self, kind: str, name: str, result: AgentError | None) -> None:
        self._at_work.discard((fold(name), kind))
        if runner := self._found(name):
            learn = self._next_ca_ended if kind == NEXT_CA else self._list_ended
            self._keep(kind, runner, *learn(runner, self._tries(kind, runner), result))
        self.look(name)

    def _next_ca_ended(
        self, runner: RealmRunner, tries: Tries, result: AgentError | None
    ) -> tuple[Tries, AgentError | None]:
        stored, now = runner.engine.stored, runner.now()
        if result is None:
            return Tries(), None
        if result.code == _BUSY:  # an application has begun meanwhile
            return tries, None
        if result.code == _NONE_YET:
            return ahead.answered(tries, stored, now, _spread(runner)), None
        return ahead.not_answered(tries, result, stored, now, _spread(runner)), result

    def _list_ended(
        self, runner: RealmRunner, tries: Tries, result: AgentError | None
    ) -> tuple[Tries, AgentError | None]:
        now, spread = runner.now(), _spread(runner)
        crl = realm_records.stored_crl(self._shared.store, runner.realm.name)
        if result:
            if realm_records.lacks_list(self._shared, runner.realm):
                runner.alone.lacks(result)
            stored = ahead.life_of(crl, runner.engine.stored)
            return ahead.failed(tries, result, stored, now, spread), result
        if runner.alone.lacking:
            runner.hear(Configured())
        if crl and ahead.successor_s(crl, spread) <= now.wall_s:
            return ahead.the_same(crl, now, spread), None
        return Tries(), None

    def _keep(
        self, kind: str, runner: RealmRunner, tries: Tries, error: AgentError | None = None
    ) -> None:
        """A failure is told once, and again when another one has come between."""
        key = (fold(runner.realm.name), kind)
        told = past.told if (past := self._past.get(key)) else ""
        if not tries.owed:
            told = ""
        if error and error.code != told:
            told = error.code
            text = f"realm {runner.realm.name}: {error.what}"
            self._shared.log.report(_MNEMONIC[kind], text)
        self._past[key] = _Past(mark(runner.realm), tries, told)


def _lists(realm: Realm, crl: CrlRecord | None) -> Lists:
    """A realm wants lists where it says so in any way, or holds one already."""
    check = realm.certificate_check
    said = "crl" in check or realm.crl_scep or realm.cdp_from_ca or realm.cdp_url is not None
    wanted = check != ("none",) and (said or crl is not None)
    return Lists(wanted, required=check == ("crl",))


def _spread(runner: RealmRunner) -> int:
    """A number that differs between devices and realms, and stays."""
    local = runner.engine.stored.local
    return crc32(runner.realm.name.encode(), crc32(local.certificate.der) if local else 0)
