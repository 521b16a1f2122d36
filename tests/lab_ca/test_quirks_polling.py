"""Quirks of requests that wait."""

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1

from tests.helpers import labca_client as client
from tests.helpers.labca_seen import Base, Lab, Seen, prove, succeeded
from tools.lab_ca import quirks
from tools.lab_ca.authority import Plan

MANUAL = Base(manual=True)


def poll_status(lab: Lab) -> int:
    device = lab.device()
    names = core.SequenceOf([lab.ca.subject, lab.ca.subject], spec=asn1.Name)
    return lab.post(device.message(client.CERT_POLL, names.dump())).status


POLLING = {
    "waiting-success": Seen(
        lambda lab: (reply := lab.enrol()).status == client.SUCCESS and reply.content is None,
        MANUAL,
        lambda lab: lab.polled(approve=True).content is not None,
    ),
    "waiting-failure": Seen(
        lambda lab: lab.enrol().status == client.FAILURE,
        MANUAL,
        lambda lab: succeeded(lab.polled(approve=True)),
    ),
    "poll-failure": Seen(
        lambda lab: (
            lab.polled(approve=True).status == client.FAILURE and len(lab.authority.shelf()) == 1
        ),
        MANUAL,
        lambda lab: lab.polled(approve=False).status == client.PENDING,
    ),
    "pending-chain": Seen(
        lambda lab: (
            (reply := lab.enrol()).status == client.PENDING and len(reply.certificates) == 2
        ),
        Base(Plan(chain=True), manual=True),
    ),
    "poll-500": Seen(lambda lab: poll_status(lab) == 500, MANUAL, lambda lab: bool(lab.enrol())),
    "poll-unknown": Seen(
        lambda lab: lab.polled(approve=False).fail_info == client.BAD_CERT_ID, MANUAL
    ),
}


@pytest.mark.parametrize("name", POLLING)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(POLLING[name], quirks.QUIRKS[name])
