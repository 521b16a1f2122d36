"""How a renewal is made by what the CA lists and the realm says, and what counts as newer."""

from typing import Any

import pytest

from agent.console.commands.realm import COMPATIBILITY
from agent.enrolment import renewal
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.states import Apply
from agent.errors import AgentError
from hal.records import CaRecord, CertificateRecord, LocalRecord, RequestRecord

NOW = Now(1_000, 0, True)
HELD = CertificateRecord(b"old", "CN=r1", "CN=CA", "01", 0, 2_000)
LOCAL = LocalRecord(HELD, [], "k1", 3, 0)
EVENT = Apply("t1", {}, 4, None, attended=True, renewable=True)
CA = CertificateRecord(b"ca", "CN=CA", "CN=CA", "09", 0, 9_000)


def ca_set() -> CaRecord:
    return CaRecord("ab", "cd", "ef", 0, "fingerprint", [CA], [], 0)


def way(*compatibility: str, caps: tuple[str, ...] = ("Renewal",), now: Now = NOW) -> Any:
    """(messageType, with the password), or None for an application from the beginning."""
    candidate = renewal.may_sign(EVENT, LOCAL)
    found = renewal.decide(candidate, ca_set(), caps, compatibility, now)
    return None if found is None else (found.message_type, found.with_password)


@pytest.mark.parametrize(
    ("compatibility", "caps", "expected"),
    [
        ((), ("Renewal",), (17, False)),
        ((), ("RENEWAL",), (17, False)),
        ((), (), None),
        ((), ("Renewals",), None),
        (("renew-by-renewalreq",), (), (17, False)),
        (("renew-by-pkcsreq",), ("Renewal",), None),
        (("renew-by-signed-pkcsreq",), (), (19, True)),
        (("renew-with-password",), ("Renewal",), (17, True)),
        (("renew-with-password",), (), None),
    ],
)
def test_the_way_of_a_renewal(
    compatibility: tuple[str, ...], caps: tuple[str, ...], expected: Any
) -> None:
    assert way(*compatibility, caps=caps) == expected


def test_only_a_certificate_in_date_signs_if_the_clock_is_to_be_believed() -> None:
    late = NOW._replace(wall_s=2_000)
    assert way(now=late) is None
    assert way(now=late._replace(trusted=False)) == (17, False)
    assert way(now=NOW._replace(wall_s=1_999)) == (17, False)


def test_another_cas_certificate_and_one_without_its_key_sign_nothing() -> None:
    foreign = LOCAL._replace(certificate=HELD._replace(issuer="CN=Other"))
    candidate = renewal.may_sign(EVENT, foreign)
    assert renewal.decide(candidate, ca_set(), ["Renewal"], (), NOW) is None
    assert renewal.may_sign(EVENT._replace(renewable=False), LOCAL) is None
    assert renewal.may_sign(EVENT, None) is None


def test_the_record_names_signer_key_and_generation_of_the_old_pair() -> None:
    candidate = renewal.may_sign(EVENT, LOCAL)
    assert candidate is not None
    assert (candidate.certificate, candidate.key, candidate.generation) == (HELD, "k1", 3)


def test_every_keyword_stands_in_the_realms_table() -> None:
    words = {"renew-by-pkcsreq", "renew-by-signed-pkcsreq", "renew-by-renewalreq"}
    assert words == renewal._ASKED.keys()
    assert {*words, renewal.WITH_PASSWORD} <= COMPATIBILITY.keys()


NEWER = HELD._replace(der=b"new", serial="02", not_before_s=10, not_after_s=3_000)


@pytest.mark.parametrize(
    ("found", "same_end"),
    [
        (NEWER, False),
        (NEWER._replace(not_before_s=0), False),
        (NEWER._replace(not_after_s=2_000), True),
        (NEWER._replace(issuer="CN=Other", not_after_s=5), False),  # the operator changed the CA
    ],
)
def test_what_is_newer(found: CertificateRecord, same_end: bool) -> None:
    assert renewal.check_newer(LOCAL, found, attended=False) is same_end
    assert renewal.check_newer(None, found, attended=False) is False


@pytest.mark.parametrize(
    ("before", "found", "code"),
    [
        (LOCAL, HELD, "issued-old"),
        (LOCAL, NEWER._replace(serial="01"), "issued-older"),
        (LOCAL._replace(certificate=HELD._replace(not_before_s=11)), NEWER, "issued-older"),
        (LOCAL, NEWER._replace(not_after_s=1_999), "issued-older"),
        (LOCAL._replace(ends_as_before=True), NEWER._replace(not_after_s=2_000), "issued-older"),
    ],
)
def test_what_is_not(before: LocalRecord, found: CertificateRecord, code: str) -> None:
    with pytest.raises(AgentError) as caught:
        renewal.check_newer(before, found, attended=False)
    assert caught.value.code == code


def test_a_person_may_have_the_same_end_again() -> None:
    before, found = LOCAL._replace(ends_as_before=True), NEWER._replace(not_after_s=2_000)
    assert renewal.check_newer(before, found, attended=True) is True


SENT = RequestRecord("sent", "t1", 0, 4, {}, "sealed", 0, None)
POLICY = Policy(None, 1, 3)


@pytest.mark.parametrize(
    ("event", "stored", "differs"),
    [
        (EVENT, Stored(), True),  # nothing to take up
        (EVENT._replace(password="sealed"), Stored(request=SENT), False),
        (EVENT, Stored(request=SENT), True),  # another password
        (EVENT, Stored(request=SENT._replace(password=None), ca=ca_set(), local=LOCAL), False),
        (
            EVENT,
            Stored(
                request=SENT._replace(password=None, caps=["Renewal"]), ca=ca_set(), local=LOCAL
            ),
            True,  # it would be signed by the certificate in use
        ),
    ],
)
def test_whether_an_application_takes_up_the_request_under_way(
    event: Apply, stored: Stored, differs: bool
) -> None:
    assert renewal.differs(event, stored, POLICY, NOW) is differs
