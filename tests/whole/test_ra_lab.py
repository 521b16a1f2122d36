"""Attacks on the RA of a realm, at a whole agent: by an operator of level 2 at a serial line, and
by a customer of the CA on the path, whose certificate names no purpose.

Both want the challenge password, which is encrypted for the RA. What must not be sent is looked for
in the log of the lab CA, which the attacker's server is: it has his key and the CA's.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.helpers.board import AGAIN, APPLY, SAVE, Agent, Said, check_certificate, procedure
from tests.helpers.labca import LabCa
from tests.helpers.peers import fingerprint
from tests.whole.test_serial_console import Typist

SECRET, WORD = "challenge-7f3a", "operator-word-2"
CUSTOMER = ("--hostile", "ca-device-alone")  # his certificate in the place of the RA's
LAX = "compatibility ra-any-purpose"
REALM = ("system-view", "pki realm abc")
USER = (
    "system-view",
    "aaa",
    f"local-user op password irreversible-cipher {WORD}",
    "local-user op privilege level 2",
    "local-user op service-type terminal",
    f"local-user boss password irreversible-cipher {WORD}",
    "local-user boss privilege level 3",
    "local-user boss service-type terminal",
    "user-interface console 0",
    "authentication-mode aaa",
    "return",
)


def trust(ca: LabCa, *more: str) -> tuple[str, ...]:
    return (f"fingerprint sha256 {ca.fingerprint}", f"password cipher {SECRET}", *more)


def asked(ca: LabCa) -> list[object]:
    """The messageType of each request that came, read or not."""
    return [one["messageType"] for one in ca.log() if one["operation"] == "PKIOperation"]


def fresh(ca: LabCa, *options: str) -> LabCa:
    """The same CA and key, its RA with new certificates and keys."""
    ca.stop()
    for path in ca.dir.glob("ra-*"):
        path.unlink()
    return LabCa(ca.dir.parent, *options)


def prints(ca: LabCa) -> str:
    """SHA-256 of the RA's two certificates, as openssl spells it."""
    return " ".join(fingerprint(ca.dir / f"{name}.pem") for name in ("ra-enc", "ra-sig"))


def code(agent: Agent) -> str:
    text = agent.must("display pki enrollment realm abc json")
    (item,) = json.loads(text)["items"]
    return str(item["last_error_code"])


def renewed(agent: Agent) -> Said:
    """A further application, in which the challenge goes along."""
    return agent.script(*AGAIN)


# -- an operator of level 2 ------------------------------------------------------------------------

FORBIDDEN = (
    "enrollment-url {url} ra",
    "enrollment-url {url} interval 1 times 5 ra",
    "enrollment-url {url} ra fingerprint sha256 " + "ab" * 32,
    LAX,
    "undo compatibility",
    "subject-match key-only",
    "undo subject-match",
    "weak-algorithm md5 sha1 des",
    "undo weak-algorithm",
)


def logged_in(agent: Agent) -> Typist:
    typist = Typist(agent)
    typist.type("", "Username:")
    typist.type("op", "Password:")
    typist.type(WORD)
    return typist


def test_an_operator_of_level_2_does_not_make_himself_the_ra(tmp_path: Path) -> None:
    """Typed, or pasted behind `#`: the lines are those of level 3."""
    with LabCa(tmp_path, *CUSTOMER) as his, Agent(tmp_path) as agent:
        agent.must(*USER, *procedure(his.url, *trust(his)))
        before = agent.must("display current-configuration")
        typist = logged_in(agent)
        typist.type("system-view")
        typist.type("pki realm abc")
        for line in FORBIDDEN:
            said = typist.type(line.format(url=his.url))
            assert "Error: This command needs level 3." in said, line
        for line in ("#", "pki realm abc", f" enrollment-url {his.url} ra", f" {LAX}", "#"):
            typist.type(line)
        assert agent.must("display current-configuration") == before
        typist.type("system-view")
        typist.type("pki realm abc")
        # What he may do sends the request to his server, but it is encrypted for the CA.
        typist.type(f"enrollment-url {his.url} times 2")
        typist.close()
        agent.must(*APPLY)
        assert asked(his) == ["PKCSReq"]
        check_certificate(agent, his.dir / "ca.pem")


def test_an_operator_of_level_2_takes_no_ra_and_no_pin_away(tmp_path: Path) -> None:
    """He could not put it back; and who chose it was of level 3."""
    pinned = f"enrollment-url http://127.0.0.1:9/scep ra fingerprint sha256 {'ab' * 32}"
    with Agent(tmp_path) as agent:
        agent.must(*USER, *procedure("http://127.0.0.1:9/scep"), REALM[1], pinned)
        typist = logged_in(agent)
        typist.type("system-view")
        typist.type("pki realm abc")
        for line in ("enrollment-url http://127.0.0.1:9/scep", "undo enrollment-url"):
            said = typist.type(line)
            assert "may not change `enrollment-url` of realm abc, which has an RA" in said, line
        typist.close()
        assert f" {pinned}" in agent.must("display current-configuration")
        agent.must(*REALM, "undo enrollment-url")
        assert "enrollment-url" not in agent.must("display current-configuration")


# -- a customer of the CA on the path --------------------------------------------------------------


@pytest.mark.parametrize("pinned", [False, True], ids=["purpose", "pin"])
def test_a_customer_in_the_place_of_the_ra_gets_no_request(tmp_path: Path, pinned: bool) -> None:
    with LabCa(tmp_path, "--ra", *CUSTOMER) as ca, Agent(tmp_path) as agent:
        front = f"ra fingerprint sha256 {prints(ca)}" if pinned else "ra"
        agent.must(*procedure(f"{ca.url} {front}", *trust(ca)))
        said = agent.script(*APPLY)
        assert said.status == 1
        assert code(agent) == ("ra-pin-mismatch" if pinned else "ra-purpose")
        assert "of C=DE, O=Lab, CN=another device" in said.text
        assert asked(ca) == []
        shown = agent.script("diagnose realm abc").text
        assert "of C=DE, O=Lab, CN=another device" in shown
        assert asked(ca) == []


def test_the_refusal_is_the_way_out_as_it_stands(tmp_path: Path) -> None:
    """An RA without purposes: what the next step says is typed, saved, shown and loaded again."""
    options = ("--quirk", "ra-purpose-none", "--challenge", SECRET)
    with LabCa(tmp_path, *options) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(f"{ca.url} interval 2 times 7 ra", *trust(ca)))
        said = agent.script(*APPLY)
        found = prints(ca).replace(":", "").lower()
        typed = f"enrollment-url {ca.url} interval 2 times 7 ra fingerprint sha256 {found}"
        assert f"`{typed}`" in said.text
        assert f"`{LAX}`" in said.text
        assert asked(ca) == []
        agent.must(*REALM, typed, *SAVE)
        agent.must(*APPLY)
        check_certificate(agent, ca.dir / "ca.pem")
        agent.kill()
        agent.start()
        assert f" {typed}" in agent.must("display current-configuration")
        (item,) = json.loads(agent.must("display pki realm abc json"))["items"]
        assert item["ra_fingerprint"] == found.split()
        assert item["ra_fingerprint_algorithm"] == "sha256"
        with fresh(ca, *options) as other:  # renewed, or somebody in its place
            agent.must(*REALM, f"enrollment-url {other.url} ra fingerprint sha256 {found}")
            assert renewed(agent).status == 1
            assert code(agent) == "ra-pin-mismatch"
            assert len(asked(other)) == 1  # that of before
            agent.must(*REALM, f"enrollment-url {other.url} ra fingerprint sha256 {prints(other)}")
            agent.must(*AGAIN)


def test_an_ra_with_its_purpose_is_not_replaced_by_less(tmp_path: Path) -> None:
    """Even where any purpose will do, through a power cut, a fetch of the set and a refused try."""
    way = ("--challenge", SECRET)
    with Agent(tmp_path) as agent:
        with LabCa(tmp_path, "--ra", *way) as ca:
            agent.must(*procedure(f"{ca.url} ra", *trust(ca, LAX)), *SAVE)
            agent.must(*APPLY)
            sent = len(asked(ca))
        in_use = agent.memory("cert.pem").read_bytes()
        agent.kill()
        agent.start()
        with LabCa(tmp_path, "--ra", *CUSTOMER, *way) as his:
            agent.must(*REALM, f"enrollment-url {his.url} ra")
            agent.must("system-view", "pki get-certificate ca realm abc")
            for _again in range(2):
                said = renewed(agent)
                assert (said.status, code(agent)) == (1, "ra-purpose-lost"), said.text
            assert len(asked(his)) == sent
        assert agent.memory("cert.pem").read_bytes() == in_use
        with LabCa(tmp_path, "--ra", *way) as ca:  # he has gone
            agent.must(*REALM, f"enrollment-url {ca.url} ra")
            agent.must(*AGAIN)
            assert len(asked(ca)) == sent + 1
        with fresh(ca, "--quirk", "ra-purpose-none", *way) as less:  # in earnest
            agent.must(*REALM, f"enrollment-url {less.url} ra")
            assert "`pki delete-certificate ca realm abc`" in renewed(agent).text
            agent.must("system-view", "pki delete-certificate ca realm abc", "y")
            agent.must(*AGAIN)
            check_certificate(agent, less.dir / "ca.pem")


def test_who_only_shows_an_ra_with_a_purpose_shuts_out_no_ra_without(tmp_path: Path) -> None:
    """Somebody on the path adds the certificate of another RA of the same CA once: the RA that
    serves here, without a purpose and allowed so, serves on."""
    less = ("--quirk", "ra-purpose-none", "--challenge", SECRET)
    with LabCa(tmp_path, *less) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(f"{ca.url} ra", *trust(ca, LAX)))
        agent.must(*APPLY)
        kept = {path: path.read_bytes() for path in ca.dir.glob("ra-*")}
        with fresh(ca, "--ra") as shown:
            agent.must(*REALM, f"enrollment-url {shown.url} ra", "return")
            agent.must("system-view", "pki get-certificate ca realm abc")
        for path in ca.dir.glob("ra-*"):
            path.unlink()
        for path, data in kept.items():
            path.write_bytes(data)
        with LabCa(tmp_path, *less) as again:
            agent.must(*REALM, f"enrollment-url {again.url} ra")
            agent.must(*AGAIN)
            check_certificate(agent, again.dir / "ca.pem")


def test_apply_brings_no_ra_in_either(tmp_path: Path) -> None:
    """Root applies at level 3; the same file is honoured there, and shows what it changes."""
    line = f"enrollment-url http://127.0.0.1:9/scep ra fingerprint sha1 {'cd' * 20} {'ef' * 20}"
    with Agent(tmp_path) as agent:
        words = agent.command("apply", "-", "--socket", str(agent.dir / "console.sock"))
        given = f"#\npki realm abc\n {line}\n {LAX}\n#\nreturn\n"
        done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout
        assert f"+ {line}" in done.stdout
        assert f" {line}" in agent.must("display current-configuration")
