"""What is stored of a CA set: what the pin and the operator vouch for, and nothing that is lost."""

from typing import Any

from agent import limits
from agent.enrolment import vouched
from agent.enrolment.pins import Fingerprint
from agent.enrolment.states import CaCertificate
from hal.records import CaRecord
from tests.enrolment.test_pins import AGAIN, NEW, OLD, OTHER, TYPED, ca, renewed, with_next

ROOT = ca("root")
SUB = ca("sub", issuer="old")
RA = ca("ra", issuer="old")._replace(is_ca=False)
PIN = OLD._replace(below=(1, 2))  # of a set with SUB and RA behind it


def record(
    pinned: CaCertificate,
    *others: CaCertificate,
    known: CaRecord | None = None,
    roots: tuple[Fingerprint, ...] = (),
    **how: Any,
) -> CaRecord:
    arrived = vouched.Arrived((pinned, *others), how.pop("caps", ()), how.pop("now_s", 0), roots)
    trust = {"trusted_by": "fingerprint", "anchor": TYPED, **how}
    return vouched.record(vouched.Pinned(pinned, **trust), arrived, known)


def names(ca_record: CaRecord) -> list[str]:
    return [one.subject for one in ca_record.certificates]


def test_the_pin_and_what_is_below_it_and_nothing_else() -> None:
    stored = record(PIN, SUB, RA, OTHER, ROOT)
    assert names(stored) == ["old", "sub", "ra"]
    assert stored.certificates[stored.pin_index] == OLD.certificate
    assert (stored.anchor, stored.roots) == ("sha256 sha256 old", [])


def test_a_root_is_stored_when_the_realm_or_a_person_names_it() -> None:
    assert names(record(PIN, SUB, RA, ROOT, roots=(("sha1", "sha1 root"),))) == [
        "old", "sub", "ra", "root",
    ]  # fmt: skip
    shown = record(PIN, SUB, RA, ROOT, OTHER, trusted_by="operator", anchor=None, shown=(ROOT,))
    assert names(shown) == ["old", "sub", "ra", "root"]
    assert (shown.roots, shown.anchor) == (["sha256 root"], "sha256 sha256 old")
    again = record(PIN, SUB, RA, OTHER, known=shown, trusted_by="operator", anchor=None)
    assert again is shown  # what was confirmed stays so


def test_a_set_with_nothing_new_is_not_written_whatever_it_leaves_out_or_adds() -> None:
    stored = record(PIN, SUB, RA, caps=("AES",))
    for others in ((), (SUB._replace(), OTHER), (OTHER, ROOT)):
        pinned = OLD._replace(below=(1,) if others[:1] == (SUB,) else ())
        assert record(pinned, *others, known=stored, caps=("DES",), now_s=9) is stored
    assert record(PIN, RA, SUB, known=stored) is stored  # another order


def test_what_is_new_comes_first_and_what_was_there_stays_until_it_ends() -> None:
    late = ca("new sub", issuer="old")
    stored = record(PIN, SUB, RA)
    changed = record(OLD._replace(below=(1,)), late, known=stored, now_s=100)
    assert names(changed) == ["old", "new sub", "sub", "ra"]
    ended = SUB._replace(certificate=SUB.certificate._replace(not_after_s=50))
    stored = record(PIN, ended, RA)
    assert names(record(OLD._replace(below=(1,)), late, known=stored, now_s=100)) == [
        "old", "new sub", "ra",
    ]  # fmt: skip


def test_no_more_is_stored_than_fits_and_the_pin_always_is() -> None:
    many = tuple(ca(f"sub{n}", issuer="old") for n in range(30))
    stored = record(OLD._replace(below=tuple(range(1, 31))), *many)
    assert len(stored.certificates) == limits.CA_SET_CERTIFICATES
    assert stored.certificates[stored.pin_index] == OLD.certificate
    big = ca("big", issuer="old")
    big = big._replace(certificate=big.certificate._replace(der=bytes(limits.CA_SET_DER_BYTES)))
    assert names(record(OLD._replace(below=(1, 2)), big, SUB)) == ["old"]
    assert names(record(OLD._replace(below=(1, 2)), SUB, big)) == ["old", "sub"]


def test_a_crowd_displaces_nothing_that_is_stored() -> None:
    """Each of them is genuine: a CA below the pin, shown by somebody who has no key."""
    stored = record(PIN, SUB, RA)
    many = tuple(ca(f"sub{n}", issuer="old") for n in range(30))
    crowded = record(OLD._replace(below=tuple(range(1, 31))), *many, known=stored)
    assert {"old", "sub", "ra"} <= set(names(crowded))
    assert len(crowded.certificates) == limits.CA_SET_CERTIFICATES


def test_another_pin_takes_nothing_of_the_one_before() -> None:
    stored = record(PIN, SUB, RA)
    assert names(record(OTHER, known=stored)) == ["other"]
    heir = record(NEW, known=with_next(stored, NEW))
    assert names(heir) == ["new"]
    assert [(link.pin, link.via) for link in heir.lineage] == [("sha256 old", [b"via"])]
    assert heir.anchor == "sha256 sha256 old"


def test_a_ca_renewed_with_its_key_is_kept_beside_and_follows() -> None:
    old, again = renewed(sent=False)
    first = record(PIN, SUB, RA)
    both = record(old, again, known=first)
    assert names(both) == ["old", "old", "sub", "ra"]
    assert (both.pin, both.lineage) == (first.pin, [])
    arrived = vouched.Arrived((old, again), (), 501)
    heir = vouched.record(vouched.Pinned(AGAIN, "fingerprint", TYPED), arrived, both)
    assert (heir.pin, heir.anchor) == ("sha256 again", "sha256 sha256 old")
    assert [(link.pin, link.message) for link in heir.lineage] == [("sha256 old", b"")]
    assert names(heir)[heir.pin_index] == "old"
    assert {"sub", "ra"} <= set(names(heir))  # the key that signed them is the same


def test_an_anchor_moves_on_with_the_lineage() -> None:
    known = record(OLD)
    for name in ("a", "b", "c"):
        known = record(ca(name), known=with_next(known, ca(name)))
    assert [link.pin for link in known.lineage] == ["sha256 a", "sha256 b"]
    assert known.anchor == "sha256 sha256 a"


def refreshed(known: CaRecord | None, *found: CaCertificate) -> CaRecord | None:
    return vouched.refreshed(known, vouched.Arrived(found, ("AES",), 7))


def test_a_set_is_refreshed_under_its_own_pin_only() -> None:
    known = with_next(record(OLD, trusted_by="operator", anchor=None), NEW)
    found = refreshed(known, OLD._replace(below=(1,)), RA)
    assert found is not None
    assert (found.pin, found.trusted_by, found.next) == ("sha256 old", "operator", known.next)
    for same in ((OLD,), (OTHER,), (), (OLD._replace(is_ca=False), RA)):
        assert refreshed(known, *same) is None
    assert refreshed(None, OLD) is None
    assert refreshed(known, OLD._replace(sent=False), OTHER) is None
    for nothing_new in ((OLD, RA), (OLD,)):  # nobody has signed that there is no RA any more
        assert refreshed(found, *nothing_new) is None


def notes(pinned: CaCertificate, *others: CaCertificate) -> list[str]:
    arrived = vouched.Arrived((pinned, *others), (), 0)
    trusted = vouched.Pinned(pinned, "fingerprint", TYPED)
    return vouched.notes(trusted, arrived, vouched.record(trusted, arrived, None))


def test_what_was_left_out_is_told_in_one_note_the_fingerprint_first() -> None:
    assert notes(PIN, SUB, RA) == []
    (note,) = notes(PIN, SUB, RA, OTHER, *(ca(f"x{n}") for n in range(4)))
    assert "nobody vouches for it: sha256 sha256 other other; " in note
    assert note.endswith("and 2 more")


def test_a_pin_that_is_no_root_is_told_of_with_the_root_that_the_set_shows() -> None:
    pinned = ca("sub", issuer="root")._replace(self_signed=False, above=(1,))
    left, note = notes(pinned, ROOT)
    assert "sha256 root" in left
    assert "root-fingerprint" in note
    assert "unverified, sha256 sha256 root root" in note
    (note,) = notes(pinned._replace(above=()))
    assert "it shows none" in note
