"""Renewals as jobs: who signs, what goes along, and that the reply is for the old certificate."""

from collections.abc import Iterator
from typing import Any

import pytest

from agent.scep import vault
from tests.helpers import scep_ca
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import DEVICE_KEY, MiniCa, enrolled, failed, key_fields
from tests.scep.test_operations import files as files  # a fixture


def old_certificate(key: str = "dev", **how: Any) -> lab.Party:
    return lab.certificate({"common_name": "dev1"}, key, lab.root(), serial=77, **how)


def renewal(kind: int = 17, *, key: str = "dev", password: bool = False) -> dict[str, Any]:
    fields = key_fields()
    if key != "dev":
        sealed = vault.seal(DEVICE_KEY, lab.private_der(key), b"key|k0|1")
        fields = {"name": "k0", "generation": 1, "sealed": sealed, "spki": lab.public_der(key)}
    return {
        "message_type": kind,
        "certificate": old_certificate(key).der,
        "key": fields,
        "with_password": password,
    }


def attributes(content: bytes) -> Iterator[str]:
    for one in scep_ca.read_request(content)["certification_request_info"]["attributes"]:
        yield one["type"].native


@pytest.mark.parametrize(
    ("kind", "password", "expected"), [(17, False, "17"), (17, True, "17"), (19, True, "19")]
)
def test_signed_by_the_old_certificate(
    files: list[int], kind: int, password: bool, expected: str
) -> None:
    ca = MiniCa()
    answer = enrolled(ca, files, renewal=renewal(kind, password=password))
    assert answer["status"] == "issued"
    (got,) = ca.received
    assert got.attributes["message_type"] == expected
    assert got.signer.dump() == old_certificate().der or got.signer.serial_number == 77
    assert ("challenge_password" in attributes(got.content)) is password


@pytest.mark.parametrize(
    ("kind", "password", "code"),
    [
        (17, False, "ca-renewal-refused"),
        (17, True, "ca-renewal-refused"),
        (19, True, "ca-renewal-refused"),
    ],
)
def test_a_refusal_leads_to_the_password_that_was_left_out(
    files: list[int], kind: int, password: bool, code: str
) -> None:
    refusing = MiniCa(status="2", fail_info="2")
    error = failed(refusing, files, renewal=renewal(kind, password=password))
    assert error.code == code
    assert "renew-with-password" in error.remedy
    assert error.what.endswith("with the challenge password") is password
    other = MiniCa(status="2", fail_info="0")
    assert failed(other, files, renewal=renewal(kind, password=password)).code == "ca-badAlg"


def test_the_old_key_signs_for_a_new_one(files: list[int]) -> None:
    """The request is for the realm's key pair; signer and recipient are the old one's."""
    ca = MiniCa()
    answer = enrolled(ca, files, renewal=renewal(key="old"))
    assert answer["status"] == "issued"
    (got,) = ca.received
    assert got.signer.public_key.dump() == lab.public_der("old")
    info = scep_ca.read_request(got.content)["certification_request_info"]
    assert info["subject_pk_info"].dump() == lab.public_der("dev")


@pytest.mark.parametrize(("op", "code"), [("enrol", "ca-renewal-refused"), ("poll", "ca-denied")])
def test_a_renewal_that_is_refused(files: list[int], op: str, code: str) -> None:
    ca = MiniCa(status="2", fail_info="2")
    assert failed(ca, files, renewal=renewal(), op=op).code == code


def test_a_poll_of_a_renewal_is_signed_like_it(files: list[int]) -> None:
    ca = MiniCa()
    enrolled(ca, files, renewal=renewal(key="old"))
    enrolled(ca, files, renewal=renewal(key="old"), op="poll")
    first, second = ca.received
    assert second.attributes["message_type"] == "20"
    assert first.signer.serial_number == second.signer.serial_number
    assert second.signer.public_key.dump() == lab.public_der("old")


def test_a_key_that_is_not_the_certificates_signs_nothing(files: list[int]) -> None:
    wrong = {**renewal(key="old"), "certificate": old_certificate("dev").der}
    ca = MiniCa()
    assert failed(ca, files, renewal=wrong).code == "key-mismatch"
    assert ca.received == []


@pytest.mark.parametrize("change", [{"message_type": 18}, {"with_password": None}, {"key": None}])
def test_a_job_that_makes_no_sense_is_told(files: list[int], change: dict[str, Any]) -> None:
    assert failed(MiniCa(), files, renewal={**renewal(), **change}).code == "job-request"
