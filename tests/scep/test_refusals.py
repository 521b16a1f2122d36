"""What servers say when they refuse: each row of the tables leads to a cause and a next step."""

from typing import NamedTuple

import pytest

from agent.enrolment import verdicts
from agent.errors import CATALOGUE, LATER, NOW
from agent.scep import messages, refusals, transport, trust

POST = refusals.Asked("POST", 40)


class Refused(NamedTuple):
    """A status, as people need it explained."""

    status: int
    code: str
    retry: str
    step: str


STATUSES = (
    Refused(400, "http-refused", LATER, "`enrollment-url`"),
    Refused(401, "http-denied", LATER, "`source`"),
    Refused(403, "http-denied", LATER, "`enrollment-url`"),
    Refused(404, "http-not-found", LATER, "`ca id NAME`"),
    Refused(405, "http-method", LATER, "`compatibility http-get`"),
    Refused(407, "http-proxy", LATER, "proxy"),
    Refused(408, "http-busy", NOW, "later"),
    Refused(410, "http-not-found", LATER, "`ca id NAME`"),
    Refused(411, "http-method", LATER, "`compatibility http-get`"),
    Refused(413, "http-too-long", LATER, "`compatibility http-post`"),
    Refused(414, "http-too-long", LATER, "`compatibility http-post`"),
    Refused(415, "http-method", LATER, "`compatibility http-get`"),
    Refused(418, "http-refused", LATER, "`ca id`"),
    Refused(425, "http-busy", NOW, "later"),
    Refused(429, "http-busy", NOW, "later"),
    Refused(431, "http-too-long", LATER, "`compatibility http-post`"),
    Refused(500, "http-failed", LATER, "later"),
    Refused(501, "http-method", LATER, "`compatibility http-post`"),
    Refused(502, "http-busy", NOW, "later"),
    Refused(503, "http-busy", NOW, "later"),
    Refused(504, "http-busy", NOW, "later"),
    Refused(599, "http-failed", LATER, "later"),
)


@pytest.mark.parametrize("row", STATUSES, ids=str)
def test_statuses(row: Refused) -> None:
    error = refusals.http(POST, row.status, "Phrase", "a page")
    assert (error.code, error.retry) == (row.code, row.retry)
    assert f"HTTP {row.status} Phrase: a page" in error.what
    assert row.step in error.cause + error.remedy
    assert error.code in transport.SERVER_CODES


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (refusals.Asked("GET", 3600), 404, "http-query"),  # IIS
        (refusals.Asked("GET", 3600), 400, "http-query"),
        (refusals.Asked("GET", 3600), 500, "http-failed"),
        (refusals.Asked("GET", 300), 404, "http-not-found"),  # GetCACert
        (refusals.Asked("POST", 3600), 404, "http-not-found"),
    ],
)
def test_a_get_that_may_be_too_long(asked: refusals.Asked, status: int, code: str) -> None:
    error = refusals.http(asked, status, "Phrase", "a page")
    assert error.code == code
    assert error.code in verdicts.ANSWERED
    if code == "http-query":
        assert "`compatibility http-post`" in error.remedy
        assert "3600" in error.what


def test_every_status_of_the_table_is_tried() -> None:
    assert set(refusals.STATUSES) <= {row.status for row in STATUSES}


def signed(text: str, number: str | None = "2") -> messages.CertRep:
    return messages.CertRep(None, "3", "2", number, text, None, b"")


@pytest.mark.parametrize("row", refusals.REASONS, ids=lambda row: hex(row.number))
def test_reasons_of_microsoft(row: refusals.Reason) -> None:
    """As a number in both spellings and as a text; in a signed refusal and in a page."""
    spellings = (hex(row.number), hex(row.number).upper().replace("X", "x"),
                 str(row.number - (1 << 32)), f"{row.text.capitalize()}\n  (WIN32)")  # fmt: skip
    for spelling in spellings:
        said = f"Denied: {spelling}."
        refusal = trust.refusal(signed(said))
        assert refusal.code == row.code
        assert said in refusal.what
        assert "badRequest" in refusal.what
        assert refusal.code in verdicts.FAILURES
        page = refusals.http(POST, 500, "x", said)
        assert (page.code, page.retry) == ("http-ndes", LATER)
        assert (page.cause, page.remedy) == (refusal.cause, refusal.remedy)
        assert not verdicts.is_verdict(page)  # nobody has signed it


def test_the_rows_are_told_apart() -> None:
    assert len({row.number for row in refusals.REASONS}) == len(refusals.REASONS)
    for row in refusals.REASONS:
        assert refusals.reason(row.text) is row
        assert row.text == row.text.lower()
        assert CATALOGUE[row.code].family == "peer"
    used = {row.code for row in refusals.REASONS}
    assert used == {code for code in CATALOGUE if code.startswith("ndes-")}


@pytest.mark.parametrize(
    "text",
    ["", "error 0x8007005", "0x800700571", "0x80070057f", "-21470248091", "2147024809",
     "0x80004005", "parameter"],
)  # fmt: skip
def test_other_texts_are_no_reason(text: str) -> None:
    assert refusals.reason(text) is None
    assert trust.refusal(signed(text)).code == "ca-badRequest"


@pytest.mark.parametrize("number", range(len(messages.FAIL_INFO)))
def test_each_fail_info_has_a_row(number: int) -> None:
    error = trust.refusal(signed("no", str(number)))
    assert error.code == f"ca-{messages.FAIL_INFO[number]}"
    assert error.cause
    assert error.remedy


@pytest.mark.parametrize("number", [None, "", "5", "-1", "zwei"])
def test_a_fail_info_that_nobody_knows(number: str | None) -> None:
    error = trust.refusal(signed("no", number))
    assert error.code == "ca-failure"
    assert (number or "no failInfo") in error.what
