"""Attacks by who is on the path and has a certificate of the same CA, as every customer of it has.

GetCACert answers and replies are his to write; what he must not get is the challenge password, nor
that a reply of his is believed.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from agent.errors import AgentError
from agent.scep.ra import RaRules
from tests.helpers import scep_ca
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import MiniCa, device_key, enrolled, failed
from tests.scep.test_trust import code_of, expected, judge, received, success

SIGNER = "certrep-signer"
BOTH = pytest.mark.parametrize("ra", [False, True])


@pytest.fixture
def descriptors() -> Iterator[list[int]]:
    descriptor = device_key()
    yield [descriptor]
    os.close(descriptor)


def evil(*purposes: str) -> lab.Party:
    """What the CA issued to him; for IKE unless he asked for something else."""
    usage = {"digital_signature", "key_encipherment"}
    named = purposes or ("client_auth", "1.3.6.1.5.5.7.3.17")
    subject = {"common_name": "evil"}
    return lab.certificate(subject, "other", lab.root(), usage=usage, purposes=named)


# -- in the CA set ---------------------------------------------------------------------------------


def test_first_in_an_ra_set_he_is_not_the_recipient(descriptors: list[int]) -> None:
    encryption, signature = lab.ra_pair()
    ca = MiniCa(encryption, signer=signature, certificates=[])
    stored = (evil(), lab.root(), signature, encryption)
    assert enrolled(ca, descriptors, *stored, ra=True)["status"] == "issued"
    assert len(ca.received) == 1  # the RA could open it


def test_alone_in_the_set_he_is_not_the_recipient(descriptors: list[int]) -> None:
    ca = MiniCa(evil())
    for others in ((), (lab.sub(),)):
        error = failed(ca, descriptors, evil(), lab.root(), *others, ra=True)
        assert error.code == "ra-missing"
    assert ca.received == []


def test_stored_in_the_set_he_signs_nothing() -> None:
    him = evil()
    reply = success(signer=him, certificates=[])
    assert code_of(reply, expected(him, *lab.ra_pair(), ra=True)) == SIGNER
    assert code_of(reply, expected(him, *lab.ra_pair())) == SIGNER


# -- in the CA set, with a certificate that names no purpose ---------------------------------------


def customer(purposes: Sequence[str] | None) -> lab.Party:
    """What a CA issues that writes no extendedKeyUsage, or one for all purposes."""
    named = {} if purposes is None else {"purposes": purposes}
    usage = {"digital_signature", "key_encipherment"}
    return lab.certificate({"common_name": "evil"}, "other", lab.root(), usage=usage, **named)


CUSTOMERS = pytest.mark.parametrize("purposes", [None, ["2.5.29.37.0"]], ids=["none", "any"])
LAX = {"compatibility": ["ra-any-purpose"]}


def trusted(*parties: lab.Party, proven: bool) -> dict[str, Any]:
    pin = lab.root().cert.sha256.hex()
    return {"certificates": [p.der for p in parties], "pin": pin, "ra_proven": proven}


@CUSTOMERS
def test_in_the_place_of_the_ra_he_reads_no_password(
    descriptors: list[int], purposes: Sequence[str] | None
) -> None:
    him = customer(purposes)
    ca = MiniCa(him)
    error = failed(ca, descriptors, him, lab.root(), ra=True)
    assert ca.received == []
    assert error.code == "ra-purpose"
    assert him.cert.sha256.hex() in error.what


@CUSTOMERS
def test_beside_the_ra_he_reads_no_password_even_where_any_purpose_will_do(
    descriptors: list[int], purposes: Sequence[str] | None
) -> None:
    encryption, signature = lab.ra_pair()
    for job in ({}, LAX):
        ca = MiniCa(encryption, signer=signature, certificates=[])
        stored = (customer(purposes), lab.root(), signature, encryption)
        assert enrolled(ca, descriptors, *stored, ra=True, **job)["ra_proven"] is True
        assert len(ca.received) == 1


@CUSTOMERS
@pytest.mark.parametrize("op", ["enrol", "poll"])
def test_after_an_ra_with_its_purpose_he_does_not_replace_it(
    descriptors: list[int], purposes: Sequence[str] | None, op: str
) -> None:
    him = customer(purposes)
    ca = MiniCa(him)
    stored = trusted(him, lab.root(), proven=True)
    error = failed(ca, descriptors, op=op, ra=True, ca=stored, **LAX)
    assert ca.received == []
    assert error.code == "ra-purpose-lost"


@CUSTOMERS
def test_a_pinned_ra_is_not_replaced_by_him_nor_by_another_ra(
    descriptors: list[int], purposes: Sequence[str] | None
) -> None:
    """The pinned one needs no purpose; the other ones are refused with it."""
    ours = lab.certificate({"common_name": "RA"}, "ra-enc", lab.root())
    pins = {"ra_fingerprint": {"algorithm": "sha256", "hex": [ours.cert.sha256.hex()]}}
    for him in (customer(purposes), lab.ra_pair()[0]):
        ca = MiniCa(him)
        assert failed(ca, descriptors, him, lab.root(), ra=True, **pins).code == "ra-pin-mismatch"
        assert ca.received == []
        ca = MiniCa(ours, signer=ours, certificates=[])
        answer = enrolled(ca, descriptors, him, lab.root(), ours, ra=True, **pins)
        assert answer["status"] == "issued"
        assert failed(MiniCa(ours, signer=him), descriptors, him, lab.root(), ours, ra=True,
                      **pins).code == SIGNER  # fmt: skip


@CUSTOMERS
def test_stored_in_an_ra_set_he_signs_nothing_and_is_named(
    purposes: Sequence[str] | None,
) -> None:
    him = customer(purposes)
    for rules in (RaRules(), RaRules(any_purpose=True), RaRules(any_purpose=True, proven=True)):
        with pytest.raises(AgentError) as caught:
            judge(success(signer=him, certificates=[]), expected(him, *lab.ra_pair(), ra=rules))
        assert caught.value.code == SIGNER
        assert f"sha256 {him.cert.sha256.hex()} names no purpose" in caught.value.what
        assert ("`compatibility ra-any-purpose`" in caught.value.what) is not rules.any_purpose


# -- in the reply ----------------------------------------------------------------------------------


@BOTH
def test_a_signer_that_only_the_reply_brings_is_refused_however_it_chains(ra: bool) -> None:
    unsaid = lab.certificate({"common_name": "evil"}, "other", lab.root())
    for signer in (evil(), evil("1.3.6.1.5.5.7.3.28"), unsaid, lab.ra_pair()[1], lab.sub()):
        assert code_of(success(signer=signer), expected(ra=ra)) == SIGNER
        pending = scep_ca.cert_rep(received(), signer, None, status="3")
        with pytest.raises(AgentError, match="not in the stored CA set") as caught:
            judge(pending, expected(ra=ra))
        assert caught.value.code == SIGNER


@BOTH
def test_a_reply_of_his_ends_the_job(descriptors: list[int], ra: bool) -> None:
    him = evil()
    ca = MiniCa(lab.ra_pair()[0] if ra else None, signer=him)
    for stored in ((lab.root(), *lab.ra_pair()), (lab.root(), him, *lab.ra_pair())):
        assert failed(ca, descriptors, *stored, ra=ra).code == SIGNER


def test_a_stored_ra_signs_only_where_the_realm_says_ra() -> None:
    with pytest.raises(AgentError) as caught:
        judge(success(signer=lab.ra_pair()[1]), expected(*lab.ra_pair()))
    assert caught.value.code == SIGNER
    assert "`enrollment-url ... ra`" in caught.value.what


@BOTH
def test_a_ca_that_the_path_length_forbids_signs_nothing(ra: bool) -> None:
    third = lab.certificate({"common_name": "third"}, "third", lab.sub(), ca=True)
    assert code_of(success(signer=third), expected(lab.sub(), third, ra=ra)) == SIGNER


# -- the pin ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("op", ["enrol", "poll"])
def test_a_pin_that_the_fingerprint_does_not_name(
    descriptors: list[int], algorithm: str, op: str
) -> None:
    """Whatever took over the job that fetched the set, it cannot choose the CA for the next one."""
    named = {"algorithm": algorithm, "hex": hashlib.new(algorithm, lab.root().der).hexdigest()}
    ca = MiniCa(status="3")
    for fingerprint in (named, None):
        assert enrolled(ca, descriptors, op=op, fingerprint=fingerprint)["status"] == "pending"
    wrong = {**named, "hex": named["hex"][::-1]}
    assert failed(ca, descriptors, op=op, fingerprint=wrong).code == "ca-pin-mismatch"
    assert len(ca.received) == 2
