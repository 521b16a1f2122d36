"""Which certificate of a set becomes the pin: fingerprints, the operator's word, derived pins."""

from typing import Any

import pytest

from agent import limits, pins
from agent.errors import AgentError
from agent.states import CaCertificate
from hal.records import CaRecord, CertificateRecord

END_S = 10_000


def ca(name: str, *, issuer: str | None = None, end_s: int = END_S) -> CaCertificate:
    record = CertificateRecord(name.encode(), name, issuer or name, "01", 0, end_s)
    return CaCertificate(record, True, f"md5 {name}", f"sha1 {name}", f"sha256 {name}")


OLD, NEW, NEXT, OTHER = ca("old", end_s=500), ca("new"), ca("next"), ca("other")
TYPED = ("sha256", "sha256 old")


def stored(
    pinned: CaCertificate, trusted_by: str = "fingerprint", known: CaRecord | None = None
) -> CaRecord:
    return pins.record(pinned, trusted_by, (pinned,), (), 0, known)


def with_next(record: CaRecord, following: CaCertificate) -> CaRecord:
    found = pins.following(record, (following,), b"signed", 1)
    return record._replace(next=found)


def pin_of(
    fingerprint: pins.Fingerprint | None, known: CaRecord | None, *found: CaCertificate,
    now_s: int | None = 100,
) -> Any:  # fmt: skip
    """The name of the certificate to pin and by what, or the code of the error."""
    try:
        choice = pins.choose(fingerprint, known, found, now_s)
    except AgentError as error:
        return error.code
    return choice.certificate.certificate.subject, choice.trusted_by


def test_a_derived_pin_takes_over_when_the_old_ca_has_gone() -> None:
    known = with_next(stored(OLD), NEW)
    assert pin_of(TYPED, known, OLD, NEW) == ("old", "fingerprint")  # both hold, the old one leads
    assert pin_of(TYPED, known, NEW) == ("new", "fingerprint")
    assert pin_of(TYPED, known, OTHER) == "ca-pin-mismatch"
    assert pin_of(TYPED, stored(OLD), NEW) == "ca-pin-mismatch"  # nobody named it


def test_the_old_pin_holds_until_its_end() -> None:
    known = with_next(stored(OLD), NEW)
    assert pin_of(TYPED, known, OLD, NEW, now_s=501) == ("new", "fingerprint")
    assert pin_of(TYPED, known, OLD, NEW, now_s=None) == ("old", "fingerprint")
    assert pin_of(TYPED, known, OLD, now_s=501) == ("old", "fingerprint")  # and is refused later


def test_after_the_change_the_fingerprint_still_counts_and_another_one_ends_it() -> None:
    heir = stored(NEW, "fingerprint", with_next(stored(OLD), NEW))
    assert [link.pin for link in heir.lineage] == ["sha256 old"]
    assert heir.next is None
    for fingerprint in (TYPED, ("md5", "md5 old"), ("sha1", "sha1 old"), ("sha256", "sha256 new")):
        assert pins.holds(heir, fingerprint)
        assert pin_of(fingerprint, heir, NEW, OLD) == ("new", "fingerprint")
    assert not pins.holds(heir, ("sha256", "sha256 other"))
    assert pin_of(("sha256", "sha256 other"), heir, NEW) == "ca-pin-mismatch"
    assert pin_of(("sha256", "sha256 other"), heir, OTHER) == ("other", "fingerprint")
    assert stored(OTHER, "fingerprint", heir).lineage == []


def test_another_fingerprint_drops_a_derived_pin_that_waits() -> None:
    known = with_next(stored(OLD), NEW)
    changed = ("sha256", "sha256 other")
    assert pin_of(changed, known, NEW) == "ca-pin-mismatch"
    assert pin_of(changed, known, OTHER) == ("other", "fingerprint")


def test_a_pin_of_the_operator_has_heirs_too_and_a_fingerprint_that_went_has_none() -> None:
    assert pin_of(None, with_next(stored(OLD, "operator"), NEW), NEW) == ("new", "operator")
    # trusted by a fingerprint that is not configured any more: somebody has to say so again
    assert pin_of(None, with_next(stored(OLD), NEW), NEW) == ("new", None)


def test_a_lineage_grows_to_its_cap() -> None:
    known = stored(OLD)
    for name in ("a", "b", "c"):
        known = stored(ca(name), "fingerprint", with_next(known, ca(name)))
    assert [link.pin for link in known.lineage] == ["sha256 a", "sha256 b"]
    assert len(known.lineage) == limits.CA_LINEAGE
    assert not pins.holds(known, TYPED)


def test_fetched_again_nothing_is_forgotten() -> None:
    heir = with_next(stored(NEW, "fingerprint", with_next(stored(OLD), NEW)), NEXT)
    again = stored(NEW, "fingerprint", heir)
    assert (again.next, again.lineage) == (heir.next, heir.lineage)


def test_a_set_is_refreshed_under_its_own_pin_only() -> None:
    ra = ca("ra", issuer="new")._replace(is_ca=False)
    known = with_next(stored(NEW, "operator", with_next(stored(OLD), NEW)), NEXT)
    found = pins.refreshed(known, (ra, NEW), ("AES",), 7)
    assert found is not None
    assert (found.pin, found.pin_index, found.trusted_by) == ("sha256 new", 1, "operator")
    assert (found.next, found.lineage, found.caps) == (known.next, known.lineage, ["AES"])
    for same in ((NEW,), (OTHER,), (), (NEW._replace(is_ca=False), ra)):
        assert pins.refreshed(known, same, ("AES",), 7) is None
    assert pins.refreshed(None, (NEW,), (), 7) is None
    for nothing_new in ((NEW, ra), (NEW,)):  # nobody has signed that there is no RA any more
        assert pins.refreshed(found, nothing_new, ("AES",), 7) is None


def test_a_next_ca_is_a_ca_that_is_not_known() -> None:
    known = stored(OLD)
    for found in ((), (OLD,), (NEW._replace(is_ca=False),)):
        with pytest.raises(AgentError) as caught:
            pins.following(known, found, b"signed", 1)
        assert caught.value.code == "next-ca-none"
    chain = (ca("root"), ca("issuing", issuer="root"))
    assert pins.following(known, chain, b"signed", 1).pin == "sha256 issuing"


def test_who_takes_the_place_of_another_is_told_apart_from_a_first_one() -> None:
    assert pins.replaced(NEW, None) is None
    assert pins.replaced(NEW, None, lost=True) == ""
    assert pins.replaced(OLD, stored(OLD)) is None
    assert pins.replaced(NEW, stored(OLD)) == "sha256 old"
