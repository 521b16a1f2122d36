"""Somebody answers in the CA's place, with a name that is made to be misread.

His certificate is real, his name is the attack: it fills rows of the terminal, hides, turns the
line around, or reads like another one. A real agent is asked about it in every way that shows it,
on its serial line and by a script; what a person would see is what is judged.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from tests.helpers import scep_lab
from tests.helpers.board import Agent
from tests.helpers.hostile import Hostile
from tests.helpers.scep_http import ok
from tests.helpers.screen import Tty

# Any row of a terminal that begins with a `Z` was begun by the attacker.
ROWS = " ".join(["Zz" * 5, "Z", "Zz" * 20, "Z" * 100, "ZZZ " * 10]).strip()
BLANKS = "\u2800\u3164\u115f\u1160\uffa0"
UNSEEN = BLANKS + "\u00a0\u3000\u200b\u00ad\u034f\u202e\u2066\u061c\ufeff\ufe0f\U000e0041\x1b\x9b\n"
LOOKS = (
    "diagnose realm abc",
    "pki get-certificate ca realm abc",
    "display pki realm abc",
    "display pki certificate ca realm abc",
    "pki validate-certificate ca realm abc",
    "display pki enrollment realm abc",
    "display logbuffer",
)


class Impostor:
    """A server whose CA certificate has a name of his choice."""

    def __init__(self, name: str) -> None:
        kind = {"organization_name": name, "common_name": "Example Issuing CA"}
        self.certificate = scep_lab.certificate(kind, "impostor", None, ca=True).der
        self.sha256 = hashlib.sha256(self.certificate).hexdigest()

    def serving(self) -> Hostile:
        return Hostile(lambda line: line.send(ok(self.certificate)))


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        yield agent


def realm(url: str, impostor: Impostor, pinned: bool) -> list[str]:
    """`fingerprint` names him, or somebody else."""
    pin = impostor.sha256 if pinned else "66" * 32
    lines = ["pki realm abc", f"enrollment-url {url}", f"fingerprint sha256 {pin}"]
    return ["system-view", *lines]


def asked_about(agent: Agent, impostor: Impostor, *, pinned: bool) -> str:
    """What a script is told in all ways that show the CA."""
    with impostor.serving() as server:
        agent.must(*realm(server.url, impostor, pinned))
        return "".join(agent.script("system-view", look).text for look in LOOKS)


def seen(agent: Agent, impostor: Impostor, *, pinned: bool) -> list[str]:
    """The rows of a terminal at the serial line, in the same ways."""
    with impostor.serving() as server, Tty.serial(agent) as line:
        agent.must(*realm(server.url, impostor, pinned))
        line.press(b"\r")
        line.wait("<Huawei>_")
        line.after(b"screen-length 0 temporary\r", "<Huawei>_")
        line.after(b"system-view\r", "[Huawei]_")
        for look in LOOKS:
            line.after(look.encode() + b"\r", "[Huawei]_")
        tall = pyte.Screen(80, 999)
        pyte.ByteStream(tall).feed(bytes(line.seen))
    return [row.rstrip() for row in tall.display]


@pytest.mark.parametrize("pinned", [False, True])
def test_a_name_cannot_fill_rows_until_it_begins_one(agent: Agent, pinned: bool) -> None:
    rows = seen(agent, Impostor(ROWS), pinned=pinned)
    assert any("Zz" in row for row in rows), "his name was never shown"
    assert [row for row in rows if re.match(" {0,3}Z", row)] == []


def test_blanks_and_controls_of_a_name_are_seen_everywhere(agent: Agent) -> None:
    impostor = Impostor(f"Lab{UNSEEN}Z")
    for pinned in (False, True):
        text = asked_about(agent, impostor, pinned=pinned)
        for one in UNSEEN.replace("\n", ""):
            assert one not in text + agent.log(), ascii(one)
        assert r"O=Lab\u2800\u3164" in text
    assert r"O=Lab\u2800\u3164" in agent.log()
    told = agent.must("display pki certificate ca realm abc json")
    (item,) = json.loads(told)["items"]
    assert r"O=Lab\u2800\u3164\u115f\u1160\uffa0\xa0\u3000\u200b\xad" in item["subject"]


def test_names_that_differ_in_what_is_not_seen_do_not_read_the_same(agent: Agent) -> None:
    twins = ("Acme", "Ac\u200bme", "Ac\u00adme", "Acme ", "Acme\u00a0", "Acme\ufe0f", r"Ac\u200bme")
    shown = []
    for name in twins:
        text = asked_about(agent, Impostor(name), pinned=False)
        shown += re.findall("O=A.*?, CN=Example", text)[:1]
    assert len(set(shown)) == len(twins), shown


def test_a_name_cannot_bring_along_another_attribute(agent: Agent) -> None:
    text = asked_about(agent, Impostor("x, CN=Trusted Root"), pinned=False)
    assert r"O=x\, CN=Trusted Root, CN=Example Issuing CA" in text


def test_the_fingerprint_stands_before_the_name_wherever_both_are(agent: Agent) -> None:
    impostor = Impostor("Zz")
    said = asked_about(agent, impostor, pinned=False) + asked_about(agent, impostor, pinned=True)
    lines = [*said.splitlines(), *agent.log().splitlines()]
    both = [line for line in lines if impostor.sha256 in line and "Zz" in line]
    assert any("GET_CA_CERT" in line or "what arrived" in line for line in both)
    for line in both:
        assert line.index(impostor.sha256) < line.index("Zz"), line
    lookups = agent.must("system-view", "display pki certificate ca realm abc")
    assert lookups.index(impostor.sha256) < lookups.index("Zz")


def test_a_log_line_is_one_line_with_its_own_priority(agent: Agent) -> None:
    impostor = Impostor("x\n<0>PKI/5/GET_CA_CERT_OK: realm abc: CA trusted by operator")
    asked_about(agent, impostor, pinned=False)
    assert r"\x0a<0>PKI/5/" in agent.log()
    assert not re.search("^<0>", agent.log(), re.MULTILINE)
