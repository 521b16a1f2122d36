"""Which lists are believed, and what they say of a certificate: lists of openssl and our own."""

import functools
from pathlib import Path
from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from agent.scep import ber, caset, certificate, crl, crl_check, crypto, der, oids
from tests.helpers import scep_lab as lab
from tests.scep.test_crl import openssl_crl

DAY_S = lab.DAY_S


def made(
    *entries: tuple[int, str], issuer: lab.Party | None = None, key: str | None = None,
    digest: str = "sha-256", dates: tuple[int, int | None] = (-60, DAY_S), extensions: bytes = b"",
) -> bytes:  # fmt: skip
    """A list signed with a key of the miniature CA; `entries`: (serial, reason)."""
    party = issuer or lab.root()
    algorithm = der.sequence(der.oid(oids.RSA_SIGNATURES[digest]), der.null())
    rows = [_entry(serial, reason) for serial, reason in entries]
    begin, end = dates
    body = der.sequence(
        der.integer(1),
        algorithm,
        party.cert.subject.dump(),
        der.time(lab.NOW_S + begin),
        *([] if end is None else [der.time(lab.NOW_S + end)]),
        *([der.sequence(*rows)] if rows else []),
        *([der.tlv(der.explicit(0), der.sequence(extensions))] if extensions else []),
    )
    signature = lab.sign(key or party.key, body, digest.replace("-", ""))
    return der.sequence(body, algorithm, der.bit_string(signature))


def _entry(serial: int, reason: str) -> bytes:
    fields = [der.integer(serial), der.time(lab.NOW_S - 30)]
    if reason:
        number = der.tlv(der.ENUMERATED, bytes((crl.REASONS.index(reason),)))
        fields.append(
            der.sequence(der.sequence(der.oid(oids.CRL_REASON), der.octet_string(number)))
        )
    return der.sequence(*fields)


def extension(dotted: str, value: bytes, *, critical: bool) -> bytes:
    flag = [der.boolean(True)] if critical else []
    return der.sequence(der.oid(dotted), *flag, der.octet_string(value))


def ca_set(*others: lab.Party, weak: tuple[str, ...] = ()) -> caset.CaSet:
    pin = crypto.digest("sha-256", lab.root().der).hex()
    rules = caset.Rules(lab.NOW_S, frozenset(weak))
    return caset.load([lab.root().der, *(p.der for p in others)], pin, rules)


def code_of(data: bytes, ca: caset.CaSet | None = None) -> str:
    with pytest.raises(AgentError) as caught:
        crl_check.accept(data, ca or ca_set(), [])
    assert "{" not in caught.value.what + caught.value.cause + caught.value.remedy
    return caught.value.code


def test_a_list_of_the_pinned_ca_and_of_one_below_it() -> None:
    found = crl_check.accept(made((5, "keyCompromise"), (6, "")), ca_set(), [])
    assert (found.total, found.entry_of(5) is not None, found.entry_of(7)) == (2, True, None)
    below = made((9, ""), issuer=lab.sub())
    assert crl_check.accept(below, ca_set(lab.sub()), []).total == 1
    assert code_of(below) == "crl-issuer"  # the sub CA is not in the set


def test_an_entry_beyond_those_that_are_shown_counts() -> None:
    many = [(serial, "") for serial in range(1, limits.CRL_SHOWN + 50)]
    found = crl_check.accept(made(*many), ca_set(), [])
    assert found.entry_of(limits.CRL_SHOWN + 40) is not None
    assert len(found.revoked) == limits.CRL_SHOWN


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"key": "other"}, "crl-signature"),
        ({"digest": "md5"}, "crl-signature"),
        ({"extensions": extension(oids.DELTA_CRL, der.integer(1), critical=True)}, "crl-malformed"),
        ({"extensions": extension("1.2.3", b"\x05\x00", critical=True)}, "crl-malformed"),
        # onlyContainsUserCerts is fine, onlyContainsCACerts, onlySomeReasons, indirect are not
        *(
            (
                {
                    "extensions": extension(
                        oids.ISSUING_DISTRIBUTION_POINT,
                        der.sequence(der.tlv(der.context(number), b"\xff")),
                        critical=True,
                    )
                },
                "crl-malformed",
            )
            for number in (2, 3, 4, 5)
        ),
    ],
)
def test_what_is_refused(how: dict[str, Any], code: str) -> None:
    assert code_of(made((5, ""), **how)) == code


def test_what_a_distribution_point_may_say() -> None:
    scope = der.sequence(der.tlv(der.context(1), b"\xff"))
    more = extension(oids.ISSUING_DISTRIBUTION_POINT, scope, critical=True)
    assert crl_check.accept(made((5, ""), extensions=more), ca_set(), []).total == 1
    harmless = extension("1.2.3", b"\x05\x00", critical=False)
    assert crl_check.accept(made((5, ""), extensions=harmless), ca_set(), []).total == 1


def test_a_ca_that_may_not_sign_lists_signs_none() -> None:
    limited = lab.certificate(
        {"common_name": "No lists"}, "sub", lab.root(), ca=True, usage={"key_cert_sign"}
    )
    assert code_of(made((5, ""), issuer=limited), ca_set(limited)) == "crl-signature"


def test_weak_signatures_are_noted_or_need_the_switch() -> None:
    notes: list[str] = []
    crl_check.accept(made((5, ""), digest="sha1"), ca_set(), notes)
    crl_check.accept(made((5, ""), digest="md5"), ca_set(weak=("md5",)), notes)
    assert [note.rsplit(" ", 1)[1] for note in notes] == ["sha1", "md5"]


def test_every_byte_that_is_cut_off_is_noticed_and_size_is_capped() -> None:
    whole = made((5, "superseded"))
    for length in range(len(whole)):
        assert code_of(whole[:length]) == "crl-malformed"
    assert code_of(whole + bytes(limits.CRL_BYTES)) == "crl-too-large"


def test_the_number_of_entries_is_capped() -> None:
    most = [(serial, "") for serial in range(limits.CRL_ENTRIES)]
    assert crl_check.accept(made(*most), ca_set(), []).total == limits.CRL_ENTRIES
    assert len(made(*most, (1, ""))) < limits.CRL_BYTES
    assert code_of(made(*most, (1, ""))) == "crl-malformed"


def test_a_malformed_entry_behind_those_that_are_shown_is_noticed() -> None:
    good = [_entry(n, "") for n in range(limits.CRL_SHOWN + 1)]
    body = made()
    assert code_of(_with_entries(body, [*good, der.sequence(der.integer(1))])) == "crl-malformed"
    assert code_of(_with_entries(body, good)) == "crl-signature"


def _with_entries(data: bytes, entries: list[bytes]) -> bytes:
    outer = list(ber.pieces(ber.content(data, der.SEQUENCE)))
    fields = list(ber.pieces(ber.content(outer[0], der.SEQUENCE)))
    return der.sequence(der.sequence(*fields, der.sequence(*entries)), *outer[1:])


@pytest.mark.parametrize(
    ("dates", "now_s", "good"),
    [
        ((-60, DAY_S), lab.NOW_S, True),
        ((-60, None), lab.NOW_S + 99 * DAY_S, True),
        ((-60, DAY_S), lab.NOW_S + DAY_S, False),
        ((3 * DAY_S, 9 * DAY_S), lab.NOW_S, False),
        ((60, DAY_S), lab.NOW_S, True),  # the clocks differ a little
        ((-60, DAY_S), None, True),
    ],
)
def test_dates(dates: tuple[int, int | None], now_s: int | None, good: bool) -> None:
    found = crl.read(made(dates=dates))
    assert (crl_check.dates_fault(found, now_s) == "") is good


# -- what a realm makes of it ----------------------------------------------------------------------

LEAF = functools.partial(lab.certificate, {"common_name": "dev1"}, "dev")


def check(words: list[str], data: bytes | None, now_s: int = lab.NOW_S) -> crl_check.Check:
    job = {"revocation": {"check": words, "crl": data}}
    return crl_check.check_of(job, ca_set(), now_s)


def said(words: list[str], data: bytes | None, serial: int = 5, now_s: int = lab.NOW_S) -> Any:
    """(revoked, nobody knows, that is too little)"""
    judged, cert = check(words, data, now_s), certificate.read(LEAF(lab.root(), serial=serial).der)
    lack = bool(judged.lacking(cert))
    return bool(judged.revoked(cert)), lack, lack and judged.required


REVOKED = functools.cache(lambda: made((5, "keyCompromise")))


def test_what_certificate_check_makes_of_a_list() -> None:
    late = lab.NOW_S + 9 * DAY_S
    rows: list[tuple[list[str], bytes | None, int, int, Any]] = [
        ([], REVOKED(), 5, lab.NOW_S, (True, False, False)),
        ([], None, 5, lab.NOW_S, (False, True, False)),
        (["crl"], REVOKED(), 5, lab.NOW_S, (True, False, False)),
        (["crl"], REVOKED(), 6, lab.NOW_S, (False, False, False)),
        (["crl"], None, 6, lab.NOW_S, (False, True, True)),
        (["crl"], REVOKED(), 6, late, (False, True, True)),
        (["crl"], REVOKED(), 5, late, (True, True, True)),
        (["crl", "none"], None, 6, lab.NOW_S, (False, True, False)),
        (["crl", "none"], REVOKED(), 5, late, (True, True, False)),
        (["crl"], made((5, ""), key="other"), 5, lab.NOW_S, (False, True, True)),
        (["none"], REVOKED(), 5, lab.NOW_S, (False, False, False)),
    ]
    for words, data, serial, now_s, expected in rows:
        assert said(words, data, serial, now_s) == expected, (words, serial)


def test_a_list_of_another_ca_says_nothing_and_is_not_enough() -> None:
    judged = check(["crl"], REVOKED())
    other = certificate.read(LEAF(lab.sub(), serial=5).der)
    assert judged.revoked(other) == ""
    assert "another CA" in judged.lacking(other)


def test_a_list_of_openssl_is_believed(tmp_path: Path) -> None:

    data = openssl_crl(tmp_path, "01,keyCompromise", "03")
    found = crl_check.accept(data, ca_set(), [])
    assert [bool(found.entry_of(serial)) for serial in (1, 2, 3)] == [True, False, True]


def test_a_certificate_is_on_a_list_by_the_key_of_its_issuer_alone() -> None:
    """After a roll-over two keys have one name, and each speaks of what it has signed itself."""
    namesake = lab.certificate(lab.root().cert.subject, "namesake", lab.root(), ca=True)
    ca = ca_set(namesake, lab.sub())
    leaf = certificate.read(lab.certificate({"common_name": "x"}, "dev", lab.root(), serial=5).der)

    def reason(*entries: tuple[int, str], **how: Any) -> str:
        return crl_check.reason_of(leaf, crl_check.accept(made(*entries, **how), ca, []), ca)

    assert reason((5, "keyCompromise")) == "keyCompromise"
    assert reason((5, "")) == "unspecified"
    assert reason((6, "keyCompromise")) == ""
    assert reason((5, "keyCompromise"), key="namesake") == ""
    assert reason((5, "keyCompromise"), issuer=lab.sub()) == ""


def test_a_list_whose_signature_cannot_be_verified() -> None:
    known, other = (der.oid(f"1.2.840.113549.1.1.{last}") for last in (11, 2))
    with pytest.raises(AgentError) as caught:
        crl_check.accept(made().replace(known, other), ca_set(), [])
    assert caught.value.code == "crl-unverifiable"
    assert "cannot be verified: it is md2WithRSAEncryption" in caught.value.what


def test_a_list_in_a_pkcs7() -> None:
    one, two = made(), made((5, ""))
    for lists, whole in (([one], True), ([one, two], False), ([], False)):
        body = der.sequence(
            der.integer(1), der.set_of([]), der.sequence(der.oid(oids.DATA)),
            der.tlv(der.explicit(1), *lists), der.set_of([]),
        )  # fmt: skip
        data = der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(der.explicit(0), body))
        if whole:
            assert crl_check.der_of(data) == one
            continue
        with pytest.raises(AgentError, match=f"a PKCS#7 with {len(lists)} lists") as caught:
            crl_check.der_of(data)
        assert caught.value.code == "crl-malformed"
