"""A board that is left alone: nobody types any more, and its clock moves on."""

from asn1crypto import x509

from tests.helpers.board import SAVE, Agent
from tests.helpers.labca import wait_for
from tools.lab_ca.authority import read_certificate

AUTO = "auto-enroll 10 updated-effective"
FAST = 100  # the half minute that a person has who types is a third of a second
WITHIN_S = 60


def in_use(agent: Agent) -> x509.Certificate:
    return read_certificate(agent.memory("cert.pem").resolve())


def applies(agent: Agent, *realm: str) -> None:
    """The last lines of the realm are typed; then it gets its first certificate."""
    agent.must("system-view", "pki realm abc", *realm, AUTO, *SAVE)
    agent.rate(FAST)
    agent.wait_state("issued", timeout_s=WITHIN_S)
    agent.clock(synchronised=True)


def renews(agent: Agent) -> None:
    """A tenth of its life has passed, and what the spread of a herd may take."""
    first = in_use(agent)
    life = first.not_valid_after - first.not_valid_before
    agent.clock(int(life.total_seconds()) // 9, synchronised=True)
    wait_for(
        lambda: in_use(agent).serial_number != first.serial_number,
        WITHIN_S,
        f"it does not renew: {agent.log()}",
    )
    agent.wait_state("issued", timeout_s=WITHIN_S)
    agent.clock(synchronised=True)
