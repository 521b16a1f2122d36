"""Alarms: a certificate, its CA or a revocation list that comes to its end, or is behind it. Pure.

VRP has three mnemonics for each of the three: it will expire, it has expired, it is valid. So each
has a life, which says when which of them is true, and what is told follows from what was told
before: a change is told once, whatever time, certificates and settings it is due to.

When it is warned of an end: `expire-prewarning` before it, but not before the last third of the
life. A CA of which no next one is known ends for good, so its operator has all of that third. What
a realm renews by itself is on its way from the renewal point on: then it is warned of when two
pauses between attempts have passed and nothing has come. A list is fetched so late in its life that
this alone counts for it: else each list would be warned of.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.enrolment import automatic
from agent.enrolment.actions import Policy, Stored
from agent.visible import brief
from hal.named import NamedTuple
from hal.records import CertificateRecord, CrlRecord, LocalRecord

LOCAL, CA, CRL = "LOCAL", "CA", "CRL"
VALID, WILL_EXPIRE, EXPIRED = "VALID", "WILL_EXPIRED", "EXPIRED"  # VRP's spelling
GONE = ""  # there is nothing any more that could be valid or not
WAITS = 2
SPREAD, LIST_SPREAD = 20, 2  # renewals begin in that part of their time, and fetches of a list


class Life(NamedTuple):
    """From when on it is warned of an end, and the end: wall times in seconds; and whose it is."""

    warn_s: int
    end_s: int
    what: str = ""

    def level(self, now_s: int) -> str:
        """VALID, WILL_EXPIRE or EXPIRED."""
        if now_s >= self.end_s:
            return EXPIRED
        return WILL_EXPIRE if now_s >= self.warn_s else VALID

    def since_s(self, level: str) -> int:
        """From when on it stands so."""
        return self.end_s if level == EXPIRED else self.warn_s


def lives(
    stored: Stored, crl: CrlRecord | None, policy: Policy, prewarning_s: int
) -> dict[str, Life]:
    """The lives of what a realm holds, by LOCAL, CA and CRL. crl: the list that it uses, if any."""
    found = {}
    if newest := _newest(stored):
        found[LOCAL] = _of_local(newest, stored, policy, prewarning_s)
    if ca := stored.ca:
        pinned, newest = ca.certificates[ca.pin_index], stored.newest
        found[CA] = _of_ca(pinned, prewarning_s if ca.next else None, newest)
    if crl and crl.next_update_s is not None:
        found[CRL] = _of_list(crl, crl.next_update_s, policy, prewarning_s)
    return found


def levels(found: Mapping[str, Life], now_s: int) -> dict[str, str]:
    """How each stands."""
    return {subject: life.level(now_s) for subject, life in found.items()}


def changes(told: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """What is to be told. `told`: the levels that were told last; what is not in there is valid."""
    subjects = [*now, *(subject for subject in told if subject not in now)]
    after = {subject: now.get(subject, GONE) for subject in subjects}
    return {name: level for name, level in after.items() if level != told.get(name, VALID)}


def next_s(found: Mapping[str, Life], now_s: int) -> int | None:
    """The wall time at which the next of them stands otherwise; None: never again."""
    moments_s = [moment_s for life in found.values() for moment_s in (life.warn_s, life.end_s)]
    return min((moment_s for moment_s in moments_s if moment_s > now_s), default=None)


def _newest(stored: Stored) -> LocalRecord | None:
    """A certificate that waits for its turn takes the place of the one in use in time."""
    held = [local for local in (stored.local, stored.newest) if local]
    return max(held, key=lambda local: local.end_s, default=None)


def _warn_s(begin_s: int, end_s: int, prewarning_s: int | None) -> int:
    third_s = max(0, end_s - begin_s) // 3
    return end_s - (third_s if prewarning_s is None else min(prewarning_s, third_s))


def _of_local(local: LocalRecord, stored: Stored, policy: Policy, prewarning_s: int) -> Life:
    certificate, end_s = local.certificate, local.end_s
    point_s = automatic.point_s(local, stored, policy)
    warn_s = _warn_s(certificate.not_before_s, end_s, prewarning_s)
    if policy.percent is not None and warn_s >= point_s:
        warn_s = _late_s(point_s, SPREAD, end_s)
    what = f"local certificate {certificate.serial} for {brief(certificate.subject)}"
    if end_s < certificate.not_after_s:
        what += ", with a CA above it,"
    return Life(warn_s, end_s, what)


def _of_ca(pinned: CertificateRecord, prewarning_s: int | None, newest: LocalRecord | None) -> Life:
    """prewarning_s: None where no next one is known. newest: one that ends no later than the one
    before it tells that the CA, or what it grants, comes to an end."""
    end_s, what = pinned.not_after_s, f"CA certificate of {brief(pinned.subject)}"
    warn_s = _warn_s(pinned.not_before_s, end_s, prewarning_s)
    if newest and newest.ends_as_before:
        warn_s, what = min(warn_s, newest.issued_s), f"{what}, which issues for no longer,"
    return Life(warn_s, end_s, what)


def _of_list(crl: CrlRecord, end_s: int, policy: Policy, prewarning_s: int) -> Life:
    warn_s = _warn_s(crl.this_update_s, end_s, prewarning_s)
    if policy.percent is not None:
        tenth_s = max(0, end_s - crl.this_update_s) // 10
        warn_s = _late_s(end_s - tenth_s, LIST_SPREAD, end_s)
    return Life(warn_s, end_s, f"revocation list of {brief(crl.issuer)}")


def _late_s(point_s: int, spread: int, end_s: int) -> int:
    """When what begins at `point_s` is late; each device has its own moment in a part of the time
    that is left."""
    window_s = max(0, end_s - point_s)
    late_s = point_s + window_s // spread + WAITS * automatic.longest_pause_s(window_s)
    return min(late_s, end_s)
