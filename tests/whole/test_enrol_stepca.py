"""step-ca 0.30: an intermediate that issues below a root, and a decrypter that is an RA.

It answers with single DES unless its configuration says otherwise, wants the challenge password
with every renewal, and knows neither CertPoll, nor GetCRL, nor GetNextCACert.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import alone, peers
from tests.helpers.board import APPLY, Agent, Said, check_certificate, procedure, run
from tests.helpers.hostile import PKI, Hostile, Line
from tests.helpers.stepca import CHALLENGE, StepCa

WHY_NOT = peers.missing("step-ca")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

PASSWORD = f"password cipher {CHALLENGE}"
DES = "weak-algorithm des"
ANY_PURPOSE = "compatibility ra-any-purpose"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepCa]:
    with StepCa(tmp_path_factory.mktemp("step")) as found:
        yield found


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as found:
        yield found


def configure(
    agent: Agent, ca: StepCa, service: str, *realm: str, pin: str = "intermediate"
) -> None:
    trusted = f"fingerprint sha256 {ca.fingerprint(pin)}"
    agent.must(*procedure(ca.url(service), trusted, PASSWORD, *realm))


def change(agent: Agent, *realm: str) -> None:
    agent.must("system-view", "pki realm abc", *realm)


def refused(said: Said) -> tuple[str, str, str]:
    """The three lines of the error that a script ended with."""
    assert said.status == 1, said.text
    error, cause, step = said.text.strip().splitlines()[-3:]
    assert (error[:7], cause[:8], step[:12]) == ("Error: ", " Cause: ", " Next step: ")
    return error, cause, step


def check_in_use(agent: Agent, ca: StepCa) -> None:
    check_certificate(agent, ca.certificate("root"), ca.certificate("intermediate"))


def chain(agent: Agent) -> list[str]:
    """The common names in chain.pem, from the issuer upwards."""
    text = run("openssl", "storeutl", "-noout", "-text", "-certs", str(agent.memory("chain.pem")))
    return re.findall(r"Subject: .*CN\s?=\s?step (\w+)$", text, re.MULTILINE)


def test_single_des_is_refused_until_the_operator_allows_it(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "default")
    error, cause, step = refused(agent.script(*APPLY))
    assert "single DES" in error
    assert "step-ca" in cause
    assert f"`{DES}`" in step
    assert not agent.memory("cert.pem").exists()
    change(agent, DES)
    agent.must(*APPLY)
    check_in_use(agent, ca)
    assert "encryption of the reply uses des" in agent.log()
    assert CHALLENGE not in agent.log()


def test_aes_needs_no_switch(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "aes")
    agent.must(*APPLY)
    check_in_use(agent, ca)
    assert "weak-algorithm" not in agent.log()
    assert "left out" not in agent.log()
    assert chain(agent) == ["intermediate"]


def test_a_usage_that_its_profile_does_not_have_is_noted(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "aes", "key-usage ike ssl-client")
    assert "the CA left out of the `key-usage`: ike" in agent.must(*APPLY)


@pytest.mark.parametrize(("digest", "cipher"), [("sha-512", "3des"), ("sha-384", "aes256")])
def test_it_reads_what_the_realm_may_choose(
    agent: Agent, ca: StepCa, digest: str, cipher: str
) -> None:
    configure(
        *(agent, ca, "aes", "compatibility http-get"),
        f"enrollment-request signature message-digest-method {digest}",
        f"enrollment-request encryption-algorithm {cipher}",
    )
    agent.must(*APPLY)
    check_in_use(agent, ca)


def test_a_cipher_that_scep_does_not_have_is_named(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "gcm")
    error, _cause, step = refused(agent.script(*APPLY))
    assert "2.16.840.1.101.3.4.1.6" in error  # AES-128-GCM
    assert "AES-128 or AES-256 in CBC mode" in step


def test_a_wrong_challenge_is_told_in_the_words_of_the_ca(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "aes", "password cipher wrong")
    error, _cause, step = refused(agent.script(*APPLY))
    assert "badRequest (failed validating challenge password)" in error
    assert "`password cipher`" in step
    change(agent, PASSWORD)
    agent.must(*APPLY)
    check_in_use(agent, ca)


@pytest.mark.parametrize(
    ("service", "realm"), [("aes", ()), ("default", (DES,))], ids=["aes", "default"]
)
def test_it_renews_when_the_password_goes_along(
    agent: Agent, ca: StepCa, service: str, realm: tuple[str, ...]
) -> None:
    configure(agent, ca, service, *realm)
    agent.must(*APPLY)
    old = agent.memory("cert.pem").read_bytes()
    error, cause, step = refused(agent.script(*APPLY, "y"))
    assert "failed validating challenge password" in error
    assert "without the challenge password" in error
    assert "step-ca" in cause
    assert "`compatibility renew-with-password`" in step
    assert agent.memory("cert.pem").read_bytes() == old
    change(agent, "compatibility renew-with-password")
    agent.must(*APPLY, "y")
    agent.wait_state("issued")
    assert agent.memory("cert.pem").read_bytes() != old
    assert "renewing by RenewalReq" in agent.log()
    check_in_use(agent, ca)


@pytest.mark.parametrize(
    ("service", "realm"), [("aes", ()), ("default", (DES,))], ids=["aes", "default"]
)
def test_it_renews_by_itself(
    agent: Agent, ca: StepCa, service: str, realm: tuple[str, ...]
) -> None:
    configure(agent, ca, service, *realm)
    alone.applies(agent, "compatibility renew-with-password")
    alone.renews(agent)
    assert "renewing by RenewalReq" in agent.log()
    check_in_use(agent, ca)


@pytest.mark.parametrize("pin", ["root", "intermediate"])
def test_the_pin_may_be_the_root_or_who_issues(agent: Agent, ca: StepCa, pin: str) -> None:
    configure(agent, ca, "with-root", pin=pin)
    agent.must(*APPLY)
    check_in_use(agent, ca)
    # What signed the pin is nobody until its own fingerprint is typed.
    assert chain(agent) == ["intermediate", "root"][: 2 if pin == "root" else 1]


def test_a_pinned_root_that_is_not_sent_is_the_first_cause(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "aes", pin="root")
    error, cause, step = refused(agent.script(*APPLY))
    assert ca.fingerprint("intermediate").replace(":", "").lower() in error
    assert "a root that the server does not send" in cause
    assert "the CA that issues" in step


@pytest.mark.parametrize(
    ("service", "pin", "realm"),
    [
        ("ra", "intermediate", ("enrollment-url {url} ra fingerprint sha256 {ra}",)),
        ("ra-with-root", "root", ("enrollment-url {url} ra", ANY_PURPOSE)),
        ("ra-default", "intermediate", ("enrollment-url {url} ra fingerprint sha256 {ra}", DES)),
    ],
    ids=["aes", "root", "default"],
)
def test_the_decrypter_is_an_ra(
    agent: Agent, ca: StepCa, service: str, pin: str, realm: tuple[str, ...]
) -> None:
    """Its certificate is whatever the operator made; without a purpose it is pinned, or allowed."""
    places = {"url": ca.url(service), "ra": ca.fingerprint("ra")}
    configure(agent, ca, service, *(line.format_map(places) for line in realm), pin=pin)
    agent.must(*APPLY)
    check_in_use(agent, ca)


def test_without_ra_it_cannot_open_the_request_and_the_error_leads_to_ra(
    agent: Agent, ca: StepCa
) -> None:
    configure(agent, ca, "ra")
    error, cause, step = refused(agent.script(*APPLY))
    assert "no enveloped recipient" in error
    assert "RA certificates" in cause
    assert "`enrollment-url ... ra`" in step
    change(agent, f"enrollment-url {ca.url('ra')} ra")
    error, _cause, step = refused(agent.script(*APPLY))
    print_ = ca.fingerprint("ra").replace(":", "").lower()
    assert f"sha256 {print_} of O=Lab, CN=step ra" in error
    typed = f"enrollment-url {ca.url('ra')} ra fingerprint sha256 {print_}"
    assert f"`{typed}`" in step
    change(agent, typed)
    agent.must(*APPLY)
    check_in_use(agent, ca)


def test_an_ra_whose_issuer_is_left_out_is_no_ra(agent: Agent, ca: StepCa) -> None:
    service = "ra-without-intermediate"
    front = f"ra fingerprint sha256 {ca.fingerprint('ra')}"
    configure(agent, ca, service, f"enrollment-url {ca.url(service)} {front}", pin="root")
    error, cause, _step = refused(agent.script(*APPLY))
    assert "cannot be used, no CA of the set, from the pin down, issued it: O=Lab, CN=step" in error
    assert "excludeIntermediate" in cause


def test_its_list_comes_by_http_and_not_by_scep(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "aes")
    agent.must(*APPLY)
    get_list = ("system-view", "pki get-crl realm abc")
    error, cause, step = refused(agent.script(*get_list))
    assert "no revocation list by SCEP" in error
    assert "step-ca" in cause
    assert "`cdp-url http://...`" in step
    change(agent, f"cdp-url {ca.list_url}")
    agent.must(*get_list)
    path = str(agent.dir / "storage" / "abc.crl")
    run("openssl", "crl", "-in", path, "-noout", "-CAfile", str(ca.certificate("intermediate")))


def test_it_names_no_next_ca(agent: Agent, ca: StepCa) -> None:
    configure(agent, ca, "aes")
    agent.must(*APPLY)
    said = agent.script("system-view", "pki get-certificate ca realm abc next")
    error, cause, step = refused(said)
    assert "no successor to name" in error
    assert "step-ca" in cause
    assert "new `fingerprint`" in step


def test_a_lost_answer_is_asked_for_and_then_the_same_request_is_sent(
    agent: Agent, ca: StepCa
) -> None:
    """It has no CertPoll (HTTP 500), so it issues twice; the transaction is the same."""
    lost = False

    def loses_the_first(line: Line) -> None:
        nonlocal lost
        answer = relay.from_the_ca(relay.asked[-1])
        if lost:
            line.send(answer)
        lost = True

    with Hostile(loses_the_first, ca.url("aes"), PKI) as relay:
        configure(agent, ca, "aes", f"enrollment-url {relay.url}/aes")
        error, _cause, _step = refused(agent.script(*APPLY))
        assert "broke the connection" in error
        agent.must(*APPLY)
    first, poll, again = [
        request for request in relay.asked if PKI in request.partition(b"\r\n")[0]
    ]
    assert len(first) == len(again) != len(poll)
    (transaction,) = set(_transactions(agent))
    assert len(transaction) == 32
    check_in_use(agent, ca)


def _transactions(agent: Agent) -> list[str]:
    lines = [line for line in agent.log().splitlines() if "with transactionID" in line]
    return [line.split()[-1] for line in lines]
