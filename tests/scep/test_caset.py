"""The CA set: pin, authorities, chain."""

import hashlib
import itertools
from typing import Any

import pytest
from asn1crypto import x509

from agent import limits
from agent.errors import AgentError
from agent.scep import ber, caset, certificate, crypto, der, ra
from tests.helpers import scep_lab as lab

RULES = caset.Rules(lab.NOW_S, frozenset())


def load(*parties: lab.Party, pin: lab.Party | None = None, **rules: Any) -> caset.CaSet:
    fingerprint = crypto.digest("sha-256", (pin or parties[0]).der).hex()
    return caset.load([p.der for p in parties], fingerprint, RULES._replace(**rules))


def code_of(*parties: lab.Party, **how: Any) -> str:
    with pytest.raises(AgentError) as caught:
        load(*parties, **how)
    return caught.value.code


def read(party: lab.Party) -> certificate.Certificate:
    return certificate.read(party.der)


def issued(issuer: lab.Party, **how: Any) -> lab.Party:
    return lab.certificate({"common_name": "leaf"}, "dev", issuer, **how)


def test_a_ca_alone() -> None:
    found = load(lab.root())
    assert found.pin.der == lab.root().der
    assert found.issuing() == found.pin
    leaf = read(issued(lab.root()))
    authority = found.issuer_of(leaf)
    assert authority is not None
    assert found.chain(authority) == [lab.root().der]


@pytest.mark.parametrize("algorithm", caset.FINGERPRINTS)
def test_the_pin_is_what_the_fingerprint_names(algorithm: str) -> None:
    ders = [lab.root().der, lab.sub().der]
    pin = crypto.digest("sha-256", lab.root().der).hex()
    good, bad = (
        caset.Fingerprint(algorithm, hashlib.new(algorithm, data).hexdigest()) for data in ders
    )
    pinned = caset.load(ders, pin, RULES).pin
    caset.check_fingerprint(pinned, good)
    with pytest.raises(AgentError) as caught:
        caset.check_fingerprint(pinned, bad)
    assert caught.value.code == "ca-pin-mismatch"
    for part in (algorithm, good.digits, bad.digits):
        assert part in caught.value.what


def test_the_pin_names_one_ca_of_the_set() -> None:
    assert code_of(lab.sub(), pin=lab.root()) == "ca-pin-missing"
    ra = lab.ra_pair()[0]
    assert code_of(lab.root(), ra, pin=ra) == "ca-pin-not-ca"
    version1 = lab.certificate({"common_name": "old"}, "sub", lab.root(), version="v1")
    assert code_of(version1, pin=version1) == "ca-pin-not-ca"  # no root
    ended = lab.certificate({"common_name": "E"}, "root", None, ca=True, days=1,
                            start_s=lab.NOW_S - 2 * lab.DAY_S)  # fmt: skip
    assert code_of(ended) == "ca-expired"
    assert load(ended, now_s=None).pin.der == ended.der  # a clock that is not trusted judges not


def bare(version: str = "v1", key: str = "root") -> lab.Party:
    """A root that does not say that it is one."""
    made = lab.certificate({"common_name": "old"}, key, None, version=version, ca=True)
    if version == "v1":
        return made
    fields = [child.raw for child in ber.read(made.der).children]
    parts = [child.raw for child in ber.read(fields[0]).children]
    tbs = der.sequence(*parts[:-1])  # without extensions
    signature = der.bit_string(lab.sign(key, tbs, "sha256"))
    whole = der.sequence(tbs, fields[1], signature)
    return lab.Party(key, x509.Certificate.load(whole))


@pytest.mark.parametrize("version", ["v1", "v3"])
def test_a_root_that_says_nothing_of_itself_is_an_anchor(version: str) -> None:
    """RFC 5280 6.1.1 d: of an anchor its name and its key are used."""
    root = bare(version)
    assert read(root).extensions == {}
    assert read(root).version == int(version[1])
    below = lab.certificate({"common_name": "Sub"}, "sub", root, ca=True)
    front = lab.certificate({"common_name": "RA"}, "ra-enc", root, purposes=["1.3.6.1.5.5.7.3.28"])
    found = load(root, below, front)
    assert [a.certificate.der for a in found.authorities] == [root.der, below.der]
    assert found.pin.is_ca
    assert found.served() == [below.der, root.der]
    assert [c.der for c in ra.candidates(found, ra.RaRules())] == [front.der]
    issuer = found.issuer_of(read(lab.certificate({"common_name": "x"}, "dev", root)))
    assert issuer is not None
    assert found.chain(issuer) == [root.der]


def test_a_root_that_says_nothing_is_none_without_its_fingerprint() -> None:
    root = bare(key="other")
    found = load(lab.root(), root)
    assert [a.certificate.der for a in found.authorities] == [lab.root().der]
    named = caset.Fingerprint("md5", hashlib.md5(root.der).hexdigest())
    pin, ders = crypto.digest("sha-256", lab.root().der).hex(), [lab.root().der, root.der]
    assert [c.der for c in caset.load(ders, pin, RULES, [named]).roots] == [root.der]


def test_an_intermediate_as_pin_does_not_vouch_for_its_issuer() -> None:
    found = load(lab.sub(), lab.root())
    assert [a.certificate.der for a in found.authorities] == [lab.sub().der]
    assert found.issuer_of(read(issued(lab.root()))) is None
    authority = found.issuer_of(read(issued(lab.sub())))
    assert authority is not None
    assert found.chain(authority) == [lab.sub().der]  # nobody vouches for the root


def test_a_root_above_the_pin_is_served_by_its_own_fingerprint_alone() -> None:
    named = caset.Fingerprint("sha1", hashlib.sha1(lab.root().der).hexdigest())
    ders, pin = [lab.sub().der, lab.root().der], crypto.digest("sha-256", lab.sub().der).hex()
    found = caset.load(ders, pin, RULES, [named])
    assert found.chain(found.authorities[0]) == ders
    assert found.served() == ders
    assert found.issuer_of(read(issued(lab.root()))) is None  # it issues nothing to this device
    other = caset.load(ders, pin, RULES, [named._replace(digits="00" * 20)])
    assert other.served() == ders[:1]


def test_a_chain_ends_at_a_root_though_the_operator_vouches_for_more() -> None:
    other = lab.certificate({"common_name": "Other"}, "other", None, ca=True)
    named = [caset.Fingerprint("sha256", p.cert.sha256.hex()) for p in (other, lab.root())]
    ders = [lab.sub().der, other.der, lab.root().der]
    found = caset.load(ders, lab.sub().cert.sha256.hex(), RULES, named)
    assert found.chain(found.authorities[0]) == [lab.sub().der, lab.root().der]
    assert found.served() == [lab.sub().der, lab.root().der, other.der]
    alone = caset.load(ders[:2], lab.sub().cert.sha256.hex(), RULES, named)
    assert alone.chain(alone.authorities[0]) == ders[:1]


def test_a_root_that_has_ended_is_not_served() -> None:
    root = lab.certificate({"common_name": "R"}, "root", None, ca=True, days=1,
                           start_s=lab.NOW_S - 2 * lab.DAY_S)  # fmt: skip
    sub = lab.certificate({"common_name": "S"}, "sub", root, ca=True)
    named = caset.Fingerprint("sha256", root.cert.sha256.hex())
    pin = sub.cert.sha256.hex()
    assert caset.load([sub.der, root.der], pin, RULES, [named]).served() == [sub.der]


def test_a_chain_over_the_pin_with_the_root_absent() -> None:
    found = load(lab.sub())
    assert found.chain(found.authorities[0]) == [lab.sub().der]


def test_path_lengths_hold() -> None:
    """The sub CA may sign certificates, but no CA below itself (pathLenConstraint 0)."""
    third = lab.certificate({"common_name": "third"}, "third", lab.sub(), ca=True)
    found = load(lab.root(), third, lab.sub())
    assert {a.certificate.der for a in found.authorities} == {lab.root().der, lab.sub().der}


def test_intermediates_must_be_in_date() -> None:
    early = lab.certificate({"common_name": "early"}, "sub", lab.root(), ca=True,
                            start_s=lab.NOW_S + lab.DAY_S)  # fmt: skip
    assert len(load(lab.root(), early).authorities) == 1
    assert len(load(lab.root(), early, now_s=None).authorities) == 2


def test_a_leaf_is_no_authority() -> None:
    ra = lab.ra_pair()[0]
    below = lab.certificate({"common_name": "x"}, "dev", ra)
    assert load(lab.root(), ra).issuer_of(read(below)) is None


def test_md5_only_where_it_is_allowed() -> None:
    leaf = read(issued(lab.root(), digest="md5"))
    assert load(lab.root()).issuer_of(leaf) is None
    assert load(lab.root(), weak=frozenset({"md5"})).issuer_of(leaf) is not None


def test_md5_below_the_pin_is_told_where_it_is_allowed() -> None:
    pin = lab.certificate({"common_name": "Pin"}, "root", None, ca=True, digest="md5")
    sub = lab.certificate({"common_name": "Sub"}, "sub", pin, ca=True, digest="md5")
    ra = issued(pin, digest="md5")
    allowed = load(pin, sub, ra, weak=frozenset({"md5"}))
    assert [note.split()[-1] for note in allowed.weak_links([read(ra)])] == ["CN=Sub", "CN=leaf"]
    assert [note.split()[-1] for note in allowed.weak_links()] == ["CN=Sub"]
    assert load(pin, sub, ra).weak_links() == []
    sound = map(read, lab.ra_pair())
    assert load(lab.root(), lab.sub(), *lab.ra_pair()).weak_links(list(sound)) == []


def test_a_knot_of_certificates_that_issue_each_other_costs_little() -> None:
    name = {"common_name": "knot"}
    knot = [lab.certificate(name, "sub", None, ca=True) for _ in range(14)]
    bridge = lab.certificate(name, "sub", lab.root(), ca=True)
    found = load(lab.root(), *knot, bridge)
    assert len(found.authorities) == 16
    assert len(found.chain(found.authorities[-1])) <= 17


def test_ways_down_from_the_pin_have_a_limit() -> None:
    """Each CA in the middle limits the one below it in its own way, so each way counts."""
    pin = lab.certificate({"common_name": "P"}, "root", None, ca=True)
    name = {"common_name": "M"}
    middle = [lab.certificate(name, "sub", pin, ca=True, path=n) for n in range(1, 9)]
    below = [
        lab.certificate({"common_name": f"B{n}"}, "third", middle[0], ca=True) for n in range(9)
    ]
    found = load(pin, *middle, *below)
    assert limits.CA_PATHS < len(found.authorities) < 1 + 8 + 8 * 9


def test_who_vouches_and_why_nobody_does() -> None:
    leaf, weak = read(issued(lab.root())), read(issued(lab.root(), digest="md5"))
    ended = read(issued(lab.root(), days=1, start_s=lab.NOW_S - 2 * lab.DAY_S))
    stranger = read(issued(lab.sub()))
    found = load(lab.root())
    assert [found.vouches_for(one) for one in (leaf, weak, ended, stranger)] == [
        True, False, False, False,
    ]  # fmt: skip
    assert load(lab.root(), now_s=None).vouches_for(ended)
    assert "md5" in found.fault_of(weak)
    assert found.fault_of(leaf) == found.fault_of(stranger) == ""


def test_unreadable_and_double_certificates_are_left_out() -> None:
    ders = [b"junk", lab.root().der, lab.root().der, b"", lab.root().der[:-1]]
    assert [c.der for c in caset.readable(ders)] == [lab.root().der]


# -- generations of one CA -------------------------------------------------------------------------

OLD_S = lab.NOW_S - 99 * lab.DAY_S


def generation(key: str, **how: Any) -> lab.Party:
    """A self-signed certificate of the CA that all of these are."""
    return lab.certificate({"common_name": "CA"}, key, None, ca=True, **how)


def test_a_ca_renewed_with_its_key_is_served_beside_the_pin() -> None:
    pin, again = generation("root", start_s=OLD_S), generation("root")
    found = load(pin, again)
    assert found.served() == [again.der, pin.der]
    assert found.issuing().der == again.der  # what the CA has now
    assert found.issuer_of(read(issued(pin))) is not None


def test_where_the_pin_has_ended_another_generation_of_it_stands_in() -> None:
    ended = generation("root", start_s=OLD_S, days=9)
    again, later = generation("root", days=30), generation("root", days=60)
    stranger = generation("other")
    found = load(ended, stranger, again, later, pin=ended)
    assert (found.named.der, found.pin.der) == (ended.der, later.der)
    assert stranger.der not in found.served()
    assert code_of(ended, stranger, pin=ended) == "ca-expired"
    forged = lab.certificate({"common_name": "CA"}, "root", None, ca=True, issuer_key="other")
    assert code_of(ended, forged, pin=ended) == "ca-expired"


def test_a_ca_below_another_is_not_its_own_next_generation() -> None:
    """The root has renewed it; what the root says counts for nothing above the pin."""
    ended = lab.certificate({"common_name": "S"}, "sub", lab.root(), ca=True, start_s=OLD_S, days=9)
    renewed = lab.certificate({"common_name": "S"}, "sub", lab.root(), ca=True)
    assert code_of(ended, renewed, lab.root(), pin=ended) == "ca-expired"


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_of_crossed_generations_the_recipient_is_never_the_older_key(order: Any) -> None:
    """RFC 4210 4.4: OldWithOld is pinned; the CA has the new key."""
    old, new = generation("root", start_s=OLD_S), generation("sub")
    new_by_old = lab.certificate({"common_name": "CA"}, "sub", old, ca=True)
    old_by_new = lab.certificate({"common_name": "CA"}, "root", new, ca=True)
    four = (old, new_by_old, old_by_new, new)
    found = load(*(four[at] for at in order), pin=old)
    assert found.issuing().der == new.der
    assert set(found.served()) == {one.der for one in four}
    assert found.issuer_of(read(issued(new))) is not None
    assert load(old, new_by_old, pin=old).issuing().der == new_by_old.der
