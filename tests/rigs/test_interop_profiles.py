"""The agent against the lab CA with all switches of a server (tests/rigs/interop/profiles.py)."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import alone
from tests.helpers.board import AGAIN, APPLY, SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa
from tests.helpers.peers import fingerprint
from tests.rigs.interop.profiles import CHALLENGE, NO_NAME, PROFILES, SHA1, TRIPLE_DES, Profile
from tools.lab_ca.__main__ import main as lab_ca


def each(profiles: tuple[Profile, ...] = PROFILES) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("profile", profiles, ids=lambda profile: profile.server)


def serving(folder: Path, profile: Profile, *options: str) -> LabCa:
    return LabCa(folder, "--challenge", CHALLENGE, *profile.arguments, *options)


def configure(agent: Agent, ca: LabCa, profile: Profile) -> None:
    trusted = (f"fingerprint sha256 {ca.fingerprint}", f"password cipher {CHALLENGE}")
    url = profile.url(ca.url, ra_prints(ca))
    agent.must(*procedure(url, *trusted, *profile.realm), *SAVE)


def ra_prints(ca: LabCa) -> str:
    """SHA-256 of the RA's two certificates, if it has one."""
    found = (ca.dir / f"{name}.pem" for name in ("ra-enc", "ra-sig"))
    return " ".join(fingerprint(path) for path in found if path.exists())


def check(agent: Agent, ca: LabCa) -> None:
    """The chain is looked at by openssl, with what consumers read."""
    root = ca.dir / "root.pem"
    check_certificate(agent, root if root.exists() else ca.dir / "ca.pem", ca.dir / "ca.pem")


def renew(agent: Agent, ca: LabCa, profile: Profile) -> None:
    old = agent.memory("cert.pem").read_bytes()
    agent.must(*AGAIN)
    agent.wait_state("issued")
    assert agent.memory("cert.pem").read_bytes() != old
    check(agent, ca)
    assert ca.pki_operations()[-1]["messageType"] == profile.renewal


@each()
def test_enrol_renew_and_get_the_list(tmp_path: Path, profile: Profile) -> None:
    with serving(tmp_path, profile) as ca, Agent(tmp_path) as agent:
        configure(agent, ca, profile)
        refused = agent.script("system-view", "pki enroll-certificate realm abc password wrong")
        assert refused.status == 1
        assert "`password cipher`" in refused.text.splitlines()[-1]
        agent.must(*APPLY)
        agent.wait_state("issued")
        check(agent, ca)
        renew(agent, ca, profile)
        agent.must("system-view", "pki get-crl realm abc")
        assert ca.pki_operations()[-1]["messageType"] == "GetCRL"
        assert len(ca.issued()) == 2


@each()
def test_it_renews_by_itself(tmp_path: Path, profile: Profile) -> None:
    with serving(tmp_path, profile) as ca, Agent(tmp_path) as agent:
        configure(agent, ca, profile)
        alone.applies(agent)
        alone.renews(agent)
        check(agent, ca)
        assert ca.pki_operations()[-1]["messageType"] == profile.renewal
        assert len(ca.issued()) == 2


@each(tuple(profile for profile in PROFILES if profile.poll))
def test_poll(tmp_path: Path, profile: Profile) -> None:
    with serving(tmp_path, profile, "--manual") as ca, Agent(tmp_path) as agent:
        configure(agent, ca, profile)
        for apply in (APPLY, AGAIN):  # at first, and as a renewal
            agent.must(*apply)
            assert agent.state() == "pending"
            assert len(ca.approve()) == 1
            agent.rate(120)
            agent.wait_state("issued")
            agent.rate(1)
            check(agent, ca)
        assert len(ca.issued()) == 2


@each(tuple(profile for profile in PROFILES if not profile.poll))
def test_a_server_that_refuses_while_it_waits(tmp_path: Path, profile: Profile) -> None:
    """Nobody can tell this from a refusal; once somebody has approved, a new application works."""
    with serving(tmp_path, profile, "--manual") as ca, Agent(tmp_path) as agent:
        configure(agent, ca, profile)
        said = agent.script(*APPLY)
        assert said.status == 1
        assert "waiting for approval" in said.text
        assert agent.state() == "failed"


@each(tuple(profile for profile in PROFILES if profile.rollover))
def test_rollover(tmp_path: Path, profile: Profile) -> None:
    with serving(tmp_path, profile) as ca, Agent(tmp_path) as agent:
        configure(agent, ca, profile)
        agent.must(*APPLY)
        assert lab_ca(["--dir", str(ca.dir), "prepare"]) == 0
        agent.must("system-view", "pki get-certificate ca realm abc next")
        assert lab_ca(["--dir", str(ca.dir), "rollover"]) == 0
        renew(agent, ca, profile)


@each(tuple(profile for profile in PROFILES if not profile.rollover))
def test_no_rollover_is_told(tmp_path: Path, profile: Profile) -> None:
    """What such a server says about its next CA is none, or is not to be believed."""
    with serving(tmp_path, profile) as ca, Agent(tmp_path) as agent:
        configure(agent, ca, profile)
        agent.must(*APPLY)
        if "next-outside" in profile.quirks:
            assert lab_ca(["--dir", str(ca.dir), "prepare"]) == 0
        said = agent.script("system-view", "pki get-certificate ca realm abc next")
        assert said.status == 1
        assert "Next step: " in said.text
        assert agent.shown("Next CA From") == "-"
        assert agent.state() == "issued"


class Missing(NamedTuple):
    """A server, how its settings begin without which it refuses, and what the error names."""

    server: str
    setting: str
    named: str


URL = "enrollment-url"
MISSING = (
    Missing("NDES (Windows Server 2012 and later)", "compatibility", f"`{NO_NAME}`"),
    Missing("NDES (Windows Server 2012 and later)", URL, "`enrollment-url ... ra`"),
    Missing("NDES (Windows Server 2008)", "enrollment-request signature", f"`{SHA1}`"),
    Missing("EJBCA", "ca id", "`ca id NAME`"),
    Missing("OpenXPKI", URL, "`enrollment-url ... ra`"),
    Missing("Dogtag", "compatibility", "`compatibility short-nonce`"),
    Missing("Cisco IOS CA", "enrollment-request encryption", f"`{TRIPLE_DES}`"),
    Missing("Ultimate CA Manager", "compatibility", "`compatibility renew-with-password`"),
)


@pytest.mark.parametrize("row", MISSING, ids=lambda row: f"{row.server} {row.setting}")
def test_what_is_missing_is_named_and_then_it_works(tmp_path: Path, row: Missing) -> None:
    (profile,) = [profile for profile in PROFILES if profile.server == row.server]
    left_out = [line for line in profile.realm if line.startswith(row.setting)]
    without = tuple(line for line in profile.realm if line not in left_out)
    with serving(tmp_path, profile) as ca, Agent(tmp_path) as agent:
        url = f"{URL} {profile.url(ca.url, ra_prints(ca))}"
        configure(agent, ca, profile._replace(realm=without))
        if row.setting == URL:
            agent.must("system-view", "pki realm abc", url.partition(" ra")[0])
        said = agent.script(*APPLY)
        if said.status == 0:  # it is the renewal that needs it
            said = agent.script(*AGAIN)
        assert said.status == 1
        assert row.named in said.text.splitlines()[-1]
        agent.must("system-view", "pki realm abc", *left_out, url)
        agent.must(*APPLY, *(["y"] if agent.memory("cert.pem").exists() else []))
        agent.wait_state("issued")
        check(agent, ca)
