"""Who would receive a request: RA in date, below the pin, with its purpose, and a key that can."""

from typing import Any

import pytest

from agent.errors import AgentError
from agent.scep import prospects
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab

RA = ("1.3.6.1.5.5.7.3.28",)


def run(*parties: lab.Party, ra: bool = False, **changes: Any) -> dict[str, Any]:
    ders = [party.der for party in parties] or [lab.root().der]
    ca = {"certificates": ders, "pin": lab.root().cert.sha256.hex(), "roots": []}
    job = {
        "ca": ca, "ra": ra, "compatibility": [], "caps": ["AES", "SHA-256"], "cipher": None,
        "digest": "sha-256", **lab.JUDGED, **changes,
    }  # fmt: skip
    return prospects.run(job)


def refused(*parties: lab.Party, **how: Any) -> AgentError:
    with pytest.raises(AgentError) as caught:
        run(*parties, **how)
    return caught.value


def front(**how: Any) -> lab.Party:
    return lab.certificate({"common_name": "RA"}, "ra-enc", how.pop("issuer", lab.root()),
                           **{"purposes": RA, **how})  # fmt: skip


def test_the_ca_itself_receives() -> None:
    assert run() == {"recipient": "C=DE, CN=Lab Root, with aes128", "notes": []}
    found = run(lab.root(), lab.sub(), cipher="aes256")
    assert found["recipient"] == "CN=Lab Sub, with aes256"


def test_the_ra_receives() -> None:
    found = run(lab.root(), front(), ra=True)
    assert found == {"recipient": "CN=RA, with aes128", "notes": []}


@pytest.mark.parametrize(
    ("party", "code", "reason"),
    [
        (lambda: front(start_s=lab.NOW_S - 9 * lab.DAY_S, days=1), "ra-unusable", "not in date"),
        (lambda: front(issuer=None), "ra-unusable", "issued it"),
        (lambda: front(purposes=["client_auth"]), "ra-missing", ""),
        (lambda: front(purposes=["any_extended_key_usage"]), "ra-purpose", ""),
        (lambda: lab.sub(), "ra-missing", ""),
    ],
)
def test_an_ra_that_may_not(party: Any, code: str, reason: str) -> None:
    error = refused(lab.root(), party(), ra=True)
    assert error.code == code
    assert reason in error.what
    assert error.remedy


def ec_public() -> bytes:
    made = files.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    return files.openssl("pkey", "-pubout", "-outform", "der", data=made)


def test_a_recipient_that_cannot_receive() -> None:
    error = refused(lab.root(), front(spki=ec_public()), ra=True)
    assert error.code == "ca-cannot-encrypt"
    assert "not an RSA key" in error.what
    assert "CN=RA" in error.what


def test_a_ca_whose_signatures_nobody_here_verifies() -> None:
    """Behind an RA that can receive: the CA would issue what this device had to refuse."""
    key = ec_public()
    odd = key.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f"))
    sub = lab.certificate({"common_name": "Sub"}, "sub", lab.root(), ca=True, spki=odd)
    error = refused(lab.root(), sub)
    assert error.code in ("ca-cannot-encrypt", "issued-unverifiable")


def test_what_is_weak_is_noted() -> None:
    weak = lab.certificate({"common_name": "Weak"}, "sub", lab.root(), ca=True, digest="sha1")
    notes = run(lab.root(), weak, weak=["sha1"], caps=["DES3"], digest="sha1")["notes"]
    assert any("sha1 in the certificate of CN=Weak" in note for note in notes)
    assert "the request is signed with sha1" in notes
    assert "3des instead of aes128: the CA does not list AES" in notes
    (note,) = run(lab.root(), front())["notes"]
    assert "`ra` in `enrollment-url` uses them" in note


def test_a_ca_that_counts_for_nothing_is_named_with_its_algorithm() -> None:
    odd = lab.sub().der.replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex(
        "2a864886f70d010102"))  # fmt: skip
    party = lab.sub()._replace(cert=lab.x509.Certificate.load(odd))
    (note,) = run(lab.root(), party)["notes"]
    assert note.startswith("CN=Lab Sub: its signature is md2WithRSAEncryption")


def test_a_ca_that_is_not_the_pinned_one() -> None:
    assert refused(lab.sub()).code == "ca-pin-missing"
    assert refused(now_s=lab.NOW_S + 999 * lab.DAY_S).code == "ca-expired"
