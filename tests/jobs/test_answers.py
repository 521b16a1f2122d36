"""Answers of a child as events of the engine; no field of one is trusted."""

from typing import Any

import pytest

from agent.enrolment.states import CaFetched, Granted, JobFailed, Waiting
from agent.errors import AgentError, fail
from agent.jobs import answers
from tests.helpers.device_bench import RELATIONS, SHA256, certificate

CA = {
    **certificate("CN=CA", "01"), "is_ca": True, "key_usage": [], "md5": "5a" * 16,
    "sha1": "5a" * 20, "sha256": SHA256, **RELATIONS,
}  # fmt: skip
ISSUED = {"status": "issued", "certificate": certificate("CN=x", "02"), "chain": [b"ca"]}


def event(op: str, answer: Any) -> tuple[Any, list[str]]:
    notes: list[str] = []
    return answers.event(op, answer, notes.append), notes


def test_what_a_good_answer_becomes() -> None:
    found, notes = event("fetch-ca", {"caps": ["AES"], "certificates": [CA], "notes": ["a", "b"]})
    assert isinstance(found, CaFetched)
    assert (found.certificates[0].sha256, found.caps, notes) == (SHA256, ("AES",), ["a", "b"])
    assert event("poll", {"status": "pending", "notes": []}) == (Waiting(), [])
    found, _notes = event("enrol", {**ISSUED, "notes": []})
    assert isinstance(found, Granted)
    assert (found.certificate.subject, found.chain) == ("CN=x", (b"ca",))
    for told, meant in ((None, False), (False, False), (True, True), (1, False), ("yes", False)):
        found, _notes = event("enrol", {**ISSUED, "notes": [], "ra_proven": told})
        assert isinstance(found, Granted)
        assert found.ra_proven is meant
    for word, code in ((None, None), ("no map", None), ({"error": "issued-dates"}, "issued-dates")):
        found, _notes = event("enrol", {**ISSUED, "notes": [], "doubt": word})
        assert isinstance(found, Granted)
        assert (found.doubt and found.doubt.code) == code


@pytest.mark.parametrize(
    ("op", "answer"),
    [
        ("enrol", {}),
        ("enrol", ISSUED),
        ("enrol", {**ISSUED, "notes": [7]}),
        ("enrol", {**ISSUED, "notes": [], "chain": ["text"]}),
        ("enrol", {**ISSUED, "notes": [], "certificate": None}),
        ("fetch-ca", {"caps": [], "certificates": [{"der": 7}], "notes": []}),
        ("fetch-ca", {"caps": [], "certificates": [{**CA, "is_ca": 1}], "notes": []}),
        ("fetch-ca", {"caps": [], "certificates": [{**CA, "sha256": None}], "notes": []}),
        ("fetch-ca", {"caps": [], "certificates": [{**CA, "below": [1]}], "notes": []}),
        ("fetch-ca", {"caps": [], "certificates": [{**CA, "above": [-1]}], "notes": []}),
        ("fetch-ca", {"caps": [], "certificates": [{**CA, "generations": ["0"]}], "notes": []}),
        ("fetch-ca", {"caps": [], "certificates": [{**CA, "sent": None}], "notes": []}),
        ("fetch-ca", {"caps": 5, "certificates": [CA], "notes": []}),
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_failed_job(op: str, answer: Any) -> None:
    found, _notes = event(op, answer)
    assert isinstance(found, JobFailed)
    assert found.error.code == "job-answer"


def test_an_error_is_a_failed_job() -> None:
    error = fail("job-died")
    assert event("enrol", error) == (JobFailed(error), [])


def test_an_answer_is_read_or_its_error_raised() -> None:
    error = fail("job-died")
    assert answers.read({"a": 1}) == {"a": 1}
    with pytest.raises(AgentError) as caught:
        answers.read(error)
    assert caught.value is error


def test_a_reader_hands_on_the_result_or_either_error() -> None:
    error, results = fail("job-died"), list[int | AgentError]()
    ended = answers.reader(lambda answer: answers.field(answer, "bits", int), results.append)
    for outcome in ({"bits": 2048}, error, {"bits": "many"}):
        ended(outcome)
    number, first, second = results
    assert (number, first) == (2048, error)
    assert isinstance(second, AgentError)
    assert second.code == "job-answer"
