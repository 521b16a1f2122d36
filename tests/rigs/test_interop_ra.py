"""The purpose of each RA that `make interop` meets, as docs/interop.md tells it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers import jscep, peers
from tests.helpers.jscep import JscepCa
from tests.helpers.labca import LabCa
from tests.helpers.labca_http import ra_purpose
from tests.helpers.stepca import StepCa
from tests.rigs.interop.profiles import PROFILES, Profile
from tests.rigs.interop.servers import JSCEP_SERVLET, LAB_CA, ORIGINALS, RA, SERVERS, Server

STEPCA = next(server for server in ORIGINALS if server.name.startswith("step-ca"))
MET = (LAB_CA, STEPCA, JSCEP_SERVLET, *(s for s in SERVERS if s.recorded and s.ra_purpose))
PLAIN = Profile(LAB_CA.name, (), options=("--ra",))
RECORDED = {profile.server: profile for profile in (*PROFILES, PLAIN)}


@contextmanager
def in_front(server: Server, folder: Path) -> Iterator[str]:
    """The URL of the server with its RA."""
    if server is STEPCA:
        if why := peers.missing("step-ca"):
            pytest.skip(why)
        with StepCa(folder) as step:
            yield step.url("ra")
    elif server is JSCEP_SERVLET:
        if why := jscep.missing():
            pytest.skip(why)
        ca = JscepCa(folder)
        ca.touch("ra")
        with ca:
            yield ca.url
    else:
        profile = RECORDED[server.name]
        with LabCa(folder, *profile.arguments) as lab:
            yield profile.url(lab.url, "").split()[0]


@pytest.mark.parametrize("server", MET, ids=lambda server: server.name)
def test_the_purpose_of_an_ra(tmp_path: Path, server: Server) -> None:
    with in_front(server, tmp_path) as url:
        assert ra_purpose(url) == server.ra_purpose


def test_every_ra_of_the_page_has_its_purpose() -> None:
    """Those of one software share a case; who has no RA names none."""
    for server in SERVERS:
        assert bool(server.ra_purpose) is bool(server.cells[RA].proofs), server.name
        told = [*server.realm, *server.ra_realm]
        pinned = any("ra fingerprint" in line for line in told)
        assert pinned is (server.ra_purpose == "none"), server.name
