"""Rows of `pki validate-certificate`: each fault in its own words, nothing refused as a whole."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import pem
from agent.errors import AgentError
from agent.scep import validation
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab

Row = dict[str, str]
BOTH = [lab.root().der, lab.sub().der]
NOBODY = "nobody vouches for it: it is not of the pinned CA"
UNDATED = "the dates were not judged: the clock is not trusted"


def run(kind: str = "local", certificate: bytes | None = None, **more: Any) -> list[Row]:
    job = {
        "kind": kind, "certificate": certificate or files.leaf().der, "chain": [], **lab.JUDGED,
    }  # fmt: skip
    ders, pinned = more.pop("certificates", BOTH), more.pop("pin", pin(lab.root()))
    ca = {"certificates": ders, "pin": pinned, "roots": more.pop("roots", [])}
    rows = validation.run({**job, "ca": ca if pinned else None, **more})["rows"]
    assert isinstance(rows, list)
    return rows


def pin(party: lab.Party) -> str:
    return str(party.cert.sha256.hex())


def brief(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row["certificate"], row["status"], row["reason"]) for row in rows]


def reason(certificate: lab.Party, **more: Any) -> str:
    row, *others = run(certificate=certificate.der, **more)
    assert row["status"] == "Invalid"
    assert others == []
    return row["reason"]


# -- local -----------------------------------------------------------------------------------------


def test_a_chain_up_to_the_pin() -> None:
    rows = run()
    assert brief(rows) == [("local", "Valid", ""), ("CA", "Valid", ""), ("CA", "Self-sign", "")]
    assert [row["subject"] for row in rows] == ["CN=dev1", "CN=Lab Sub", "C=DE, CN=Lab Root"]
    assert len(run(pin=pin(lab.sub()))) == 2  # nothing above the pin is needed
    assert len(run(certificates=[lab.root().der], chain=[lab.sub().der])) == 3


def test_a_clock_that_is_not_trusted_judges_no_dates() -> None:
    late = run(now_s=0, clock_trusted=False)
    assert brief(late) == [
        ("local", "Valid", UNDATED), ("CA", "Valid", UNDATED), ("CA", "Self-sign", UNDATED),
    ]  # fmt: skip


def test_dates() -> None:
    expired = run(now_s=lab.NOW_S + 400 * lab.DAY_S)
    assert {row["status"] for row in expired} == {"Invalid"}
    assert expired[0]["reason"].startswith("expired: it ended at 2028-01-")
    early = run(now_s=lab.NOW_S - 2 * lab.DAY_S)
    assert early[0]["reason"].startswith("not yet valid: it begins at 2027-01-")
    old = lab.certificate({"common_name": "Old"}, "old", lab.root(), ca=True, days=1)
    ours = lab.certificate({"common_name": "dev1"}, "dev", old)
    rows = run(certificate=ours.der, certificates=[lab.root().der, old.der], now_s=lab.NOW_S + 9)
    assert [row["status"] for row in rows] == ["Valid", "Invalid", "Self-sign"]


def test_an_issuer_that_is_missing() -> None:
    for without in ({"certificates": [lab.root().der]}, {"certificates": [], "pin": None}):
        found = reason(files.leaf(), **without)
        assert found == "the CA certificate CN=Lab Sub is missing"


def test_a_wrong_signature() -> None:
    forged = lab.certificate({"common_name": "dev1"}, "dev", lab.sub(), issuer_key="impostor")
    assert reason(forged) == "wrong signature: it was not made by CN=Lab Sub"


def test_an_issuer_that_is_no_ca() -> None:
    device = lab.certificate({"common_name": "device"}, "device", lab.root())
    below = lab.certificate({"common_name": "dev1"}, "dev", device)
    found = reason(below, chain=[device.der])
    assert found == "its issuer CN=device is not a CA"


def test_another_root_and_too_many_authorities() -> None:
    other = lab.certificate({"common_name": "Other"}, "other", None, ca=True)
    below = lab.certificate({"common_name": "dev1"}, "dev", other)
    assert reason(below, chain=[other.der]).endswith("does not chain to the pinned CA")
    deeper = lab.certificate({"common_name": "Deeper"}, "deeper", lab.sub(), ca=True)  # path 0
    below = lab.certificate({"common_name": "dev1"}, "dev", deeper)
    assert "leaves no room for this CA" in run(
        "ca", certificates=[*BOTH, deeper.der]
    )[2]["reason"]  # fmt: skip
    assert reason(below, chain=[deeper.der]).endswith("does not chain to the pinned CA")


def test_md5() -> None:
    weak = lab.certificate({"common_name": "dev1"}, "dev", lab.root(), digest="md5")
    assert reason(weak) == "it is signed with md5, which only `weak-algorithm md5` allows"
    assert run(certificate=weak.der, weak=["md5"])[0]["status"] == "Valid"


def test_a_local_certificate_that_has_signed_itself() -> None:
    own = lab.certificate({"common_name": "dev1"}, "dev", None)
    assert brief(run(certificate=own.der)) == [
        ("local", "Invalid", "no CA vouches for it: it has signed itself")
    ]
    rows = run("ca", certificates=[lab.root().der, own.der])
    assert brief(rows)[1] == ("RA", "Self-sign", NOBODY)


def test_a_certificate_that_cannot_be_read() -> None:
    (row,) = run(certificate=b"junk")
    assert (row["status"], row["subject"]) == ("Invalid", "-")
    assert row["reason"].startswith("it cannot be read: ")


# -- ca --------------------------------------------------------------------------------------------


def test_each_certificate_of_the_set() -> None:
    encryption, _ = lab.ra_pair()
    stranger = lab.certificate({"common_name": "Other"}, "other2", None)
    device = lab.certificate({"common_name": "x"}, "x", stranger)
    ders = [lab.root().der, b"junk", lab.sub().der, encryption.der, device.der]
    rows = run("ca", certificates=ders)
    assert [(row["certificate"], row["status"]) for row in rows] == [
        ("CA", "Self-sign"), ("CA", "Invalid"), ("CA", "Valid"), ("RA", "Valid"), ("RA", "Invalid"),
    ]  # fmt: skip
    assert rows[4]["reason"] == "the CA certificate CN=Other is missing"


def test_what_stands_above_the_pin_is_never_shown_without_a_remark() -> None:
    rows = run("ca", pin=pin(lab.sub()))
    assert brief(rows) == [("CA", "Self-sign", NOBODY), ("CA", "Valid", "")]
    rows = run("ca", pin=pin(lab.sub()), roots=lab.stored(lab.root(), roots=(lab.root(),))["roots"])
    assert brief(rows)[0] == ("CA", "Self-sign", "the operator vouches for it")


def test_a_foreign_ca_is_never_shown_without_a_remark() -> None:
    foreign = lab.certificate({"common_name": "Lab Root"}, "other", None, ca=True)
    rows = run("ca", certificates=[*BOTH, foreign.der])
    assert brief(rows)[2] == ("CA", "Self-sign", NOBODY)


def test_a_pin_that_has_no_issuer_here() -> None:
    """The pin is trusted for itself: the root may be absent."""
    rows = run("ca", certificates=[lab.sub().der], pin=pin(lab.sub()))
    assert brief(rows) == [("CA", "Valid", "")]


def test_no_set_and_no_pin() -> None:
    for more, code in (
        ({"certificates": []}, "ca-pin-missing"),
        ({"certificates": [], "pin": None}, "ca-no-ca"),
        ({"pin": "00"}, "ca-pin-missing"),
        ({"kind": "else"}, "job-request"),
    ):
        with pytest.raises(AgentError) as caught:
            run(**{"kind": "ca", **more})
        assert caught.value.code == code


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data(), st.sampled_from(["local", "ca"]))
def test_damage_is_a_row(data: st.DataObject, kind: str) -> None:
    whole = bytearray(files.leaf().der)
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    members = [lab.root().der, lab.sub().der, bytes(whole)]
    rows = run(kind, certificate=bytes(whole), certificates=members)
    assert rows[0 if kind == "local" else 2]["status"] == "Invalid"
    assert all(text.isprintable() for row in rows for text in row.values())


def test_a_certificate_in_pem_is_judged_alike() -> None:
    data = pem.encode("CERTIFICATE", [files.leaf().der])
    assert brief(run(certificate=data)) == brief(run())
    assert brief(run(certificate=b"-----BEGIN CERTIFICATE-----"))[0][1] == "Invalid"
