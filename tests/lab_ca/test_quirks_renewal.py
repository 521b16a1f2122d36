"""Quirks of renewals."""

import pytest

from tests.helpers import labca_client as client
from tests.helpers.labca_seen import CHALLENGE, Base, Seen, prove, succeeded, words
from tools.lab_ca import quirks
from tools.lab_ca.authority import DAY_S

LOCKED = Base(challenge=CHALLENGE)
YEAR = Base(life_s=365 * DAY_S)

RENEWALS = {
    "renewal-19": Seen(
        lambda lab: "Renewal" not in words(lab) and lab.renewed().fail_info == client.BAD_REQUEST,
        spares=lambda lab: succeeded(lab.renewed(client.PKCS_REQ)),
    ),
    "renewal-17": Seen(
        lambda lab: lab.renewed(client.PKCS_REQ).fail_info == client.BAD_REQUEST,
        spares=lambda lab: succeeded(lab.renewed()),
    ),
    "renewal-challenge": Seen(
        lambda lab: lab.renewed().fail_info == client.BAD_REQUEST,
        LOCKED,
        lambda lab: succeeded(lab.renewed(challenge=CHALLENGE)),
    ),
    "renewal-subject": Seen(
        lambda lab: lab.renewed(name="dev2").fail_info == client.BAD_REQUEST,
        spares=lambda lab: succeeded(lab.renewed()),
    ),
    "renewal-early": Seen(lambda lab: lab.renewed().fail_info == client.BAD_REQUEST, YEAR),
}


@pytest.mark.parametrize("name", RENEWALS)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(RENEWALS[name], quirks.QUIRKS[name])
