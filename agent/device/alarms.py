"""The alarms of realms: told in the log once per change, and remembered in flash.

What stands, and when the next change comes, is decided by `agent/enrolment/alarms.py`. A realm is
looked at when it may stand otherwise (`realms.Watch`) and when its next change has come: one
deadline for all of them. So an idle device wakes up for changes alone.

The alarms that stand are a record of the realm, written behind each change that was told. A cut
between the two has it told again, never not at all. At a start the log is empty, so what still
stands is told once more, with the time since when; what has changed while the device was off is a
change like any other. A clock that is not trusted changes nothing: no date is compared with it.
"""

from __future__ import annotations

from agent.console.language.times import Times
from agent.device import realm_records
from agent.device.realms import Realms
from agent.device.reserve import Purpose
from agent.device.runner import RealmRunner
from agent.device.shared import Shared
from agent.device.timer import Timer
from agent.enrolment import alarms, automatic
from agent.enrolment.actions import NEVER, Deadline
from agent.enrolment.alarms import CA, CRL, EXPIRED, GONE, LOCAL, VALID, WILL_EXPIRE, Life
from agent.errors import AgentError
from agent.settings import fold
from hal import record_codec, record_keys
from hal.records import AlarmsRecord

ENDS = "ALARM_ENDS"  # its realm or certificate is gone

Levels = dict[str, str]  # by subject: LOCAL, CA, CRL


def _mnemonic(subject: str, level: str) -> str:
    return f"{subject}_{level}"


_PARTS = {
    _mnemonic(subject, level): (subject, level)
    for subject in (LOCAL, CA, CRL)
    for level in (WILL_EXPIRE, EXPIRED)
}


class Alarms:
    """One a device; it begins by itself."""

    def __init__(self, shared: Shared, realms: Realms) -> None:
        self._shared, self._realms = shared, realms
        # By folded name, of realms that were looked at since the start. What is valid is left out.
        self._told: dict[str, Levels] = {}
        self._next_s: dict[RealmRunner, int] = {}
        self._timer = Timer(shared.loop, self._due)
        realms.watch.call = self.look

    def look(self, runner: RealmRunner) -> None:
        """Tells what has changed of a realm that may stand otherwise than before."""
        self._next_s.pop(runner, None)
        if runner.stopped:
            self._forget(runner.realm.name)
        elif runner.now().trusted:
            self._judge(runner)
        self._arm()

    def stop(self) -> None:
        """No callback comes any more."""
        self._timer.cancel()

    def _due(self) -> None:
        """A jump of the clock may have a thousand due."""
        now_s = self._shared.time.wall_s()
        due = [runner for runner, next_s in self._next_s.items() if next_s <= now_s]
        for runner in due:
            del self._next_s[runner]
        self._realms.watch.now(due)
        self._arm()

    def _arm(self) -> None:
        next_s = min(self._next_s.values(), default=None)
        self._timer.set(NEVER if next_s is None else Deadline(wall_s=next_s))

    def _judge(self, runner: RealmRunner) -> None:
        lives, now_s = self._lives(runner), self._shared.time.wall_s()
        key, levels = fold(runner.realm.name), alarms.levels(lives, now_s)
        next_s = alarms.next_s(lives, now_s)
        if next_s is not None:
            self._next_s[runner] = next_s
        told = self._told.get(key)
        if told is None:
            told = self._told[key] = self._read(runner.realm.name)
            for subject, level in told.items():
                if levels.get(subject) == level:
                    self._report(runner.realm.name, subject, level, lives[subject], again=True)
        changes = alarms.changes(told, levels)
        for subject, level in changes.items():
            if level == GONE:
                text = f"{_mnemonic(subject, told[subject])}, what it was about is gone"
                self._shared.log.report(ENDS, f"realm {runner.realm.name}: {text}")
            else:
                self._report(runner.realm.name, subject, level, lives[subject])
        if changes:
            self._keep(key, {name: level for name, level in levels.items() if level != VALID})

    def _lives(self, runner: RealmRunner) -> dict[str, Life]:
        realm, settings, crl = runner.realm, self._shared.settings, None
        if realm.certificate_check != ("none",):
            crl = realm_records.stored_crl(self._shared.store, realm.name)
        prewarning_s = settings.prewarning_days * automatic.DAY_S
        return alarms.lives(runner.engine.stored, crl, runner.engine.policy, prewarning_s)

    def _forget(self, name: str) -> None:
        """The realm works no more; if it is gone, its records are, too."""
        told = self._told.pop(fold(name), {})
        if told and fold(name) not in self._shared.settings.realms:
            names = ", ".join(_mnemonic(*one) for one in told.items())
            self._shared.log.report(ENDS, f"realm {name}: gone, and with it {names}")

    def _report(
        self, realm: str, subject: str, level: str, life: Life, *, again: bool = False
    ) -> None:
        zone = self._shared.settings.timezone
        times = Times(self._shared.time.wall_s(), zone.name, zone.ahead_s)
        verb = "expired" if level == EXPIRED else "expires"
        text = f"realm {realm}: the {life.what} {verb} {times.relative(life.end_s)}"
        if level == VALID:
            text = f"realm {realm}: the {life.what} is valid until {times.moment(life.end_s)}"
        if again:
            text += f"; standing since {times.moment(life.since_s(level))}"
        self._shared.log.report(_mnemonic(subject, level), text, again=again)

    # -- in flash ----------------------------------------------------------------------------------

    def _read(self, realm: str) -> Levels:
        """One that cannot be read is as good as none, and was told when the realm was loaded."""
        value = self._shared.store.get(record_keys.realm_key(realm, "alarms"))
        try:
            standing = [] if value is None else record_codec.decode(AlarmsRecord, value).standing
        except record_codec.RecordError:
            return {}
        return dict(_PARTS[name] for name in standing if name in _PARTS)

    def _keep(self, key: str, levels: Levels) -> None:
        self._told[key] = levels
        standing = [_mnemonic(*one) for one in levels.items()]
        record = record_codec.encode(AlarmsRecord(standing)) if standing else None
        try:
            changes: dict[str, object] = {record_keys.realm_key(key, "alarms"): record}
            self._shared.commit(changes, Purpose.FAILURE)
        except AgentError:
            pass  # it is in the log; the next start tells the change again
