"""How a renewal is made by what the CA lists and the realm says, and what counts as newer."""

from typing import Any

import pytest

from agent.console.commands.realm import COMPATIBILITY
from agent.enrolment import renewal
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.states import Apply
from agent.errors import AgentError, fail
from hal.records import (
    CaRecord,
    CertificateRecord,
    LinkRecord,
    LocalRecord,
    OutcomeRecord,
    RequestRecord,
)

NOW = Now(1_000, 0, True)
HELD = CertificateRecord(b"old", "CN=r1", "CN=CA", "01", 0, 2_000)
LOCAL = LocalRecord(HELD, [], "k1", 3, 0)
EVENT = Apply("t1", {}, 4, None, attended=True, renewable=True)
POLICY = Policy(None, 1, 3)
SENT = RequestRecord("sent", "t1", 0, 4, {}, "sealed", 0, None)
CA = CertificateRecord(b"ca", "CN=CA", "CN=CA", "09", 0, 9_000)


def ca_set() -> CaRecord:
    return CaRecord("ab", "cd", "ef", 0, "fingerprint", [CA], [], 0)


def way(*compatibility: str, caps: tuple[str, ...] = ("Renewal",), now: Now = NOW) -> Any:
    """(messageType, with the password), or None for an application from the beginning."""
    candidate = renewal.may_sign(EVENT, Stored(local=LOCAL), POLICY)
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


def test_where_the_realm_says_so_an_expired_one_signs() -> None:
    """A device that lay on a shelf has used up its one-time password."""
    late = NOW._replace(wall_s=9_000)
    assert way("renew-when-expired", now=late) == (17, False)
    assert way("renew-when-expired", now=NOW._replace(wall_s=-1)) is None


def signs(local: LocalRecord | None = LOCAL, *, event: Apply = EVENT, **stored: Any) -> bool:
    policy = POLICY._replace(fingerprint=stored.pop("fingerprint", None))
    return renewal.may_sign(event, Stored(local=local, **stored), policy) is not None


def test_another_cas_certificate_and_one_without_its_key_sign_nothing() -> None:
    foreign = LOCAL._replace(certificate=HELD._replace(issuer="CN=Other"))
    candidate = renewal.may_sign(EVENT, Stored(local=foreign), POLICY)
    assert renewal.decide(candidate, ca_set(), ["Renewal"], (), NOW) is None
    assert signs()
    assert not signs(event=EVENT._replace(renewable=False))
    assert not signs(None)


def test_a_certificate_of_another_pin_signs_nothing() -> None:
    """Field case 11 (a): another CA is typed."""
    assert not signs(ca=ca_set(), fingerprint=("sha256", "another"))
    assert signs(ca=ca_set(), fingerprint=("sha256", "ab"))
    assert not signs(LOCAL._replace(pin="before"), ca=ca_set())
    link = LinkRecord("before", "", "", CA, b"")
    assert signs(LOCAL._replace(pin="before"), ca=ca_set()._replace(lineage=[link]))


@pytest.mark.parametrize(
    "changes", [{"names": 7}, {"revoked": "keyCompromise"}], ids=["other names", "revoked"]
)
def test_what_a_ca_would_refuse_is_not_sent_where_there_is_a_challenge(
    changes: dict[str, Any],
) -> None:
    """Field cases 4 and 11 (b)."""
    local = LOCAL._replace(**changes)
    event = EVENT._replace(settings={"entity": {"common_name": "r2"}}, password="sealed")
    assert not signs(local, event=event)
    assert signs(local, event=event._replace(password=None))
    assert signs(event=event)  # no names are known of it


def test_after_a_refusal_the_next_one_is_that_of_a_new_device() -> None:
    """Field case 12."""
    refused = OutcomeRecord(fail("ca-badMessageCheck", text="").as_map(), 0, 1, anew=True)
    assert not signs(outcome=refused)
    assert signs(outcome=refused._replace(anew=False))


@pytest.mark.parametrize(
    ("code", "signed", "password", "late", "anew"),
    [
        ("ca-badMessageCheck", True, "sealed", False, True),
        ("ca-renewal-refused", True, "sealed", False, True),
        ("ca-badCertId", True, "sealed", False, True),
        ("ca-badRequest", True, "sealed", False, True),
        ("ca-badMessageCheck", True, None, False, False),  # (c): there is no challenge
        ("ca-badMessageCheck", True, None, True, True),
        ("ca-badMessageCheck", False, "sealed", False, False),
        ("ca-badTime", True, "sealed", False, False),
        ("http-failed", True, "sealed", False, False),  # nobody has signed it
    ],
)
def test_what_is_a_refusal_of_the_signature(
    code: str, signed: bool, password: str | None, late: bool, anew: bool
) -> None:
    error = fail(code, text="", what="x", with_or_without="with", status=1, reason="x", page="")
    request = SENT._replace(password=password, renewal=renewal.signer(LOCAL) if signed else None)
    now = NOW._replace(wall_s=2_000) if late else NOW
    assert renewal.is_refused(request, error, now) is anew
    assert not renewal.is_refused(None, error, now)


def test_the_record_names_signer_key_and_generation_of_the_old_pair() -> None:
    candidate = renewal.may_sign(EVENT, Stored(local=LOCAL), POLICY)
    assert candidate is not None
    assert (candidate.certificate, candidate.key, candidate.generation) == (HELD, "k1", 3)


def test_every_keyword_stands_in_the_realms_table() -> None:
    words = {"renew-by-pkcsreq", "renew-by-signed-pkcsreq", "renew-by-renewalreq"}
    assert words == renewal._ASKED.keys()
    assert {*words, renewal.WITH_PASSWORD, renewal.WHEN_EXPIRED} <= COMPATIBILITY.keys()


NEWER = HELD._replace(der=b"new", serial="02", not_before_s=10, not_after_s=3_000)


def against(before: LocalRecord | None, found: CertificateRecord, attended: bool = False) -> Any:
    issued = LOCAL._replace(certificate=found)
    return renewal.compared(Stored(local=before), before, issued, attended=attended)


@pytest.mark.parametrize(
    ("found", "same_end", "before_s"),
    [
        (NEWER, False, None),
        (NEWER._replace(not_before_s=0), False, None),
        (NEWER._replace(not_after_s=2_000), True, None),
        (NEWER._replace(not_after_s=1_999), False, 2_000),
        (NEWER._replace(issuer="CN=Other", not_after_s=5), False, None),  # another CA
    ],
)
def test_what_is_newer(found: CertificateRecord, same_end: bool, before_s: int | None) -> None:
    assert against(LOCAL, found) == (same_end, before_s)
    assert against(None, found) == (False, None)
    assert against(LOCAL._replace(revoked="keyCompromise"), found) == (False, None)


def test_the_ends_that_are_compared_are_those_of_the_chains() -> None:
    """Field case 18: the CA ends before both certificates do."""
    issued = LOCAL._replace(certificate=NEWER, ends_s=1_500)
    before = LOCAL._replace(ends_s=1_500)
    found = renewal.compared(Stored(local=before), before, issued, attended=False)
    assert found == (True, None)


@pytest.mark.parametrize(
    ("before", "found", "code"),
    [
        (LOCAL, HELD, "issued-old"),
        (LOCAL, NEWER._replace(serial="01"), "issued-older"),
        (LOCAL._replace(certificate=HELD._replace(not_before_s=11)), NEWER, "issued-older"),
        (LOCAL._replace(ends_as_before=True), NEWER._replace(not_after_s=2_000), "issued-older"),
        (LOCAL._replace(revoked="keyCompromise"), HELD, "issued-old"),
    ],
)
def test_what_is_not(before: LocalRecord, found: CertificateRecord, code: str) -> None:
    with pytest.raises(AgentError) as caught:
        against(before, found)
    assert caught.value.code == code


def test_the_one_that_waits_is_compared_as_well() -> None:
    waits = LOCAL._replace(certificate=NEWER)
    with pytest.raises(AgentError) as caught:
        renewal.compared(Stored(local=LOCAL, next=waits), waits, LOCAL, attended=False)
    assert caught.value.code == "issued-old"


def test_a_person_may_have_the_same_end_again() -> None:
    before, found = LOCAL._replace(ends_as_before=True), NEWER._replace(not_after_s=2_000)
    assert against(before, found, attended=True).same_end


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
