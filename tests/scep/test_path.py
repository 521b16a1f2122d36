"""What RFC 5280 6.1 asks of CAs, RAs and leaves below the pin, and what not of the pin itself."""

from typing import Any

import pytest

from agent.scep import crl, ra
from agent.scep.caset import CaSet
from agent.scep.names import DNS
from tests.helpers import scep_lab as lab
from tests.scep.test_caset import issued, load, read
from tests.scep.test_constraints import base, extension
from tests.scep.test_crl_check import made
from tests.scep.test_ra import CMC_RA, NAMED


def below(**how: Any) -> lab.Party:
    """A CA below the root."""
    return lab.certificate(
        {"common_name": "S"}, "sub", how.pop("issuer", lab.root()), ca=True, **how
    )


def reason(party: lab.Party, *others: lab.Party, **rules: Any) -> str:
    return load(lab.root(), *others, **rules).fault_of(read(party))


def test_a_ca_that_may_not_sign_vouches_for_nobody() -> None:
    for usage, good in (({"crl_sign"}, False), ({"key_cert_sign"}, True)):
        sub = below(usage=usage)
        assert (load(lab.root(), sub).issuer_of(read(issued(sub))) is not None) is good
    assert "keyCertSign" in reason(issued(below(usage={"crl_sign"})), below(usage={"crl_sign"}))


def test_the_extensions_of_the_pin_itself_are_not_applied() -> None:
    """6.1.1 d: whoever pins a CA has said that it may sign."""
    pin = lab.certificate({"common_name": "P"}, "root", None, ca=True, path=0, usage={"crl_sign"})
    sub = below(issuer=pin)
    assert load(pin, sub).issuer_of(read(issued(sub))) is not None


def test_a_self_issued_ca_takes_no_room() -> None:
    """6.1.4 l: path length 0 leaves none for another CA, and some for a new key of the same."""
    one = below(path=0)
    rekeyed = lab.certificate({"common_name": "S"}, "third", one, ca=True)
    assert rekeyed.der in cas(load(lab.root(), one, rekeyed))
    other = lab.certificate({"common_name": "T"}, "other", rekeyed, ca=True)
    assert other.der not in cas(load(lab.root(), one, rekeyed, other))


def cas(found: CaSet) -> list[bytes]:
    """The CAs that the pin vouches for."""
    return [one.certificate.der for one in found.authorities]


def test_a_ca_that_another_one_limits_is_served_behind_that_one_alone() -> None:
    """Who builds partial chains ends at the first CA that it trusts, and sees no limit above it."""
    only = extension(permitted=(base(DNS, b"example"),))
    frees: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, {}), ({"path": 1}, {"path": 0})]
    for above, free in frees:
        upper, lower = _two(above, free)
        assert load(lab.root(), upper, lower).served() == [lower.der, upper.der, lab.root().der]
    for above, hidden in (({"path": 1}, {}), ({"more": [only]}, {}), ({}, {"usage": {"crl_sign"}})):
        upper, lower = _two(above, hidden)
        found = load(lab.root(), upper, lower)
        assert lower.der in cas(found)
        assert found.served() == [upper.der, lab.root().der]
        assert found.chain(found.authorities[-1])[0] == lower.der  # peers are shown it


def _two(above: dict[str, Any], under: dict[str, Any]) -> tuple[lab.Party, lab.Party]:
    upper = below(**above)
    return upper, lab.certificate({"common_name": "T"}, "other", upper, ca=True, **under)


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_a_weak_signature_below_the_pin_needs_the_realms_word(digest: str) -> None:
    sub, end = below(digest=digest), issued(lab.root(), digest=digest, purposes=[CMC_RA])
    found = load(lab.root(), sub, end)
    assert (found.served(), ra.candidates(found, NAMED)) == ([lab.root().der], [])
    assert f"`weak-algorithm {digest}`" in found.fault_of(read(sub))
    allowed = load(lab.root(), sub, end, weak=frozenset({digest}))
    assert sub.der in allowed.served()
    assert [one.der for one in ra.candidates(allowed, NAMED)] == [end.der]


def test_a_critical_extension_that_nobody_knows_ends_the_way() -> None:
    odd = below(more=[("1.2.3.4", True, b"\x05\x00")])
    assert load(lab.root(), odd).served() == [lab.root().der]
    assert "1.2.3.4" in load(lab.root(), odd).fault_of(read(odd))
    assert odd.der in load(odd).served()  # pinned itself, it is not judged
    plain = below(more=[("1.2.3.4", False, b"\x05\x00")])
    assert plain.der in load(lab.root(), plain).served()
    policies = below(more=[("2.5.29.36", True, b"\x30\x03\x80\x01\x00")])  # known, not judged
    assert policies.der in load(lab.root(), policies).served()


def test_a_ca_on_the_stored_list_is_no_authority() -> None:
    sub, end = below(serial=77), issued(lab.root(), serial=78, purposes=[CMC_RA])
    listed = crl.read(made((77, ""), (78, "")))
    assert load(lab.root(), sub, end).served() == [sub.der, lab.root().der]
    found = load(lab.root(), sub, end, crl=listed)
    assert (found.served(), ra.candidates(found, NAMED)) == ([lab.root().der], [])
    outdated = load(lab.root(), sub, crl=listed, now_s=lab.NOW_S + 300 * lab.DAY_S)
    assert outdated.served() == [lab.root().der]
    forged = crl.read(made((77, ""), key="other"))
    assert sub.der in load(lab.root(), sub, crl=forged).served()
    other = crl.read(made((79, "")))
    assert sub.der in load(lab.root(), sub, crl=other).served()
