"""The next CA: who may name it, what is signed and what is not, and the way from pin to pin."""

import time
from pathlib import Path
from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from agent.scep import caset, certificate, crypto, succession
from agent.scep.succession import RollOver
from tests.helpers import scep_ca
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.helpers.labca import LabCa
from tests.scep.test_operations import MiniCa, job_for, message_of, run
from tests.scep.test_operations import files as files  # a fixture
from tools.lab_ca.authority import Authority

RULES = caset.Rules(lab.NOW_S, frozenset())


def ca(name: str, **how: Any) -> lab.Party:
    return lab.certificate({"common_name": name}, name, None, ca=True, **how)


def print_of(party: lab.Party) -> str:
    return crypto.digest("sha-256", party.der).hex()


def said(*named: lab.Party, signer: lab.Party | None = None, **how: Any) -> bytes:
    """GetNextCACert of the miniature root."""
    content = how.pop("content", lab.degenerate([p.der for p in named]))
    return lab.signed(content, {}, signer or lab.root(), **how)


def members(message: bytes, pinned: lab.Party | None = None, rules: caset.Rules = RULES) -> Any:
    return succession.members(RollOver((pinned or lab.root()).der, message), rules, [])


def code_of(message: bytes, pinned: lab.Party | None = None) -> str:
    with pytest.raises(AgentError) as caught:
        members(message, pinned)
    assert "{" not in caught.value.what + caught.value.cause + caught.value.remedy
    return caught.value.code


def test_md5_is_noted_where_it_is_allowed() -> None:
    weak = lab.certificate({"common_name": "Weak"}, "sub", lab.root(), ca=True, digest="md5")
    notes: list[str] = []
    link = RollOver(lab.root().der, said(ca("new"), signer=weak, digest="md5"), (weak.der,))
    succession.members(link, RULES._replace(weak=frozenset({"md5"})), notes)
    assert len(notes) == 2
    assert "CN=Weak" in notes[0]
    assert all("md5" in note for note in notes)
    notes.clear()
    succession.members(RollOver(lab.root().der, said(ca("new"))), RULES, notes)
    assert notes == []


def test_what_the_pinned_ca_signed_is_believed() -> None:
    new = ca("new")
    (found,) = members(said(new))
    assert found.der == new.der
    (found,) = members(said(new, certificates=[]))  # the signer need not come along
    assert found.der == new.der
    named = lab.degenerate([new.der])
    called = lab.signed(named, {"content_type": "signed_data"}, lab.root(), called=2)
    assert [c.der for c in members(called)] == [new.der]  # XiPKI


def test_a_ca_below_the_pin_may_name_it_if_it_is_known_without_the_message() -> None:
    """What only the message brings may be any CA below the pin, of another customer for one."""
    new = ca("new")
    by_sub = said(new, signer=lab.sub(), certificates=[lab.sub().cert])
    link = RollOver(lab.root().der, by_sub, (lab.sub().der,))
    assert [c.der for c in succession.members(link, RULES, [])] == [new.der]
    assert code_of(by_sub) == "next-ca-signer"


def test_the_signer_is_the_pin_or_the_ca_that_issues_to_us() -> None:
    new, other = ca("new"), lab.certificate({"common_name": "Other"}, "third", lab.root(), ca=True)
    both = lab.stored(lab.root(), lab.sub())
    assert fetched(said(new, signer=lab.sub()), ca=both)[0]["via"] == [lab.sub().der]
    assert fetched(said(new), ca=both)[0]["via"] == []
    by_other = said(new, signer=other, certificates=[other.cert])
    assert fetched(by_other, ca=both)[0] == "next-ca-signer"
    # nor is one that the CA set has besides, as another department's issuing CA
    third = lab.stored(lab.root(), lab.sub(), other)
    assert fetched(by_other, ca=third)[0] == "next-ca-signer"


def test_what_is_refused() -> None:
    new, (_, ra) = ca("new"), lab.ra_pair()
    empty = lab.degenerate([])
    for message, code in (
        (said(new, signer=new), "next-ca-signer"),  # it names itself
        (said(new, signer=ra), "next-ca-signer"),  # an RA of this CA
        (said(new, other_key="other"), "next-ca-signature"),
        (said(new, digest="md5"), "next-ca-signature"),
        (said(new, content=None, certificates=[lab.root().cert, new.cert]), "next-ca-malformed"),
        (said(content=empty), "next-ca-none"),
        (lab.degenerate([new.der]), "next-ca-malformed"),  # nobody signed it
        (new.der, "next-ca-malformed"),
        (b"<html>", "next-ca-malformed"),
        (said(content=b"no certificates"), "next-ca-malformed"),
    ):
        assert code_of(message) == code, code


def test_only_what_was_signed_counts() -> None:
    """A certificate slipped in beside the signed ones is nobody's."""
    new, rogue = ca("new"), ca("rogue")
    found = members(said(new, certificates=[lab.root().cert, rogue.cert]))
    assert [c.der for c in found] == [new.der]


@pytest.mark.slow
def test_cut_off_anywhere_it_is_refused() -> None:
    whole = said(ca("new"))
    for length in range(0, len(whole), 7):
        assert code_of(whole[:length]).startswith("next-ca-")


# -- from pin to pin -------------------------------------------------------------------------------


def anchor(party: lab.Party, algorithm: str = "sha256") -> caset.Fingerprint:
    return caset.Fingerprint(
        algorithm, crypto.digest(caset.FINGERPRINTS[algorithm], party.der).hex()
    )


def follow(lineage: list[RollOver], pin: lab.Party, fingerprint: caset.Fingerprint) -> str:
    try:
        succession.follow(lineage, certificate.read(pin.der), fingerprint, frozenset())
    except AgentError as error:
        return error.code
    return ""


def test_the_way_from_the_fingerprint_to_the_pin() -> None:
    second, third, rogue = ca("second"), ca("third"), ca("rogue")
    first_link = RollOver(lab.root().der, said(second))
    second_link = RollOver(second.der, said(third, signer=second))
    for algorithm in caset.FINGERPRINTS:
        assert follow([first_link], second, anchor(lab.root(), algorithm)) == ""
    both = [first_link, second_link]
    assert follow(both, third, anchor(lab.root())) == ""
    assert follow(both, third, anchor(second)) == ""
    assert follow(both, third, anchor(rogue)) == "ca-pin-mismatch"
    assert follow(both, rogue, anchor(lab.root())) == "ca-pin-mismatch"
    forged = RollOver(second.der, said(rogue, signer=rogue))
    assert follow([first_link, forged], rogue, anchor(lab.root())) == "next-ca-signer"
    skipped = RollOver(lab.root().der, said(rogue, signer=rogue))
    assert follow([skipped, second_link], third, anchor(lab.root())) == "next-ca-signer"
    assert follow([RollOver(b"?", b"?")], second, anchor(lab.root())) == "next-ca-malformed"


def test_a_ca_that_was_renewed_with_its_key_follows_without_a_message() -> None:
    old = ca("old", start_s=lab.NOW_S - 99 * lab.DAY_S, days=9)
    renewed, rogue = ca("old"), lab.certificate({"common_name": "old"}, "rogue", None, ca=True)
    forged = lab.certificate({"common_name": "old"}, "old", None, ca=True, issuer_key="rogue")
    assert follow([RollOver(old.der, b"")], renewed, anchor(old)) == ""
    for other in (rogue, forged, lab.root()):
        assert follow([RollOver(old.der, b"")], other, anchor(old)) == "ca-pin-mismatch"


def test_a_ca_that_has_ended_still_vouches_for_the_one_that_followed() -> None:
    old = ca("old", start_s=lab.NOW_S - 99 * lab.DAY_S, days=9)
    second = ca("second")
    link = RollOver(old.der, said(second, signer=old))
    assert follow([link], second, anchor(old)) == ""


def test_the_child_that_sends_follows_the_way_itself(files: list[int]) -> None:
    """Whatever the agent was told by an earlier job."""
    second = ca("second")
    root, fingerprint = lab.root(), {"algorithm": "sha256", "hex": print_of(lab.root())}

    def set_of(message: bytes) -> dict[str, Any]:
        lineage = [{"certificate": root.der, "message": message, "via": []}]
        return {"certificates": [second.der], "pin": print_of(second), "lineage": lineage}

    def sent(mini: SecondCa, given: dict[str, Any]) -> Any:
        with web.serving(mini) as server:
            job = job_for(server.url(), fingerprint=fingerprint)
            try:
                return run({**job, "ca": given}, files)["status"]
            except AgentError as error:
                return error.code

    assert sent(SecondCa(second), set_of(said(second))) == "issued"
    lied_to = SecondCa(second)
    assert sent(lied_to, set_of(said(second, signer=second))) == "next-ca-signer"
    assert sent(lied_to, {**set_of(b""), "lineage": []}) == "ca-pin-mismatch"
    assert lied_to.received == []  # nothing was sent


class SecondCa(MiniCa):
    """A CA that has followed the miniature root."""

    def __init__(self, party: lab.Party) -> None:
        super().__init__(party)
        self.party = party

    def __call__(self, request: bytes) -> bytes:

        got = scep_ca.receive(message_of(request), self.party)
        self.received.append(got)
        leaf = scep_ca.issue(scep_ca.read_request(got.content), self.party)
        envelope = lab.seal(lab.degenerate([leaf]), got.signer)
        return web.ok(scep_ca.cert_rep(got, self.party, envelope))


# -- the job ---------------------------------------------------------------------------------------


def fetched(
    body: bytes, *, ca_id: str | None = None, status: str = "200 OK", **changes: Any
) -> tuple[Any, list[bytes]]:
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return web.ok(body, status=status)

    with web.serving(answer) as server:
        try:
            return run(job_for(server.url(), op="next-ca", ca_id=ca_id, **changes), []), seen
        except AgentError as error:
            return error.code, seen


def test_the_job_brings_what_was_verified_and_the_proof() -> None:
    new = ca("new")
    message = said(new)
    answer, seen = fetched(message, ca_id="lab ca")
    assert (answer["message"], [c["sha256"] for c in answer["certificates"]]) == (
        message,
        [print_of(new)],
    )
    assert answer["certificates"][0]["is_ca"] is True
    assert b"operation=GetNextCACert&message=lab%20ca HTTP/1.1" in seen[0]


def test_a_ca_without_a_successor_is_no_fault() -> None:
    for status in ("200 OK", "403 Forbidden", "404 Not Found"):
        assert fetched(b"", status=status)[0] == "next-ca-none"


def test_the_job_refuses() -> None:
    new = ca("new")
    ended = ca("ended", start_s=lab.NOW_S - 99 * lab.DAY_S, days=9)
    assert fetched(said(new, signer=new))[0] == "next-ca-signer"
    assert fetched(said(ended))[0] == "ca-expired"
    assert fetched(said(new) + bytes(limits.NEXT_CA_BYTES))[0] == "http-too-large"


# What a liar or an odd server makes of it -> how it ends; None: it is believed.
SWITCHES = {
    "hostile next-stranger": "next-ca-signer",
    "hostile next-impostor": "next-ca-signer",
    "hostile next-itself": "next-ca-signer",
    "hostile next-device": "next-ca-signer",
    "hostile next-broken": "next-ca-signature",
    "hostile next-none": "next-ca-none",
    "quirk next-listed-404": "next-ca-none",
    "quirk next-listed-early": None,
    "quirk next-unsigned": "next-ca-malformed",
    "quirk next-outside": "next-ca-malformed",  # RFC 5652 signs the content, not what is beside it
    "quirk next-type": None,
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_servers_and_liars_say_about_the_next_ca(tmp_path: Path, switch: str) -> None:
    kind, _, name = switch.partition(" ")
    with LabCa(tmp_path, f"--{kind}", name) as ca:
        authority = Authority(ca.dir)
        authority.prepare()
        der = authority.ca.certificate.dump()
        given = {"certificates": [der], "pin": crypto.digest("sha-256", der).hex()}
        job = {**job_for(ca.url, op="next-ca"), "now_s": int(time.time()), "ca": given}
        try:
            answer, code = run(job, []), None
        except AgentError as error:
            code = error.code
    assert code == SWITCHES[switch]
    if code is None:
        assert [c["der"] for c in answer["certificates"]] == [
            c.dump() for c in authority.next_set()
        ]
