"""Nobody types: the four triggers of automatic mode, a real agent against the lab CA.

Board and CA live by the same clock where nothing else is said, a file that the tests move: so a
certificate of a day is near its end at once.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from asn1crypto import x509

from tests.helpers import alone
from tests.helpers.alone import WITHIN_S
from tests.helpers.board import SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa, wait_for
from tests.whole.test_renew_lab import CHALLENGE, requests
from tools.lab_ca import clock
from tools.lab_ca.authority import read_certificate

pytestmark = [pytest.mark.lab, pytest.mark.slow]

DAY_S = 86400
LEAD_S = DAY_S // 10  # of a certificate that lives for a day
SPREAD_S = LEAD_S // 20  # a herd does not come at the point itself
HOUR_S = 3600
GIVEN_UP = "the CA has not decided after 3 polls"


class Site:
    """A board and its CA on one clock; `moved_to` is a wall time."""

    def __init__(self, agent: Agent, ca: LabCa) -> None:
        self.agent, self.ca, self.offset_s = agent, ca, 0
        self.now_s = clock.of_board(agent.dir / "clock")

    def alone(self, auto: str, *more: str, synchronised: bool = True) -> None:
        """The whole configuration, saved; what follows nobody types."""
        trusted = f"fingerprint sha256 {self.ca.fingerprint}"
        self.agent.must(*procedure(self.ca.url, trusted, CHALLENGE, auto, *more), *SAVE)
        self.agent.clock(rate=alone.FAST, synchronised=synchronised)  # the half minute of who types

    def rests(self) -> None:
        self.agent.wait_state("issued", timeout_s=WITHIN_S)
        self.agent.clock(synchronised=True)

    def move_to(self, wall_s: int, *, synchronised: bool = True) -> None:
        self.offset_s += wall_s - self.now_s()
        self.agent.clock(self.offset_s, synchronised=synchronised)

    def in_use(self) -> x509.Certificate:
        return alone.in_use(self.agent)

    def check(self) -> None:
        check_certificate(self.agent, self.ca.dir / "ca.pem", at_s=self.now_s())

    def wait_issued(self, count: int) -> None:
        wait_for(lambda: len(self.ca.issued()) >= count, WITHIN_S, self.agent.log())
        self.agent.wait_state("issued", timeout_s=WITHIN_S)
        assert len(self.ca.issued()) == count


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    agent = Agent(tmp_path)
    path = str(agent.dir / "clock")
    flags = ("--challenge", "sekret", "--validity", str(DAY_S), "--no-backdate")
    with LabCa(tmp_path, "--clock", path, *flags) as ca, agent:
        yield Site(agent, ca)


def is_doubted(agent: Agent) -> bool:
    return "Trusted: no" in agent.must("display clock")


def end_s(certificate: x509.Certificate) -> int:
    return int(certificate.not_valid_after.timestamp())


@pytest.mark.parametrize(
    ("auto", "point_s"),
    [
        ("auto-enroll 10 updated-effective", LEAD_S),
        ("auto-enroll 50 updated-effective", DAY_S // 2),
        ("auto-enroll 50 regenerate updated-effective", DAY_S // 2),
        ("auto-enroll updated-effective", DAY_S - LEAD_S),
        ("auto-enroll 100 regenerate 3072 updated-effective", DAY_S - LEAD_S),
    ],
)
def test_an_empty_realm_applies_and_renews_at_its_point(
    site: Site, auto: str, point_s: int
) -> None:
    site.alone(auto)
    site.rests()
    first = site.in_use()
    begin_s = end_s(first) - DAY_S
    site.move_to(begin_s + point_s - 60)
    assert site.agent.state() == "issued"
    assert len(site.ca.issued()) == 1
    site.move_to(begin_s + point_s + SPREAD_S + 60)
    site.wait_issued(2)
    second = site.in_use()
    site.check()
    assert second.serial_number != first.serial_number
    assert (second.public_key.dump() == first.public_key.dump()) is ("regenerate" not in auto)
    assert second.public_key.bit_size == (3072 if "3072" in auto else 2048)
    assert requests(site.ca) == ["PKCSReq", "RenewalReq"]


@pytest.mark.parametrize("auto", ["auto-enroll 50", "auto-enroll 50 regenerate"])
def test_without_updated_effective_the_new_one_waits_until_the_old_one_is_near_its_end(
    site: Site, auto: str
) -> None:
    site.alone(auto)
    site.rests()
    first = site.in_use()
    site.move_to(end_s(first) - DAY_S // 2 + SPREAD_S + 60)
    site.wait_issued(2)
    waits = site.agent.dir / "storage" / "abc_next.cer"
    wait_for(waits.exists, WITHIN_S, "nothing waits")
    assert site.in_use().serial_number == first.serial_number
    second = read_certificate(waits)
    site.agent.kill()
    site.agent.start()
    assert site.in_use().serial_number == first.serial_number
    site.move_to(end_s(first) - HOUR_S + 5)
    wait_for(lambda: site.in_use().serial_number == second.serial_number, WITHIN_S, "it waits")
    wait_for(lambda: not waits.exists(), WITHIN_S, "its file is still there")
    site.check()
    assert len(site.ca.issued()) == 2


def test_an_expired_certificate_is_replaced_when_the_time_is_known(site: Site) -> None:
    """The device lay on a shelf; the old one cannot sign any more, so the challenge goes along."""
    site.alone("auto-enroll updated-effective")
    site.rests()
    first = site.in_use()
    site.agent.stop()
    site.move_to(end_s(first) + 30 * DAY_S)
    site.agent.start()
    site.wait_issued(2)
    assert site.in_use().serial_number != first.serial_number
    site.check()
    assert requests(site.ca) == ["PKCSReq", "PKCSReq"]


def test_a_clock_that_nobody_vouches_for_ends_nothing_and_one_start_later_it_tries(
    tmp_path: Path,
) -> None:
    """The CA has the right time. Within an hour after a start a time source may still come."""
    with (
        LabCa(tmp_path, "--challenge", "sekret", "--validity", str(DAY_S)) as ca,
        Agent(tmp_path) as agent,
    ):
        site = Site(agent, ca)
        site.alone("auto-enroll updated-effective", synchronised=False)
        agent.wait_state("issued", timeout_s=WITHIN_S)
        agent.clock(50 * 365 * DAY_S)
        wait_for(lambda: is_doubted(agent), WITHIN_S, "it believes anything")
        assert agent.state() == "issued"
        agent.kill()
        agent.start()
        assert is_doubted(agent)
        check_certificate(agent, ca.dir / "ca.pem")  # in use all the time
        assert len(ca.issued()) == 1
        agent.clock(50 * 365 * DAY_S, rate=1000)
        site.wait_issued(2)
        assert "EXPIRED" not in agent.log()
        check_certificate(agent, ca.dir / "ca.pem")


def test_pending_over_polls_a_reboot_and_all_its_times(tmp_path: Path) -> None:
    """One transaction from the first request to the certificate, and one certificate."""
    with LabCa(tmp_path, "--challenge", "sekret", "--manual") as ca, Agent(tmp_path) as agent:
        site = Site(agent, ca)
        site.alone("auto-enroll updated-effective", f"enrollment-url {ca.url} times 3")

        def polled() -> int:
            return requests(ca).count("CertPoll")

        wait_for(lambda: polled() >= 2, WITHIN_S, "it does not poll")
        agent.kill()
        agent.start()
        wait_for(lambda: GIVEN_UP in agent.log(), WITHIN_S, "it polls without end")
        count = polled()
        wait_for(lambda: polled() > count, WITHIN_S, "it gives up")
        (transaction,) = ca.approve()
        site.wait_issued(1)
        assert [one.id for one in ca.requests()] == [transaction]
        agent.clock()
        check_certificate(agent, ca.dir / "ca.pem", at_s=site.now_s())
