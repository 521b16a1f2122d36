"""Nobody types: what a board fetches ahead of time, a real agent against the lab CA."""

from pathlib import Path

import pytest

from tests.helpers.alone import FAST, WITHIN_S
from tests.helpers.board import check_certificate, run
from tests.helpers.labca import wait_for
from tests.whole.test_alone_lab import DAY_S, LEAD_S, SPREAD_S, Site, end_s
from tests.whole.test_alone_lab import site as site  # a fixture
from tests.whole.test_renew_lab import requests
from tools.lab_ca.__main__ import main

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def lab(site: Site, *words: str) -> None:
    clock = str(site.agent.dir / "clock")
    assert main(["--dir", str(site.ca.dir), "--clock", clock, *words]) == 0


def move(site: Site, wall_s: int) -> None:
    """An agent that sleeps sees the jump when it wakes: somebody asks it something."""
    site.move_to(wall_s)
    assert site.agent.state()


def passes_its_point(site: Site, count: int) -> None:
    """Half of the life of the certificate in use passes, and the CA issues the next one."""
    move(site, end_s(site.in_use()) - DAY_S // 2 + SPREAD_S + 60)
    site.wait_issued(count)


def test_a_ca_rolls_over_and_the_board_follows_it(site: Site) -> None:
    site.alone("auto-enroll 50 updated-effective")
    site.rests()
    assert site.agent.shown("Next CA From") == "-"
    lab(site, "prepare")
    passes_its_point(site, 2)
    wait_for(lambda: site.agent.shown("Next CA From") != "-", WITHIN_S, "it does not ask")
    site.agent.kill()
    site.agent.start()
    assert site.agent.shown("Next CA From") != "-"
    old = (site.ca.dir / "ca.pem").read_bytes()
    lab(site, "rollover")
    assert (site.ca.dir / "ca.pem").read_bytes() != old
    passes_its_point(site, 3)
    site.check()


def lists(site: Site) -> list[str]:
    """What a realm says that sends nothing without a revocation list."""
    return ["certificate-check crl", f"cdp-url {site.ca.url.replace('/scep', '/ca.crl')}"]


def number(path: Path) -> int:
    """That of a list: the time at which the lab CA has made it."""
    said = run("openssl", "crl", "-in", str(path), "-noout", "-crlnumber")
    return int(said.strip().partition("=")[2].removeprefix("0x"), 16)


def test_a_list_without_which_nothing_is_sent_comes_first_and_is_renewed_in_time(
    site: Site,
) -> None:
    site.alone("auto-enroll updated-effective", *lists(site))
    site.rests()
    path, begin_s = site.agent.dir / "storage" / "abc.crl", end_s(site.in_use()) - DAY_S
    first = number(path)
    move(site, begin_s + DAY_S - LEAD_S - 600)
    assert number(path) == first
    move(site, begin_s + DAY_S - LEAD_S // 2 + 60)  # all of the spread has passed
    wait_for(lambda: number(path) > first, WITHIN_S, site.agent.log())
    site.wait_issued(2)
    site.check()


def test_on_a_shelf_the_list_has_ended_too_and_is_fetched_before_the_renewal(site: Site) -> None:
    site.alone("auto-enroll updated-effective", *lists(site))
    site.rests()
    first, path = site.in_use(), site.agent.dir / "storage" / "abc.crl"
    before = number(path)
    site.agent.stop()
    site.move_to(end_s(first) + 30 * DAY_S)
    site.agent.start()
    site.wait_issued(2)
    assert number(path) > before + 30 * DAY_S
    check_certificate(site.agent, site.ca.dir / "ca.pem", at_s=site.now_s())


def test_a_certificate_on_the_list_is_replaced_by_one_for_another_key(site: Site) -> None:
    """It is seen within one fetch. A request that it signs would be refused, so the challenge goes
    along; it is served until the new one is there."""
    site.alone("auto-enroll updated-effective")
    site.rests()
    first = site.in_use()
    lab(site, "revoke", site.ca.issued()[0].stem)
    site.agent.must("system-view", "pki realm abc", *lists(site)[1:])
    site.agent.clock(rate=FAST, synchronised=True)
    wait_for(lambda: "is on the revocation list" in site.agent.log(), WITHIN_S, site.agent.log())
    site.wait_issued(2)
    site.check()
    assert site.in_use().public_key.dump() != first.public_key.dump()
    assert requests(site.ca) == ["PKCSReq", "PKCSReq"]
