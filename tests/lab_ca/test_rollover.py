"""What a lab CA does besides enrolment: CRL, GetCert, renewals, and the change to its next key."""

import datetime
from pathlib import Path

import pytest
from asn1crypto import cms, crl
from asn1crypto import x509 as asn1
from cryptography import x509

from tests.helpers import labca_client as client
from tests.helpers.labca import LabCa
from tests.helpers.labca_bench import DAY_S, PLAIN, Bench, a_home, public_key, replanned
from tests.helpers.labca_client import CertRep, Device, openssl, pkcs10
from tests.helpers.labca_http import by_post, device_of, http_request
from tests.helpers.labca_seen import Base, serving
from tools.lab_ca import __main__
from tools.lab_ca.authority import Plan, serial_of

CHALLENGED = PLAIN._replace(challenge="sekret")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(a_home(tmp_path))


def command(ca: LabCa, *words: str) -> int:
    return __main__.main(["--dir", str(ca.dir), *words])


def ask_for(bench: Bench, message_type: str, named: asn1.Certificate) -> CertRep:
    content = client.issuer_and_serial(named)
    return bench.device().ask(bench.send(), message_type, content)


def inside(reply: CertRep) -> cms.SignedData:
    content = client.decrypted(reply.content or b"", client.rsa_key(0))
    return cms.ContentInfo.load(content)["content"]


# -- GetCRL, GetCert -------------------------------------------------------------------------------


def test_get_crl_tells_what_was_revoked(bench: Bench) -> None:
    leaf = bench.device().enrol(bench.send()).leaf(client.rsa_key(0))
    (choice,) = inside(ask_for(bench, client.GET_CRL, leaf))["crls"]
    empty: crl.CertificateList = choice.chosen
    assert empty["tbs_cert_list"]["revoked_certificates"].native is None
    bench.authority.revoke(serial_of(leaf))
    (choice,) = inside(ask_for(bench, client.GET_CRL, leaf))["crls"]
    found = x509.load_der_x509_crl(choice.chosen.dump())
    issuer = x509.load_der_x509_certificate(bench.ca.dump())
    assert found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    assert [item.serial_number for item in found] == [leaf.serial_number]
    life = found.next_update_utc - found.last_update_utc  # type: ignore[operator]
    assert life == datetime.timedelta(days=1)


def test_the_crl_is_also_there_over_http(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca:
        device = device_of(ca.url)
        leaf = device.enrol(by_post(ca.url)).leaf(device.key)
        assert command(ca, "revoke", serial_of(leaf)) == 0
        assert command(ca, "revoke", "0123") == 1
        answer = http_request(ca.url.replace("/scep", "/ca.crl"), "")
        assert (answer.status, answer.kind) == (200, "application/pkix-crl")
        crl_pem = openssl("crl", "-inform", "DER", stdin=answer.body)
        (tmp_path / "crl.pem").write_bytes(crl_pem)
        words = ("verify", "-crl_check", "-CRLfile", str(tmp_path / "crl.pem"), "-CAfile")
        with pytest.raises(AssertionError, match="certificate revoked"):
            openssl(*words, str(ca.dir / "ca.pem"), str(ca.issued()[0]))


def test_a_revoked_certificate_does_not_renew(bench: Bench) -> None:
    device = bench.device()
    old = device.enrol(bench.send()).leaf(device.key)
    bench.authority.revoke(serial_of(old))
    assert device.renew(bench.send(), old, 1).fail_info == client.BAD_REQUEST


def test_get_cert_tells_a_certificate_that_was_issued(bench: Bench) -> None:
    leaf = bench.device().enrol(bench.send()).leaf(client.rsa_key(0))
    reply = ask_for(bench, client.GET_CERT, leaf)
    assert reply.leaf(client.rsa_key(0)).dump() == leaf.dump()
    assert [note["messageType"] for note in bench.notes] == ["PKCSReq", "GetCert"]


# -- renewals --------------------------------------------------------------------------------------


def test_a_pkcs_req_that_the_old_certificate_signed_renews(bench: Bench) -> None:
    """As clients did it before there was a RenewalReq: no challenge, another key."""
    device = bench.device()
    old = device.enrol(bench.send(CHALLENGED), "sekret").leaf(device.key)
    device.signer, device.key, device.transaction_id = old, client.rsa_key(1), "renewal"
    csr = pkcs10(device.key, "dev1")
    reply = device.ask(bench.send(CHALLENGED), client.PKCS_REQ, csr)
    assert reply.recipient_serial == old.serial_number
    assert public_key(reply.leaf(device.signer_key)) == public_key(
        client.self_signed(device.key, "dev1")
    )
    late = Bench(bench.home, offset_s=2 * DAY_S)
    device.transaction_id = "late"
    assert device.ask(late.send(CHALLENGED), client.PKCS_REQ, csr).status == client.FAILURE


# -- the next CA -----------------------------------------------------------------------------------


def next_set(url: str, ca: asn1.Certificate) -> list[asn1.Certificate]:
    answer = http_request(url, "operation=GetNextCACert")
    assert (answer.status, answer.kind) == (200, "application/x-x509-next-ca-cert")
    signed = client.read_reply(answer.body)
    assert signed.verifies(ca)
    inner = cms.ContentInfo.load(signed.content)["content"]
    assert len(inner["signer_infos"]) == 0
    return [choice.chosen for choice in inner["certificates"]]


def test_a_roll_over_while_it_serves(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca:
        device = device_of(ca.url)
        today = device.ca
        old = device.enrol(by_post(ca.url)).leaf(device.key)
        assert b"GetNextCACert" not in http_request(ca.url, "operation=GetCACaps").body
        assert command(ca, "rollover") == 1  # nothing is prepared
        assert command(ca, "prepare") == 0
        assert b"GetNextCACert" in http_request(ca.url, "operation=GetCACaps").body
        (following,) = next_set(ca.url, today)
        assert device_of(ca.url).ca.dump() == today.dump()
        assert command(ca, "rollover") == 0
        after = device_of(ca.url)
        assert after.ca.dump() == following.dump()
        assert (following.subject, following.ca) == (today.subject, True)
        assert public_key(following) != public_key(today)
        device.to = device.ca = following
        device.transaction_id = "renewal"
        renewed = device.renew(by_post(ca.url), old, 1).leaf(device.signer_key)
        (tmp_path / "new.pem").write_bytes(client.pem_of(renewed))
        openssl("verify", "-CAfile", str(ca.dir / "ca.pem"), str(tmp_path / "new.pem"))
        assert http_request(ca.url, "operation=GetNextCACert").status == 404


def test_openssl_reads_the_next_ca_and_its_signature(tmp_path: Path) -> None:
    with serving(Base(following=True)) as lab:
        body = lab.get("GetNextCACert").body
        words = ("cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile")
        inner = openssl(*words, str(lab.home / "ca.pem"), stdin=body)
        printed = openssl("pkcs7", "-inform", "DER", "-print_certs", stdin=inner)
        assert printed.count(b"BEGIN CERTIFICATE") == 1


def test_a_roll_over_below_a_root_with_an_ra(tmp_path: Path) -> None:
    plan = Plan(chain=True, ra=True)
    bench = Bench(replanned(a_home(tmp_path)), plan)
    device = bench.device()
    old = device.enrol(bench.send()).leaf(device.key)
    bench.authority.prepare()
    following, root = bench.authority.next_set()
    assert following.issuer == root.subject
    bench.authority.roll_over()
    published = bench.authority.published
    assert [item.dump() for item in published[2:]] == [following.dump(), root.dump()]
    assert {item.authority_key_identifier for item in published[:2]} == {following.key_identifier}
    again = Device(published[0], following)
    again.transaction_id = "renewal"
    assert again.renew(bench.send(), old, 1).status == client.SUCCESS
