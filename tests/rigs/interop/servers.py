"""Which servers the agent was tried with, what of each works, and the tests that prove it.

A cell is proved by tests or says why there are none; `python -m tests.rigs.interop` runs the tests
and writes the outcomes into docs/interop.md. Clients that are not ours are here too: they prove
that the lab CA speaks as the rest of the world does.
"""

from typing import NamedTuple

from tests.rigs.interop import versions
from tests.rigs.interop.profiles import PROFILES, Profile
from tests.rigs.interop.versions import Version, built, jar, package

ENROL, RENEW, ALONE = "enrol", "renew", "by itself"
POLL, RA, ROLL_OVER, CRL = "poll", "RA", "roll-over", "CRL"
COLUMNS = (ENROL, RENEW, ALONE, POLL, RA, ROLL_OVER, CRL)


class Cell(NamedTuple):
    """The tests (module::test) that prove it; or why it is not offered, and what proves that the
    agent says so."""

    proofs: tuple[str, ...] = ()
    why_not: str = ""


class Server(NamedTuple):
    """A server, how it is had, what works, and the lines that its realm needs beyond the usual.

    recorded: the arguments of the lab CA that stands in for it, empty for the server itself.
    ra_purpose: what the certificate of its RA names, and what its realm needs therefore.
    """

    name: str
    how: str
    cells: dict[str, Cell]
    realm: tuple[str, ...] = ()
    version: Version = versions.none
    recorded: tuple[str, ...] = ()
    ra_purpose: str = ""
    ra_realm: tuple[str, ...] = ()


class Client(NamedTuple):
    """A client that is not ours, what it needs of the lab CA, and what it was seen to do."""

    name: str
    does: str
    needs: str
    cell: Cell
    version: Version


def proved(*proofs: str) -> Cell:
    return Cell(proofs)


def none(reason: str, *proofs: str) -> Cell:
    return Cell(proofs, reason)


PURPOSE = "rigs/test_interop_ra::test_the_purpose_of_an_ra"
PINNED = ("enrollment-url ... ra fingerprint sha256 HEX",)
MICROMDM, STEPCA, PROFILE = (
    "whole/test_enrol_micromdm",
    "whole/test_enrol_stepca",
    "rigs/test_interop_profiles",
)
NO_RA = none("no RA stands in front of it")
HTTP_500 = "it answers HTTP 500"

LAB_ALONE = "whole/test_alone_lab"

LAB_CA = Server(
    "the lab CA",
    "a part of this tree, `python -m tools.lab_ca`",
    {
        ENROL: proved("whole/test_enrol_lab::test_aes256_sha512_with_challenge_and_source",
                      "whole/test_enrol_lab::test_a_chain_with_the_root_left_out"),
        RENEW: proved("whole/test_renew_lab::test_the_certificate_in_use_renews_itself"),
        ALONE: proved(f"{LAB_ALONE}::test_an_empty_realm_applies_and_renews_at_its_point",
                      f"{LAB_ALONE}::test_an_expired_certificate_is_replaced_when_the_time_is_known"),
        POLL: proved("whole/test_enrol_lab::test_pending_approved_after_two_polls"),
        RA: proved("whole/test_enrol_lab::test_ra_in_front", f"{PURPOSE}[the lab CA]",
                   "whole/test_renew_lab::test_a_renewal_waits_behind_an_ra_through_a_power_cut"),
        ROLL_OVER: proved("whole/test_rollover_lab::test_the_device_follows_the_ca",
                          "whole/test_rollover_lab::test_a_ca_that_nobody_named_is_refused"),
        CRL: proved(
            "whole/test_crl_lab::test_a_list_by_scep_and_by_http_and_a_certificate_that_is_on_it"),
    },
    ra_purpose="enrollment agent",
)  # fmt: skip


def micromdm(version: str, how: str, seen: Version) -> Server:
    """A release of micromdm's server: all of them answer alike."""

    def case(*tests: str) -> tuple[str, ...]:
        return tuple(f"{MICROMDM}::{test}[{version}]" for test in tests)

    not_offered = case("test_what_it_does_not_offer_is_said_with_the_way_round")
    return Server(
        f"micromdm scepserver {version}",
        how,
        {
            ENROL: proved(*case("test_with_weak_algorithm_des_the_certificate_arrives",
                                "test_without_it_the_error_names_algorithm_command_and_danger",
                                "test_three_mistakes_are_three_errors_and_change_nothing")),
            RENEW: proved(*case("test_it_renews_by_renewalreq_when_the_password_goes_along")),
            ALONE: proved(*case("test_it_renews_by_itself")),
            POLL: none(f"it issues or refuses at once; to CertPoll {HTTP_500}, and the request"
                       " is sent again",
                       *case("test_without_it_the_error_names_algorithm_command_and_danger")),
            RA: NO_RA,
            ROLL_OVER: none(f"to GetNextCACert {HTTP_500}", *not_offered),
            CRL: none(f"to GetCRL {HTTP_500}, and it publishes no list", *not_offered),
        },
        ("weak-algorithm des", "compatibility renew-with-password"),
        seen,
    )  # fmt: skip


def stepca(name: str, provisioner: str, enrol: Cell, case: str, *realm: str) -> Server:
    """step-ca with one cipher for its replies; `case`: how the tests call it."""
    return Server(
        f"step-ca 0.30.2{name}",
        f"built by `make peers`, its provisioner {provisioner}; `fingerprint` is that of the"
        " intermediate CA, since it sends its root only with `includeRoot`",
        {
            ENROL: enrol,
            RENEW: proved(f"{STEPCA}::test_it_renews_when_the_password_goes_along[{case}]"),
            ALONE: proved(f"{STEPCA}::test_it_renews_by_itself[{case}]"),
            POLL: none(f"it issues or refuses at once; to CertPoll {HTTP_500}, and the request is"
                       " sent again",
                       f"{STEPCA}::test_a_lost_answer_is_asked_for_and_then_the_same_request_is_sent"),
            RA: proved(f"{STEPCA}::test_the_decrypter_is_an_ra[{case}]",
                       f"{PURPOSE}[step-ca 0.30.2]"),
            ROLL_OVER: none(f"to GetNextCACert {HTTP_500}", f"{STEPCA}::test_it_names_no_next_ca"),
            CRL: proved(f"{STEPCA}::test_its_list_comes_by_http_and_not_by_scep"),
        },
        (*realm, "compatibility renew-with-password", "cdp-url http://HOST/1.0/crl"),
        built("step-ca"),
        ra_purpose="none",
        ra_realm=PINNED,
    )  # fmt: skip


ORIGINALS = (
    micromdm("2.1.0", "Debian's package `scep`", package("scep")),
    micromdm("2.3.0", "built by `make peers`", built("scepserver")),
    stepca(
        "",
        "as it comes",
        proved(f"{STEPCA}::test_single_des_is_refused_until_the_operator_allows_it"),
        "default",
        "weak-algorithm des",
    ),
    stepca(
        " with AES",
        "with `encryptionAlgorithmIdentifier` 2",
        proved(
            f"{STEPCA}::test_aes_needs_no_switch",
            f"{STEPCA}::test_it_reads_what_the_realm_may_choose",
            f"{STEPCA}::test_a_wrong_challenge_is_told_in_the_words_of_the_ca",
            f"{STEPCA}::test_the_pin_may_be_the_root_or_who_issues",
        ),
        "aes",
    ),
)

JSCEP = "whole/test_enrol_jscep"
JSCEP_SERVLET = Server(
    "jscep 2.5.8, its servlet",
    "on Tomcat, fetched by `make peers` and started by `tests/helpers/jscep.py`",
    {
        ENROL: proved(f"{JSCEP}::test_it_enrols_renews_and_gets_the_list",
                      f"{JSCEP}::test_a_wrong_challenge_and_a_wrong_fingerprint"),
        RENEW: proved(f"{JSCEP}::test_it_enrols_renews_and_gets_the_list"),
        ALONE: proved(f"{JSCEP}::test_it_renews_by_itself"),
        POLL: proved(f"{JSCEP}::test_what_waits_is_asked_for_until_it_is_decided"),
        RA: proved(f"{JSCEP}::test_an_ra_in_front_of_it",
                   f"{PURPOSE}[jscep 2.5.8, its servlet]"),
        ROLL_OVER: none("its next CA stands beside the signature, so it is refused; the operator"
                        " names the new one by `fingerprint`",
                        f"{JSCEP}::test_its_next_ca_stands_beside_the_signature_and_is_refused"),
        CRL: proved(f"{JSCEP}::test_it_enrols_renews_and_gets_the_list"),
    },
    version=jar("jscep"),
    ra_purpose="none",
    ra_realm=PINNED,
)  # fmt: skip


def as_recorded(profile: Profile) -> Server:
    """The row of a server that is here only as the lab CA with its switches."""

    def case(test: str) -> Cell:
        return proved(f"{PROFILE}::{test}[{profile.server}]")

    told = f"{PROFILE}::test_no_rollover_is_told[{profile.server}]"
    return Server(
        profile.server,
        "the lab CA in its place",
        {
            ENROL: case("test_enrol_renew_and_get_the_list"),
            RENEW: case("test_enrol_renew_and_get_the_list"),
            ALONE: case("test_it_renews_by_itself"),
            POLL: case("test_poll") if profile.poll else none(
                "it says FAILURE while it waits; after the approval a new application works",
                f"{PROFILE}::test_a_server_that_refuses_while_it_waits[{profile.server}]"),
            RA: proved(f"{PROFILE}::test_enrol_renew_and_get_the_list[{profile.server}]",
                       f"{PURPOSE}[{profile.server}]") if profile.ra else NO_RA,
            ROLL_OVER: case("test_rollover") if profile.rollover else none(
                profile.no_rollover, told),
            CRL: case("test_enrol_renew_and_get_the_list"),
        },
        (f"enrollment-url {profile.url('http://HOST/scep', 'HEX HEX')}", *profile.realm),
        recorded=profile.arguments,
        ra_purpose=profile.ra_purpose,
    )  # fmt: skip


SERVERS = (*ORIGINALS, JSCEP_SERVLET, LAB_CA, *map(as_recorded, PROFILES))

CLIENTS_OF, CERTMONGER = "lab_ca/test_clients", "lab_ca/test_certmonger"


def scepclient(version: str, seen: Version) -> Client:
    return Client(
        f"micromdm scepclient {version}",
        "enrols, renews, is refused; with `--quirk legacy-reply` as well",
        "nothing",
        proved(f"{CLIENTS_OF}::test_scepclient_enrols_and_renews[plain-{version}]",
               f"{CLIENTS_OF}::test_scepclient_enrols_and_renews[legacy-{version}]",
               f"{CLIENTS_OF}::test_scepclient_is_refused_with_the_wrong_challenge[{version}]"),
        seen,
    )  # fmt: skip


CLIENTS = (
    scepclient("2.1.0", package("scep")),
    scepclient("2.3.0", built("scepclient")),
    Client(
        "strongSwan's `pki --scep`",
        "enrols, with an RA too, renews, polls",
        "SHA-384 in the list of capabilities, which the lab CA has",
        proved(f"{CLIENTS_OF}::test_strongswan_enrols",
               f"{CLIENTS_OF}::test_strongswan_renews",
               f"{CLIENTS_OF}::test_strongswan_waits_for_approval",
               f"{CLIENTS_OF}::test_strongswan_needs_sha_384_in_the_list_for_its_aes"),
        package("strongswan-pki"),
    ),
    Client(
        "certmonger's `scep-submit`",
        "reads capabilities and certificates, enrols, with an RA too, waits, is refused",
        "`--quirk empty-content` for PENDING and FAILURE",
        proved(f"{CERTMONGER}::test_the_helper_reads_capabilities_and_certificates",
               f"{CERTMONGER}::test_the_helper_gets_a_certificate",
               f"{CERTMONGER}::test_the_helper_understands_a_refusal_with_a_content",
               f"{CERTMONGER}::test_the_helper_waits_and_comes_again",
               f"{CERTMONGER}::test_without_the_quirk_it_takes_the_server_for_unreachable"),
        package("certmonger"),
    ),
    Client(
        "certmonger",
        "the daemon enrols, and renews with a new key",
        "nothing",
        proved(f"{CERTMONGER}::test_the_daemon_enrols_and_renews_with_a_new_key"),
        package("certmonger"),
    ),
)  # fmt: skip
