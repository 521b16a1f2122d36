"""A quirk as a row, and the files of the tests that prove rows."""

from typing import NamedTuple


class Quirk(NamedTuple):
    """Its number, what is odd, what the agent does about it, who proves it, and where to see it.

    `why_not` stands alone where nothing is done, and beside `does` where only a part is.
    """

    number: int
    quirk: str
    does: str = ""
    proofs: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    why_not: str = ""


LOCAL = "scep/test_operations_local"
CASET, CLIENT, CMS = "scep/test_caset", "scep/test_operations", "scep/test_cms"
DISCOVERY, LAB, LISTS = "scep/test_ca_query", "whole/test_enrol_lab", "scep/test_crl_fetch"
MESSAGES, NAMES, NEXT = "scep/test_messages", "scep/test_names", "scep/test_succession"
PROFILES, REFUSALS, RENEWAL = (
    "rigs/test_interop_profiles",
    "scep/test_refusals",
    "enrolment/test_renewal",
)
LEAF = "scep/test_trust_certificate"
RENEW_LAB, TRANSPORT, TRUST = "whole/test_renew_lab", "scep/test_transport", "scep/test_trust"
ENGINE, MICROMDM, COMMANDS = (
    "enrolment/test_engine",
    "whole/test_enrol_micromdm",
    "console/test_commands_realm",
)
AGENT, RA = "whole/test_quirks_agent::test_a_ca_with", "scep/test_ra"
