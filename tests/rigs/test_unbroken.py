"""A slice of the rig in real time: no moment without a certificate. `make unbroken`: all of it."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.helpers import netns
from tests.helpers.board import Agent, check_certificate, copy_program
from tests.helpers.labca import LabCa
from tests.planted.rig import named, plant
from tests.rigs.test_mixtures import SEED
from tests.rigs.unbroken import course, reader
from tests.rigs.unbroken.course import AT_ONCE, Figures
from tests.rigs.unbroken.reader import Gap
from tests.rigs.unbroken.weather import Outage
from tests.whole.test_renew_lab import enrolled

SECONDS, RATE = 45, 8  # certificates of three minutes, renewed each 14 s
PLANTED_SECONDS, PLANTED_RATE = 14, 20

pytestmark = [pytest.mark.lab, pytest.mark.slow]
rooted = pytest.mark.skipif(bool(netns.missing()), reason=netns.missing())


@rooted
@pytest.mark.needs_root
def test_no_moment_without_a_certificate(tmp_path: Path) -> None:
    found = course.run(tmp_path, SECONDS, SEED, rate=RATE, realms=AT_ONCE)
    print(found.line(SEED))
    assert found.short() == []
    assert found.looks > 0
    assert found.handshakes > 0
    assert found.outages
    assert min(found.seen.values()) > 2 or found.unfair  # each was renewed more than once
    assert found.cas == 2 or found.unfair  # it has renewed itself, and was followed


@rooted
@pytest.mark.needs_root
def test_the_rig_finds_a_program_that_renews_too_late(tmp_path: Path) -> None:
    """In fine weather: so no busy machine excuses it."""
    realms = dict([*AT_ONCE.items()][:1])
    clone = copy_program(tmp_path)
    plant(named("renewal-at-the-end"), clone)
    found = course.run(
        *(tmp_path, PLANTED_SECONDS, "planted"),
        rate=PLANTED_RATE,
        realms=realms,
        storms=False,
        clone=clone,
    )
    assert any("it ended" in text for text in found.short())


def test_a_consumer_looks_at_key_chain_and_dates(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with LabCa(tmp_path) as ca, LabCa(tmp_path / "other") as other, Agent(tmp_path) as agent:
        enrolled(agent, ca)
        check_certificate(agent, ca.dir / "ca.pem")
        bundle = agent.memory("bundle.pem").resolve()
        trusted = reader.authorities_of(ca.dir)()
        reader.shake_hands(bundle, trusted)
        with pytest.raises(ssl.SSLError, match="verify failed"):
            reader.shake_hands(bundle, reader.authorities_of(other.dir)())
    text = bundle.read_bytes()
    leaf = x509.load_pem_x509_certificates(text)[0]
    begin_s = int(leaf.not_valid_before_utc.timestamp())
    end_s = int(leaf.not_valid_after_utc.timestamp())
    assert reader.out_of_date(leaf, begin_s - 2, begin_s - 1) == "it begins in 1 s"
    assert reader.out_of_date(leaf, begin_s - 1, begin_s) == ""
    assert reader.out_of_date(leaf, end_s - 1, end_s) == ""
    assert reader.out_of_date(leaf, end_s, end_s) == "it ended 0 s ago"
    stranger = agent.dir / "stranger.pem"
    stranger.write_bytes(text.partition(b"-----BEGIN CERT")[0] + (ca.dir / "ca.pem").read_bytes())
    with pytest.raises(ssl.SSLError):
        reader.shake_hands(stranger, trusted)


def figures(outage: Outage, most: int = 1) -> Figures:
    return Figures(1.0, 10, 1, [Gap("r", 1, "it ended 3 s ago")], [outage], {"r": 2}, 2, most, 0)


def test_an_outage_that_took_too_long_excuses_a_gap_and_nothing_else() -> None:
    assert figures(Outage("ca", 20, 23)).short() == ["r: it ended 3 s ago"]
    late = figures(Outage("ca", 24, 23))
    assert late.short() == []
    assert late.excuses() == ["ca took 24.0 s of 23.0", "r: it ended 3 s ago"]
    assert len(figures(Outage("ca", 24, 23), most=4).short()) == 1


def test_certificates_are_counted_from_one_that_consumers_had_to_the_next() -> None:
    assert course.most([1, 2, 3, 4], [1, 2, 4]) == 2
    assert course.most([1, 2, 3], [3]) == 3
    assert course.most([], []) == 0
