"""Attacks on the wire against the real agent: replays, swaps and downgrades between it and its CA.

Everything here was said by the real CA at some time or is made without its key; none of it may be
taken for an answer, and what was in use stays in use.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import scep_lab
from tests.helpers.board import (
    AGAIN,
    APPLY,
    SAVE,
    Agent,
    check_certificate,
    patient,
    procedure,
    run,
)
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.middle import PKI, Middle
from tools.lab_ca.authority import Authority

GET_LIST = ("system-view", "pki get-crl realm abc")
LIST = "/ca.crl"
FAST = 30  # polls of a minute take two seconds
CHALLENGE = "password cipher sekret"
LIFE: dict[str, int] = {"start_s": 0, "days": 29000}  # 1970 to 2049


class Bench:
    """The device, its CA, and who stands between."""

    def __init__(self, ca: LabCa, middle: Middle, agent: Agent) -> None:
        self.ca, self.middle, self.agent = ca, middle, agent
        self.trust = f"fingerprint sha256 {ca.fingerprint}"
        agent.must(*procedure(middle.url, self.trust, CHALLENGE, patient(middle.url)), *SAVE)

    def refused(self, *lines: str) -> str:
        """An application that must fail; what was in use still is. What the operator reads."""
        before = self.in_use()
        said = self.agent.script(*lines)
        assert said.status == 1, said.text
        assert self.in_use() == before
        return said.text

    def in_use(self) -> bytes:
        path = self.agent.memory("cert.pem")
        return path.read_bytes() if path.exists() else b""

    def second_realm(self) -> None:
        self.agent.must(
            *("system-view", "pki rsa local-key-pair create k2 modulus 2048"),
            *("pki realm other", "entity r1", "rsa local-key-pair k2"),
            *(patient(self.middle.url), self.trust, CHALLENGE),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with (
        LabCa(tmp_path, "--challenge", "sekret") as ca,
        Middle(ca.url) as middle,
        Agent(tmp_path, rate=FAST) as agent,
    ):
        yield Bench(ca, middle, agent)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Bench]:
    with (
        LabCa(tmp_path, "--challenge", "sekret", "--manual") as ca,
        Middle(ca.url) as middle,
        Agent(tmp_path, rate=FAST) as agent,
    ):
        yield Bench(ca, middle, agent)


def test_an_earlier_success_is_no_answer_to_a_renewal(bench: Bench) -> None:
    """Same key, same names, same CA: only transactionID and nonce tell them apart."""
    bench.agent.must(*APPLY)
    bench.middle.answers = bench.middle.replay(0)
    assert "transaction" in bench.refused(*AGAIN)
    bench.middle.answers = None
    bench.agent.must(*AGAIN)
    check_certificate(bench.agent, bench.ca.dir / "ca.pem")
    assert len(bench.ca.issued()) == 2


def test_the_request_itself_is_no_answer(bench: Bench) -> None:
    """A renewal is signed by a certificate below the pin: that of the device."""
    reflect = lambda operation, body: body if operation == PKI else None  # noqa: E731
    bench.middle.answers = reflect
    bench.refused(*APPLY)
    bench.middle.answers = None
    bench.agent.must(*APPLY)
    own = bench.agent.memory("cert.pem").read_bytes()
    bench.middle.answers = reflect
    text = bench.refused(*AGAIN)
    assert "neither a CA nor an RA" in text or "not in the stored CA set" in text
    assert own == bench.in_use()


def test_the_answer_to_another_realm_is_refused_in_this_one(bench: Bench) -> None:
    """Both realms have the same entity and CA."""
    bench.second_realm()
    bench.agent.must("system-view", "pki enroll-certificate realm other")
    bench.middle.answers = bench.middle.replay(0)
    assert "transaction" in bench.refused(*APPLY)


def test_a_lost_answer_that_comes_late_is_no_answer_to_the_next_try(bench: Bench) -> None:
    """The reply is held back, and shown to the CertPoll and the same request sent again."""
    middle = bench.middle

    def swallow(operation: str, body: bytes) -> bytes | None:
        if operation != PKI:
            return None
        middle.answers = None
        middle.ask(operation, body)
        middle.answers = lambda operation, _body: b"" if operation == PKI else None
        return b""

    middle.answers = swallow
    bench.refused(*APPLY)
    assert len(bench.ca.issued()) == 1
    middle.answers = middle.replay(0)
    assert "of the reply is not ours" in bench.refused(*APPLY)
    middle.answers = None
    bench.agent.must(*APPLY)
    bench.agent.wait_state("issued")
    check_certificate(bench.agent, bench.ca.dir / "ca.pem")


def test_an_old_answer_to_a_poll_is_refused_and_the_polls_go_on(waiting: Bench) -> None:
    """Neither the PENDING before, nor the SUCCESS of another transaction, ends or prolongs it."""
    agent, ca, middle = waiting.agent, waiting.ca, waiting.middle
    waiting.second_realm()
    agent.must("system-view", "pki enroll-certificate realm other")
    ca.approve()
    agent.wait_state("issued", realm="other")
    success = len(middle.replies()) - 1
    agent.must(*APPLY)
    pending = len(middle.replies()) - 1
    for number, said in ((success, "another transaction"), (pending, "recipientNonce")):
        middle.answers = middle.replay(number)
        wait_for(lambda said=said: said in agent.log(), 60, "no poll was answered")
        assert not agent.memory("cert.pem").exists()
    middle.answers = None
    ca.approve()
    agent.wait_state("issued")
    check_certificate(agent, ca.dir / "ca.pem")


def test_capabilities_taken_away_lower_nothing_below_the_floor(bench: Bench) -> None:
    """An empty list: GET, AES and SHA-256 all the same. DES and MD5 are not to be had by it."""
    for listed in (b"", b"DES\nMD5\n", b"POSTPKIOperation\n"):
        bench.middle.answers = lambda op, _body, listed=listed: (
            listed if op == "GetCACaps" else None
        )
        before = len(bench.ca.pki_operations())
        bench.agent.script(*AGAIN)
        (sent,) = bench.ca.pki_operations()[before:]
        assert sent["digest"] == "sha256"
        assert sent["cipher"] in ("aes128", "3des")


def test_another_ca_beside_the_pinned_one_gets_and_says_nothing(bench: Bench) -> None:
    """A set with a CA of the same name in front, and with his own certificate as an RA."""
    honest = bench.middle.ask("GetCACert")
    twin = scep_lab.certificate(
        {"common_name": "Lab CA", "organization_name": "Lab", "country_name": "DE"},
        "other",
        None,
        ca=True,
        **LIFE,
    )
    agent = ["1.3.6.1.4.1.311.20.2.1"]
    his = scep_lab.certificate({"common_name": "RA"}, "other", twin, purposes=agent, **LIFE)
    mixed = scep_lab.degenerate([twin.der, his.der, honest])
    bench.middle.answers = lambda op, _body: mixed if op == "GetCACert" else None
    bench.agent.must(*APPLY)
    check_certificate(bench.agent, bench.ca.dir / "ca.pem")  # the real one could read it
    bench.agent.must("system-view", "pki realm abc", f"enrollment-url {bench.middle.url} ra")
    sent = len(bench.middle.replies())
    assert "no RA certificate of the pinned CA" in bench.refused(*AGAIN)
    # and without the pinned one there is nothing at all
    alone = scep_lab.degenerate([twin.der, his.der])
    bench.middle.answers = lambda op, _body: alone if op == "GetCACert" else None
    bench.agent.must("system-view", "pki realm abc", f"enrollment-url {bench.middle.url}")
    assert "`fingerprint`" in bench.refused(*AGAIN)
    assert len(bench.middle.replies()) == sent


def test_whoever_takes_the_place_of_a_ca_that_a_person_trusted_is_no_first_ca(
    bench: Bench, tmp_path: Path
) -> None:
    """Without `fingerprint` a person decides, and must hear that it is another one than before."""
    agent, middle = bench.agent, bench.middle
    agent.must("system-view", "pki realm abc", "undo fingerprint")
    asked = agent.must(*APPLY, "y")
    assert "Is this the CA to trust? " in asked
    (tmp_path / "impostor").mkdir()
    with LabCa(tmp_path / "impostor") as other:  # of the same name
        middle.lead(other.url)
        for line in (AGAIN, ("system-view", "pki get-certificate ca realm abc")):
            text = bench.refused(*line, "n")
            assert "This is not the CA that the realm has trusted" in text
            assert bench.ca.fingerprint in text
            assert other.fingerprint in text
        assert other.pki_operations() == []
    middle.lead(bench.ca.url)
    assert "CA to trust" not in agent.must(*AGAIN)


def test_an_older_list_does_not_take_the_place_of_a_newer_one(bench: Bench) -> None:
    """It would make a revoked certificate good again."""
    agent, middle = bench.agent, bench.middle
    place = middle.url.replace("/scep", LIST)
    agent.must(*APPLY, "pki realm abc", f"cdp-url {place}", "quit", "pki get-crl realm abc")
    Authority(bench.ca.dir).revoke(bench.ca.issued()[0].stem)
    path = agent.dir / "storage" / "abc.crl"
    first = begin_of(path)

    def newer() -> bool:
        assert "the certificate in use is on the list" in agent.must(*GET_LIST)
        return begin_of(path) != first

    wait_for(newer, 60, "the list does not get newer")
    newest = path.read_bytes()
    middle.answers = middle.replay(0, LIST)
    assert "the stored one is newer" in agent.script(*GET_LIST).text
    assert path.read_bytes() == newest
    assert " Invalid " in agent.must("system-view", "pki validate-certificate local realm abc")


def begin_of(path: Path) -> str:
    """thisUpdate, in seconds, by openssl."""
    return run("openssl", "crl", "-in", str(path), "-noout", "-lastupdate")
