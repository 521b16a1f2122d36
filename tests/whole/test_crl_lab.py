"""Revocation lists on a whole board, from the lab CA: by HTTP, by SCEP, and what they decide."""

from pathlib import Path

from tests.helpers.board import APPLY, SAVE, Agent, procedure, run
from tests.helpers.labca import LabCa
from tools.lab_ca.authority import Authority


def test_a_list_by_scep_and_by_http_and_a_certificate_that_is_on_it(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        agent.must(*APPLY)
        agent.must("system-view", "pki get-crl realm abc")
        assert [e["messageType"] for e in ca.pki_operations()] == ["PKCSReq", "GetCRL"]
        _check_list(agent, ca, revoked=False)
        assert " Valid " in agent.must("system-view", "pki validate-certificate local realm abc")

        Authority(ca.dir).revoke(ca.issued()[0].stem)
        place = ca.url.replace("/scep", "/ca.crl")
        agent.must("system-view", "pki realm abc", f"cdp-url {place}", *SAVE)
        told = agent.must("system-view", "pki get-crl realm abc")
        assert "the certificate in use is on the list" in told
        assert len(ca.pki_operations()) == 2  # not by SCEP this time
        _check_list(agent, ca, revoked=True)
        agent.kill()
        agent.start()
        text = agent.must("system-view", "pki validate-certificate local realm abc")
        assert " Invalid " in text
        assert "revoked at" in text
        agent.must("system-view", "pki realm abc", "certificate-check none")
        assert " Valid " in agent.must("system-view", "pki validate-certificate local realm abc")


def _check_list(agent: Agent, ca: LabCa, *, revoked: bool) -> None:
    """openssl's opinion of the file, and what the console shows of the record."""
    path = str(agent.dir / "storage" / "abc.crl")
    run("openssl", "crl", "-in", path, "-noout", "-CAfile", str(ca.dir / "ca.pem"))
    serial = ca.issued()[0].stem
    assert (serial in run("openssl", "crl", "-in", path, "-noout", "-text")) is revoked
    shown = agent.must("display pki crl realm abc")
    assert "CRL file name: abc.crl" in shown
    assert (serial in shown.replace(":", "").upper()) is revoked


def test_certificate_check_crl_wants_a_list_before_anything_is_sent(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        rules = (f"fingerprint sha256 {ca.fingerprint}", "certificate-check crl")
        place = f"cdp-url {ca.url.replace('/scep', '/ca.crl')}"
        agent.must(*procedure(ca.url, *rules, place), *SAVE)
        said = agent.script(*APPLY)
        assert said.status == 1
        assert "pki get-crl" in said.text
        assert ca.pki_operations() == []
        agent.must("system-view", "pki get-certificate ca realm abc", "pki get-crl realm abc")
        agent.must(*APPLY)
        agent.wait_state("issued")


def test_a_list_that_was_fetched_as_a_file_is_imported(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        agent.must(*APPLY)
        place = ca.url.replace("/scep", "/ca.crl")
        agent.must("system-view", f"pki http {place} list.crl realm abc")
        said = agent.script("system-view", f"pki http {place} list.crl")
        assert (said.status, "There is a file list.crl already" in said.text) == (1, True)
        assert "CRL file name: list.crl" in agent.must("display pki crl filename list.crl")
        agent.must("system-view", "pki import-crl realm abc filename list.crl")
        _check_list(agent, ca, revoked=False)
        assert len(ca.pki_operations()) == 1  # the application
        agent.must("system-view", rf"pki http esc {ca.url}\x3foperation=GetCACert ca.cer")
        assert "CN=Lab CA" in agent.must("display pki certificate ca filename ca.cer")
        said = agent.script("system-view", "pki import-crl realm abc filename ca.cer")
        assert (said.status, "The revocation list cannot be used" in said.text) == (1, True)
