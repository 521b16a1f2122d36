"""Which certificate of a set becomes the pin: fingerprints, the operator's word, derived pins."""

from typing import Any

import pytest

from agent import limits
from agent.enrolment import pins, vouched
from agent.enrolment.states import CaCertificate
from agent.errors import AgentError
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
    typed = TYPED if trusted_by == "fingerprint" else None
    arrived = vouched.Arrived((pinned,), (), 0)
    return vouched.record(vouched.Pinned(pinned, trusted_by, typed), arrived, known)


def with_next(record: CaRecord, following: CaCertificate) -> CaRecord:
    found = pins.following(record, (following,), b"signed", [b"via"], 1)
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
        assert pin_of(fingerprint, heir, OLD) == "ca-set-older"  # it never goes back by itself
        assert pin_of(fingerprint, heir, OLD, OTHER) == "ca-set-older"
    for trusted_by in ("operator", "import"):
        child = stored(NEW, trusted_by, with_next(stored(OLD, trusted_by), NEW))
        assert pin_of(None, child, OLD) == "ca-set-older"
        assert pin_of(None, child, OTHER) == ("other", None)  # a person may decide otherwise
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


def test_that_an_ra_had_its_purpose_is_known_as_long_as_the_ca_is() -> None:
    """Of the same pin and of the one that it has named; another CA has another RA."""
    known = pins.with_proven_ra(with_next(stored(OLD), NEW))
    assert known is not None
    assert not stored(OLD).ra_proven
    assert stored(OLD, "fingerprint", known).ra_proven
    assert stored(NEW, "fingerprint", known).ra_proven
    assert not stored(OTHER, "operator", known).ra_proven
    again = OLD._replace(below=(1,))
    fresh = vouched.refreshed(known, vouched.Arrived((again, OTHER), (), 7))
    assert fresh is not None
    assert fresh.ra_proven
    assert pins.with_proven_ra(None) is None


def test_fetched_again_nothing_is_forgotten() -> None:
    heir = with_next(stored(NEW, "fingerprint", with_next(stored(OLD), NEW)), NEXT)
    again = stored(NEW, "fingerprint", heir)
    assert (again.next, again.lineage) == (heir.next, heir.lineage)


AGAIN = ca("again")._replace(certificate=OLD.certificate._replace(der=b"again", not_after_s=9000))


def renewed(*, sent: bool = True) -> tuple[CaCertificate, CaCertificate]:
    """The old CA, which may not be in the answer, and itself again with the same key."""
    return OLD._replace(below=(1,), generations=(1,), sent=sent), AGAIN


def test_a_ca_renewed_with_its_key_is_no_other_ca() -> None:
    known = stored(OLD)
    assert pin_of(TYPED, known, *renewed()) == ("old", "fingerprint")
    assert pin_of(TYPED, known, *renewed(sent=False)) == ("old", "fingerprint")
    by_operator = stored(OLD, "operator")
    assert pin_of(None, by_operator, *renewed(sent=False)) == ("old", "operator")
    assert pin_of(TYPED, known, AGAIN) == "ca-pin-mismatch"  # nobody has signed that it is the same


def test_it_becomes_the_pin_when_the_old_certificate_has_ended() -> None:
    for sent in (False, True):
        choice = pins.choose(TYPED, stored(OLD), renewed(sent=sent), 501)
        assert (choice.certificate, choice.trusted_by) == (AGAIN, "fingerprint")
    assert pin_of(TYPED, stored(OLD), *renewed(), now_s=None) == ("old", "fingerprint")


def test_the_stored_pin_beside_an_answer_is_no_part_of_it() -> None:
    beside = OLD._replace(sent=False)
    assert pin_of(TYPED, stored(OLD), beside, OTHER) == "ca-pin-mismatch"
    assert pin_of(TYPED, stored(OLD), beside) == "ca-no-ca"
    assert pin_of(None, stored(OLD, "operator"), beside, OTHER) == ("other", None)


def test_a_file_with_a_root_that_is_named_needs_no_pinned_ca() -> None:
    beside, named = OLD._replace(sent=False), ("sha256", "sha256 other")
    found = (OTHER, beside)
    assert pins.choose(TYPED, stored(OLD), found, 1, (named,)).certificate == beside
    with pytest.raises(AgentError):
        pins.choose(TYPED, stored(OLD), found, 1, (("sha256", "sha256 new"),))


def test_a_next_ca_is_a_ca_that_is_not_known() -> None:
    known = stored(OLD)
    for found in ((), (OLD,), (NEW._replace(is_ca=False),)):
        with pytest.raises(AgentError) as caught:
            pins.following(known, found, b"signed", [], 1)
        assert caught.value.code == "next-ca-none"
    chain = (ca("root"), ca("issuing", issuer="root"))
    found = pins.following(known, chain, b"signed", [b"sub"], 1)
    assert (found.pin, found.message, found.via) == ("sha256 issuing", b"signed", [b"sub"])


def test_who_takes_the_place_of_another_is_told_apart_from_a_first_one() -> None:
    assert pins.replaced(NEW, None) is None
    assert pins.replaced(NEW, None, lost=True) == ""
    assert pins.replaced(OLD, stored(OLD)) is None
    assert pins.replaced(NEW, stored(OLD)) == "sha256 old"
