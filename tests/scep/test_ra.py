"""Who may be the RA of a set: purposes, pins, what was seen before, and what a refusal says."""

import itertools
from typing import Any

import pytest

from agent.errors import AgentError
from agent.scep import caset, crypto, ra
from agent.scep.ra import RaRules
from tests.helpers import scep_lab as lab

NAMED = RaRules()
ANY_PURPOSE = RaRules(any_purpose=True)
PROVEN = RaRules(any_purpose=True, proven=True)
CMC_RA, AGENT, ANY = "1.3.6.1.5.5.7.3.28", "1.3.6.1.4.1.311.20.2.1", "2.5.29.37.0"
DEVICE = ["server_auth", "client_auth", "1.3.6.1.5.5.7.3.17"]


def load(*parties: lab.Party, **rules: Any) -> caset.CaSet:
    pin = crypto.digest("sha-256", lab.root().der).hex()
    how = caset.Rules(lab.NOW_S, frozenset())._replace(**rules)
    return caset.load([p.der for p in (lab.root(), *parties)], pin, how)


def leaf(issuer: lab.Party | None = None, **how: Any) -> lab.Party:
    return lab.certificate({"common_name": "leaf"}, "dev", issuer or lab.root(), **how)


def print_of(party: lab.Party, algorithm: str = "sha256") -> str:
    return crypto.digest(caset.FINGERPRINTS[algorithm], party.der).hex()


def pinned(*parties: lab.Party, algorithm: str = "sha256", **how: Any) -> RaRules:
    pins = tuple(print_of(party, algorithm) for party in parties)
    return RaRules(algorithm=algorithm, pins=pins, **how)


def receives(rules: RaRules | None, *parties: lab.Party, **how: Any) -> bytes:
    return ra.recipient(load(*parties, **how), rules).der


def refused(rules: RaRules, *parties: lab.Party) -> AgentError:
    with pytest.raises(AgentError) as caught:
        ra.recipient(load(*parties), rules)
    return caught.value


# -- which of them receives ------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_ra_pair_in_any_order(order: tuple[int, ...]) -> None:
    every = [lab.sub(), *lab.ra_pair()]
    parties = [every[n] for n in order]
    encryption, signature = lab.ra_pair()
    for rules in (NAMED, pinned(signature, encryption)):
        assert receives(rules, *parties) == encryption.der
        assert ra.issuing(load(*parties), rules).der == lab.root().der
    assert receives(None, *parties) == lab.sub().der
    assert ra.issuing(load(*parties), None).der == lab.sub().der


def test_a_ca_without_an_ra_receives_itself() -> None:
    assert receives(None) == lab.root().der
    assert receives(None, leaf(purposes=[AGENT])) == lab.root().der
    assert ra.candidates(load(), NAMED) == []


def test_an_ra_without_key_usage_will_do_and_the_wrong_one_too() -> None:
    plain = leaf(purposes=[CMC_RA])
    assert receives(NAMED, plain) == plain.der
    only = lab.ra_pair()[1]  # keyUsage without keyEncipherment is never a refusal
    assert receives(NAMED, only) == only.der
    assert receives(NAMED, only, plain) == plain.der


def test_key_usage_decides_between_two_that_say_that_they_are_ras() -> None:
    signing, encryption, plain = (
        leaf(purposes=[CMC_RA], **usage)
        for usage in ({"usage": {"digital_signature"}}, {"usage": {"key_encipherment"}}, {})
    )
    assert receives(NAMED, signing, plain) == plain.der
    assert receives(NAMED, signing, plain, encryption) == encryption.der


def test_between_pinned_ones_of_the_same_key_usage_the_first_that_was_typed_receives() -> None:
    one, other = leaf(), leaf()
    for parties in ((one, other), (other, one)):
        assert receives(pinned(other, one), *parties) == other.der


# -- purposes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("purposes", [[CMC_RA], [AGENT], [*DEVICE, AGENT], [ANY, CMC_RA]])
def test_purposes_that_make_an_ra(purposes: list[str]) -> None:
    one = leaf(purposes=purposes)
    for rules in (NAMED, ANY_PURPOSE, PROVEN):
        assert receives(rules, one) == one.der


@pytest.mark.parametrize("how", [{}, {"purposes": [ANY]}, {"purposes": [*DEVICE, ANY]}])
def test_no_purpose_or_any_is_refused_with_both_ways_out(how: dict[str, Any]) -> None:
    one = leaf(**how)
    error = refused(NAMED, one)
    assert error.code == "ra-purpose"
    assert f"sha256 {print_of(one)} of CN=leaf" in error.what
    assert f"`enrollment-url ... ra fingerprint sha256 {print_of(one)}`" in error.remedy
    assert "`compatibility ra-any-purpose`" in error.remedy
    assert receives(ANY_PURPOSE, one) == one.der
    assert receives(pinned(one), one) == one.der


@pytest.mark.parametrize("purposes", [DEVICE, ["client_auth"], ["1.2.3.4"], []])
def test_a_certificate_with_the_purposes_of_a_device_is_no_ra(purposes: list[str]) -> None:
    one = leaf(purposes=purposes, usage={"key_encipherment"})
    for rules in (NAMED, ANY_PURPOSE, PROVEN):
        assert ra.candidates(load(one), rules) == []
        error = refused(rules, one)
        assert error.code == "ra-missing"
        assert f"it holds sha256 {print_of(one)} of CN=leaf" in error.what
        assert "ra fingerprint sha256 HEX" in error.remedy
    assert receives(pinned(one), one) == one.der  # a person has said so


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_who_names_no_purpose_is_none_beside_an_ra_that_does(order: tuple[int, ...]) -> None:
    one = leaf(purposes=[AGENT], usage={"digital_signature"})
    unsaid, anything = (
        leaf(usage={"key_encipherment"}, **how) for how in ({}, {"purposes": [ANY]})
    )
    device = leaf(purposes=DEVICE, usage={"key_encipherment"})
    parties = [one, unsaid, device, anything]
    found = load(*(parties[n] for n in order))
    for rules in (NAMED, ANY_PURPOSE, PROVEN):
        assert [c.der for c in ra.candidates(found, rules)] == [one.der]


def test_after_an_ra_with_its_purpose_none_without_is_taken() -> None:
    one = leaf()
    error = refused(PROVEN, one)
    assert error.code == "ra-purpose-lost"
    assert print_of(one) in error.what
    for way in (f"ra fingerprint sha256 {print_of(one)}`", "`pki delete-certificate ca realm ...`"):
        assert way in error.remedy
    assert receives(pinned(one, any_purpose=True, proven=True), one) == one.der
    assert refused(RaRules(proven=True), one).code == "ra-purpose"


def test_what_proves_an_ra_is_the_purpose_of_who_received() -> None:
    encryption, signature = lab.ra_pair()
    plain = leaf()
    assert ra.proves(load(encryption, signature), NAMED)
    assert ra.proves(load(encryption), pinned(encryption))
    assert not ra.proves(load(plain), ANY_PURPOSE)
    assert not ra.proves(load(plain), pinned(plain))
    assert not ra.proves(load(encryption), None)


# -- pins ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_with_a_pin_nothing_else_counts(algorithm: str) -> None:
    ours, theirs = leaf(), leaf(purposes=[AGENT], usage={"key_encipherment"})
    rules = pinned(ours, algorithm=algorithm, any_purpose=True)
    for parties in ((ours, theirs), (theirs, ours)):
        assert receives(rules, *parties) == ours.der
        assert [c.der for c in ra.candidates(load(*parties), rules)] == [ours.der]
    error = refused(rules, theirs)
    assert error.code == "ra-pin-mismatch"
    assert f"{algorithm} fingerprint {print_of(ours, algorithm)}" in error.what
    assert f"what arrived: {algorithm} {print_of(theirs, algorithm)} of CN=leaf" in error.what
    assert refused(rules).what.endswith("what arrived: no certificate of an RA")


def test_a_pinned_one_must_be_an_end_entity_in_date_below_the_pin() -> None:
    foreign = lab.certificate({"common_name": "F"}, "foreign", None, ca=True)
    rows = (
        (leaf(foreign), "ra-unusable", "from the pin down"),
        (leaf(days=0), "ra-unusable", "not in date"),
        (lab.sub(), "ra-pin-mismatch", "what arrived"),
    )
    for one, code, words in rows:
        error = refused(pinned(one), one)
        assert (error.code, words in error.what) == (code, True)


# -- refusals --------------------------------------------------------------------------------------


def test_an_ra_that_is_wanted_and_not_there() -> None:
    foreign = lab.certificate({"common_name": "F"}, "foreign", None, ca=True)
    strange, expired = leaf(foreign), leaf(days=0)
    for others, code, words in (
        ([], "ra-missing", "no RA certificate of the pinned CA"),
        ([lab.sub()], "ra-missing", "no RA certificate of the pinned CA"),
        ([strange], "ra-unusable", "from the pin down"),
        ([expired], "ra-unusable", "not in date"),
        ([leaf(foreign, purposes=[AGENT])], "ra-unusable", "from the pin down"),
    ):
        for rules in (NAMED, ANY_PURPOSE):
            error = refused(rules, *others)
            assert (error.code, words in error.what) == (code, True)
            assert all(print_of(one) in error.what for one in others if not one.cert.ca)


def test_a_stranger_with_the_purpose_hides_no_ra_from_the_refusal() -> None:
    foreign = lab.certificate({"common_name": "F"}, "foreign", None, ca=True)
    stranger, ours = leaf(foreign, purposes=[AGENT]), leaf()
    error = refused(NAMED, stranger, ours)
    assert error.code == "ra-purpose"
    assert print_of(ours) in error.what
    assert print_of(stranger) not in error.what
    assert receives(ANY_PURPOSE, stranger, ours) == ours.der


def test_a_pair_without_purposes_is_named_as_it_is_to_be_typed() -> None:
    signature, encryption = (leaf(usage={bit}) for bit in ("digital_signature", "key_encipherment"))
    both = f"{print_of(encryption)} {print_of(signature)}"
    assert f"ra fingerprint sha256 {both}`" in refused(NAMED, signature, encryption).remedy


def test_a_refusal_is_short_whatever_the_set_holds() -> None:
    name = {"common_name": "x" * 64, "organization_name": "y" * 64, "locality_name": "z" * 64}
    crowd = [lab.certificate(name, "dev", lab.root()) for _ in range(12)]
    error = refused(NAMED, *crowd)
    assert len(error.what) < 800
    assert error.what.count("sha256") == ra.SHOWN


def test_a_set_that_no_pin_has_judged_yet() -> None:
    foreign = lab.certificate({"common_name": "F"}, "foreign", None, ca=True)
    rows: tuple[tuple[RaRules, list[lab.Party], str], ...] = (
        (NAMED, [leaf(foreign, purposes=[AGENT])], ""),
        (NAMED, [leaf()], "ra-purpose"),
        (NAMED, [leaf(purposes=DEVICE)], "ra-missing"),
        (NAMED, [], "ra-missing"),
        (ANY_PURPOSE, [leaf()], ""),
        (pinned(leaf(serial=5)), [leaf()], "ra-pin-mismatch"),
        (pinned(lab.ra_pair()[0]), [*lab.ra_pair()], ""),
    )
    for rules, parties, code in rows:
        found = load(*parties).certificates
        if not code:
            ra.check(found, rules)
            continue
        with pytest.raises(AgentError) as caught:
            ra.check(found, rules)
        assert caught.value.code == code


# -- the map of a job ------------------------------------------------------------------------------


def test_the_rules_of_a_job() -> None:
    assert ra.rules_of({"ra": False, "compatibility": ["ra-any-purpose"]}) is None
    assert ra.rules_of({"ra": True}) == NAMED
    job: dict[str, object] = {
        "ra": True, "compatibility": ["ra-any-purpose"], "ca": {"ra_proven": True},
        "ra_fingerprint": {"algorithm": "sha1", "hex": ["aa", "bb"]},
    }  # fmt: skip
    assert ra.rules_of(job) == RaRules("sha1", ("aa", "bb"), any_purpose=True, proven=True)
    bad = ({"algorithm": "crc", "hex": ["aa"]}, {"algorithm": "sha1", "hex": []})
    for wrong in ({"ra": 1}, *({"ra": True, "ra_fingerprint": pins} for pins in bad)):
        with pytest.raises(AgentError, match="makes no sense"):
            ra.rules_of(wrong)
